"""Features of a frozen backbone, computed once for every crop, kept and shared by runs.

Writes ``cache/features/<fingerprint>/`` of the work folder, in the layout of
:mod:`fgbench.inputs.cached_maps`: N x V x 1 x 512 x 1 x 1 float16, where view 1 is the mirrored crop.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from fgbench.files.hashing import digest_json
from fgbench.inputs.cached_maps import keep_maps
from fgbench.inputs.map_views import KeptMaps
from fgbench.methods.insightface.task import FaceSet, see_crops
from fgbench.models.iresnet import IResNet
from fgbench.models.weights import state_digest
from fgbench.training.context import TrainingContext
from fgbench.training.processes import join_processes
from fgbench.workfolders.layout import CACHE, FEATURES

_BATCH = 32
_FORMAT = 1
"""Increased when the same key gives other features."""

_RESIDENT_MB = 16384  # features of eight million crops; more are read from the file


def keep_features(backbone: IResNet, faces: FaceSet, context: TrainingContext, *, flip: bool) -> FaceSet:
    """Return the samples with features instead of their crops.

    Args:
        backbone: On the device, in evaluation mode.
        faces: Samples with crops.
        context: Context of the run.
        flip: Whether features of mirrored crops are computed too.

    Raises:
        ConfigError: If features exceed the range of float16.
        ResourceError: If the disk is full or has too little room, or another process makes the same features.
    """
    key = {
        "format": _FORMAT,
        "backbone": state_digest(backbone.state_dict()),
        "views": 1 + flip,
        "manifests": context.manifest_digest,
        "samples": digest_json(list(faces.sample_ids)),
    }

    def opened() -> KeptMaps:
        return keep_maps(
            context.workdir / CACHE / FEATURES / digest_json(key),
            key,
            images=faces.inputs,
            n_views=1 + flip,
            n_maps=1,
            n_made=1,
            compute=lambda crops, view: _features(backbone, crops, mirrored=bool(view)),
            batch=_BATCH,
            device=context.device,
            resident_mb=_RESIDENT_MB,
            progress=lambda _, done, of: context.progress("features", done, of),
            note=context.note,
        )

    processes = join_processes(context.device)
    made = opened() if processes.main else None
    processes.wait()
    return replace(faces, inputs=made or opened())


@torch.no_grad()
def _features(backbone: IResNet, crops_B3HW: Tensor, *, mirrored: bool) -> Tensor:
    which = torch.full((len(crops_B3HW),), mirrored, device=crops_B3HW.device)
    return backbone(see_crops(crops_B3HW, which))[:, None, :, None, None]
