"""Features of a frozen network, computed once for a work folder; heads, folds and seeds share them.

Writes ``cache/features/<fingerprint>/`` of the work folder, in the layout of
:mod:`fgbench.inputs.cached_maps`: N x 1 x 1 x d x 1 x 1 float32. Originals and copies are kept apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from fgbench.errors import DatasetError, ManifestError
from fgbench.files.hashing import digest_json
from fgbench.inputs.batching import Source
from fgbench.inputs.cached_maps import keep_maps
from fgbench.inputs.crops import without_colour
from fgbench.inputs.manifest_pictures import image_ids
from fgbench.methods.backbone.crop_source import crop_source
from fgbench.methods.backbone.frozen import Floats, Frozen
from fgbench.methods.backbone.self_check import Checked, check_input
from fgbench.methods.backbone.taken import Taken
from fgbench.runs.samples import Sample, image_samples
from fgbench.training.context import TrainingContext
from fgbench.training.processes import join_processes
from fgbench.workfolders.layout import CACHE, FEATURES

_FORMAT = 1
"""Increased when the same key gives other features."""

_CHECKED = 8
"""Faces of the check."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prepared:
    """A frozen network with its input.

    Attributes:
        frozen: The network.
        taken: Its input.
        batch: Pictures that it is given at once.
        grey: Whether faces are made grey before.
    """

    frozen: Frozen
    taken: Taken
    batch: int
    grey: bool = False

    def inputs(self, crops_B3SS: torch.Tensor) -> torch.Tensor:
        """Return the network's input of crops, uint8 RGB (..., 3, S, S)."""
        return self.taken.prepare(in_grey(crops_B3SS) if self.grey else crops_B3SS)


def in_grey(crops_B3SS: torch.Tensor) -> torch.Tensor:
    """Return crops (..., 3, S, S) without colour."""
    return without_colour(crops_B3SS.flatten(0, -4)).reshape(crops_B3SS.shape)


def usable_samples(context: TrainingContext) -> list[Sample]:
    """Return the samples of a work folder with a usable face, copies included."""
    with_face = image_ids(context.manifests)
    return [one for one in image_samples(context.manifests) if one.sample_id in with_face]


def check_network(network: Prepared, context: TrainingContext) -> Checked:
    """Check what a network is given on the first faces in storage.

    Raises:
        ConfigError: As of :func:`fgbench.methods.backbone.self_check.check_input`.
        DatasetError: If there are no faces.
        ManifestError: If the network or the manifests are damaged.
    """
    ids = sorted(one.sample_id for one in usable_samples(context) if not one.is_copy)
    if not ids:
        raise DatasetError(f"{context.manifests} has no usable faces", "run fgbench prepare")
    source = crop_source(context.manifests, ids, crop=network.taken.crop, jobs=context.jobs)
    batches = iter(source.batches(epoch=0, seed=0, batch=_CHECKED, shuffle=False))
    crops = next(batches).images[:_CHECKED]
    batches.close()  # type: ignore[attr-defined]  # a generator: its threads end
    return check_input(network.frozen, network.taken, without_colour(crops) if network.grey else crops)


def features_of(network: Prepared, context: TrainingContext, samples: Sequence[Sample]) -> Floats:
    """Return the features of samples, (N, d) float32; those of the whole work folder are kept, except of a
    network that was trained on, which no other run has.

    Args:
        network: The network.
        context: Context of the run.
        samples: Samples of :func:`usable_samples`, in any order.

    Raises:
        ConfigError: If features are not finite.
        ManifestError: If a sample has no picture, or the manifests are missing or damaged.
        MediaError: If a picture cannot be decoded or has another size.
        ResourceError: If the disk is full, or another process makes the same features.
    """
    if network.frozen.tuned:
        return _computed(network, context, [one.sample_id for one in samples])
    every = usable_samples(context)
    parts = {}
    for is_copy in (False, True):
        if any(one.is_copy == is_copy for one in samples):
            ids = sorted(one.sample_id for one in every if one.is_copy == is_copy)
            kept = _kept(network, context, ids)
            parts[is_copy] = (kept, {name: row for row, name in enumerate(ids)})
    missing = [one.sample_id for one in samples if one.sample_id not in parts[one.is_copy][1]]
    if missing:
        raise ManifestError(
            f"{missing[0]} has no picture in {context.manifests}, expected a face",
            "run fgbench prepare again",
        )
    width = next(iter(parts.values()))[0].shape[1] if parts else 0
    result = np.empty((len(samples), width), np.float32)
    for is_copy, (kept, row_of) in parts.items():
        to = [row for row, one in enumerate(samples) if one.is_copy == is_copy]
        result[to] = kept[[row_of[samples[row].sample_id] for row in to]]
    return result


@torch.inference_mode()
def _computed(network: Prepared, context: TrainingContext, ids: Sequence[str]) -> Floats:
    """Return the features of samples, (N, d), in their order; nothing is written."""
    images = crop_source(context.manifests, ids, crop=network.taken.crop, jobs=context.jobs)
    rows, features, done = [np.empty(0, np.int64)], [], 0
    for batch in images.batches(epoch=0, seed=0, batch=network.batch, shuffle=False):
        features.append(network.frozen.runs.features(network.inputs(batch.images)).numpy())
        rows.append(batch.index.cpu().numpy())
        done += len(batch)
        context.progress("features", done, len(ids))
    if not features:
        return np.empty((0, 0), np.float32)
    ordered: Floats = np.concatenate(features)[np.argsort(np.concatenate(rows))]
    return ordered


def _kept(network: Prepared, context: TrainingContext, ids: Sequence[str]) -> Floats:
    """Return the kept features of all ids, (N, d), a mapped file."""
    wanted = {"format": _FORMAT, "manifests": context.manifest_digest, "samples": digest_json(list(ids))}
    images = crop_source(context.manifests, ids, crop=network.taken.crop, jobs=context.jobs)
    features: Floats = kept_rows(network, context, wanted, images).reshape(len(ids), -1).numpy()
    return features


def kept_rows(
    network: Prepared, context: TrainingContext, wanted: Mapping[str, Any], images: Source
) -> torch.Tensor:
    """Return the features of pictures, a row each, of a mapped file that one process makes.

    Args:
        network: The network.
        context: Context of the run.
        wanted: Identity of the pictures, and the version of the format.
        images: The pictures.

    Raises:
        ConfigError: If features are not finite.
        ManifestError: If a picture is missing.
        MediaError: If a picture cannot be decoded or has another size.
        ResourceError: If the disk is full, or another process makes the same features.
    """
    key = {
        **wanted,
        "network": network.frozen.digest,
        "reads": network.frozen.reads,
        "input": network.taken.plain(),
        "grey": network.grey,
    }

    def compute(crops: torch.Tensor, _view: int) -> torch.Tensor:
        with torch.inference_mode():
            return network.frozen.runs.features(network.inputs(crops)).cpu()[:, None, :, None, None]

    def opened() -> torch.Tensor:
        kept = keep_maps(
            context.workdir / CACHE / FEATURES / digest_json(key),
            key,
            images=images,
            n_views=1,
            n_maps=1,
            n_made=1,
            compute=compute,
            batch=network.batch,
            device=torch.device("cpu"),
            resident_mb=1,
            progress=lambda _, done, of: context.progress("features", done, of),
            note=context.note,
            numbers="float32",
        )
        return kept.view(0)

    processes = join_processes(context.device)
    made = opened() if processes.main else None
    processes.wait()
    return made if made is not None else opened()
