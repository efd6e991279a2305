"""Maps that image models train on while their trunk is frozen: computed once, shared by runs.

Writes ``cache/maps/<fingerprint>/`` of the work folder; see :mod:`fgbench.inputs.cached_maps`.

Maps are kept as float16 (11 bits): training on them equals training on pictures up to that rounding; see
``data.keep_maps``. Maps of the validation images are float16 even if none are kept.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from fgbench.config import TrainImageConfig
from fgbench.errors import DatasetError
from fgbench.files.hashing import digest_json
from fgbench.inputs.batching import Source
from fgbench.inputs.cached_maps import keep_maps
from fgbench.inputs.crops import View, view_table
from fgbench.inputs.image_set import ImageSet
from fgbench.inputs.map_views import KeptMaps
from fgbench.inputs.preprocessing import Preprocessing
from fgbench.models.map_trunk import MapTrunk
from fgbench.models.msau import MsauNet
from fgbench.models.weights import state_digest
from fgbench.training.context import TrainingContext
from fgbench.training.processes import join_processes
from fgbench.workfolders.layout import CACHE

_BATCH = 32
_FORMAT = 1
"""Increased when the same key gives other maps."""

_PLAIN: tuple[View, ...] = ((0, False),)


def open_maps(
    model: MsauNet,
    config: TrainImageConfig,
    preprocessing: Preprocessing,
    context: TrainingContext,
    *,
    train: ImageSet,
    selection: ImageSet,
    most: int,
) -> tuple[Source | None, Tensor]:
    """Open the maps of a network with a frozen trunk, in evaluation mode.

    Args:
        model: The network.
        config: The recipe; ``data.keep_maps`` decides whether maps of training images are kept.
        preprocessing: From pictures to the network's input.
        context: Context of the run.
        train: Samples to train on, in all views of the recipe.
        selection: Samples on which the epoch is chosen, in the plain view.
        most: Most regions that a run of the recipe zooms into; that many are kept.

    Returns:
        Maps of the training samples (``None`` if they are not kept), and maps (N, R, C, h, w) float16 of the
        selection samples on the device.

    Raises:
        DatasetError: If there are no selection samples.
        ResourceError: If the disk is full or has too little room, or another process makes the same maps.
        ConfigError: If maps exceed the range of float16.
    """
    if not len(selection):
        raise DatasetError(
            "there are no images to choose the epoch on", "give the part 'val' a weight in the recipe"
        )
    if not config.data.keep_maps:
        return None, _in_memory(model, preprocessing, selection)
    wide = model
    if most > model.config.zooms:
        # The same modules with more regions.
        wide = copy.copy(model)
        wide.config = model.config.model_copy(update={"zooms": most})
    common = {
        "format": _FORMAT,
        "trunk": state_digest(model.trunk.state_dict()),
        "network": _identity(model),
        "zoom_side_px": model.config.zoom_side_px,
        "suppress_radius": model.config.suppress_radius,
        "preprocessing": preprocessing.plain(),
        "manifests": context.faces_digest,
    }
    processes = join_processes(context.device)

    def kept(samples: ImageSet, views: tuple[View, ...]) -> KeptMaps:
        key = {
            **common,
            "views": [[choice, mirror] for choice, mirror in views],
            "samples": digest_json(list(samples.sample_ids)),
        }

        def opened() -> KeptMaps:
            return keep_maps(
                context.workdir / CACHE / "maps" / digest_json(key),
                key,
                images=samples.images,
                n_views=len(views),
                n_maps=1 + model.config.zooms,
                n_made=1 + wide.config.zooms,
                compute=lambda images, view: _see(wide, preprocessing, images, views[view]),
                batch=_BATCH,
                device=context.device,
                resident_mb=config.data.resident_mb,
                progress=context.progress,
                note=context.note,
            )

        made = opened() if processes.main else None
        processes.wait()
        return made or opened()

    maps = kept(train, view_table(config.data.crops, flip=config.data.flip))
    return maps, kept(selection, _PLAIN).view(0)


def _identity(model: MsauNet) -> Mapping[str, Any]:
    """Return what the maps of a network's trunk depend on beside its tensors, as plain values."""
    if isinstance(model.trunk, MapTrunk):
        return model.trunk.identity
    return model.config.trunk.model_dump(mode="json")


def _in_memory(model: MsauNet, preprocessing: Preprocessing, samples: ImageSet) -> Tensor:
    parts: list[Any] = []
    order: list[Tensor] = []
    for batch in samples.images.batches(epoch=0, seed=0, batch=_BATCH, shuffle=False):
        parts.append(_see(model, preprocessing, batch.images, _PLAIN[0]).half())
        order.append(batch.index)
    return torch.cat(parts)[torch.cat(order).argsort()]


@torch.no_grad()
def _see(model: MsauNet, preprocessing: Preprocessing, images: Tensor, view: View) -> Tensor:
    choice = torch.full((len(images),), view[0], device=images.device)
    mirrored = torch.full((len(images),), view[1], device=images.device)
    return model.see(preprocessing.view(images, choice, mirrored)).maps
