"""Descriptions of the frames of clips by a frozen image model: computed once, kept and shared by runs.

Writes ``cache/frames/<fingerprint>/`` of the work folder, in the layout of
:mod:`fgbench.inputs.cached_maps`: N x V x 1 x F x 1 x 1 float16, where V are the views of
:func:`fgbench.inputs.crops.view_table`: crops, each as it is and mirrored.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from fgbench.config import NetworkConfig, TrunkConfig
from fgbench.errors import ConfigError
from fgbench.files.hashing import digest_json
from fgbench.inputs.cached_maps import keep_maps
from fgbench.inputs.crops import CENTRE, View
from fgbench.inputs.image_set import open_source
from fgbench.inputs.manifest_pictures import find_frames
from fgbench.inputs.map_views import KeptMaps
from fgbench.methods.msau.opened import ImageNetwork
from fgbench.models.msau import MsauNet
from fgbench.models.weights import state_digest
from fgbench.training.context import TrainingContext
from fgbench.training.processes import join_processes
from fgbench.workfolders.layout import CACHE

Features = Literal["face", "all", "mac"]
"""See :class:`fgbench.config.AttentionConfig`."""

_BATCH = 32
_FORMAT = 1
"""Increased when the same key gives other features."""


def feature_size(network: NetworkConfig, features: Features) -> int:
    """Return the number of features of a frame.

    Raises:
        ConfigError: If only maximum activations are to be taken and the image model has none.
    """
    assert isinstance(network.trunk, TrunkConfig), "runs on others are refused"
    channels = network.trunk.widths[-1]
    if features == "mac":
        if not network.mac:
            raise ConfigError(
                "attention.features is mac, but the image model has no maximum activations (network.mac)",
                "take attention.features: face",
            )
        return channels
    regions = 1 + (network.zooms if features == "all" else 0)
    return regions * (network.embedding + (channels if network.mac else 0))


@torch.no_grad()
def describe_faces(
    network: ImageNetwork, faces_B3HW: Tensor, features: Features, *, view: View = CENTRE
) -> Tensor:
    """Compute features (B, F) of faces by an image model (paper section IV-B).

    Args:
        network: The image model.
        faces_B3HW: uint8 RGB (B, 3, 224, 224).
        features: Kind of features, see :class:`fgbench.config.AttentionConfig`.
        view: The crop that is seen, and whether it is mirrored; by default the plain centre crop.
    """
    n, (crop, mirrored) = len(faces_B3HW), view
    choice = torch.full((n,), crop, dtype=torch.int64, device=faces_B3HW.device)
    turned = torch.full((n,), mirrored, device=faces_B3HW.device)
    return describe_seen(network.model, network.preprocessing.view(faces_B3HW, choice, turned), features)


def describe_seen(model: MsauNet, crops_B3HW: Tensor, features: Features) -> Tensor:
    """Compute features (B, F) of crops, normalised float (B, 3, 224, 224), by an image model."""
    looking = model if features == "all" else _without_zoom(model)
    maps = looking.see(crops_B3HW).maps
    if features == "mac":
        activations: Tensor = model.scales[0].mac_norm(maps[:, 0].amax((2, 3)))
        return activations
    parts = [model.scales[0].features(maps[:, :1])]
    if features == "all" and model.config.zooms:
        parts.append(model.scales[1].features(maps[:, 1:]))
    return torch.cat(parts, 1)


def _without_zoom(model: MsauNet) -> MsauNet:
    """Return the same modules without enlarged regions."""
    plain = copy.copy(model)
    plain.config = model.config.model_copy(update={"zooms": 0})
    return plain


def keep_frames(
    network: ImageNetwork,
    frames: Sequence[tuple[str, int]],
    features: Features,
    context: TrainingContext,
    *,
    views: Sequence[View],
    resident_mb: int,
) -> KeptMaps:
    """Return the features of frames, in their order: kept ones, or newly computed.

    Args:
        network: The image model, on the device.
        frames: Clip and number of each.
        features: Kind of features.
        context: Context of the run.
        views: Crops that are described, the plain centre crop first.
        resident_mb: MiB of device memory that they may take.

    Raises:
        ConfigError: If they exceed the range of float16.
        ManifestError: If a frame has no picture, or the manifests are missing or damaged.
        MediaError: If a picture cannot be decoded or has another size.
        ResourceError: If the disk is full or has too little room, or another process makes the same ones.
    """
    key = {
        "format": _FORMAT,
        "network": state_digest(network.model.state_dict()),
        "config": network.model.config.model_dump(mode="json"),
        "preprocessing": network.preprocessing.plain(),
        "features": features,
        "views": [[crop, mirrored] for crop, mirrored in views],
        "manifests": context.faces_digest,
        "frames": digest_json([[clip_id, index] for clip_id, index in frames]),
    }
    # Each new frame is decoded once, so they are streamed, not held.
    images = open_source(
        find_frames(context.manifests, frames), device=context.device, resident_mb=0, jobs=context.jobs
    )

    def opened() -> KeptMaps:
        return keep_maps(
            context.workdir / CACHE / "frames" / digest_json(key),
            key,
            images=images,
            n_views=len(views),
            n_maps=1,
            n_made=1,
            compute=lambda faces, view: _as_maps(describe_faces(network, faces, features, view=views[view])),
            batch=_BATCH,
            device=context.device,
            resident_mb=resident_mb,
            progress=lambda _, done, of: context.progress("frames", done, of),
            note=context.note,
        )

    processes = join_processes(context.device)
    made = opened() if processes.main else None
    processes.wait()
    return made or opened()


def _as_maps(features_BF: Tensor) -> Tensor:
    return features_BF[:, None, :, None, None]
