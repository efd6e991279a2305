"""Features of the pieces of clips by a frozen network, computed once for a work folder.

Writes ``cache/features/<fingerprint>/`` of the work folder, as :mod:`fgbench.methods.backbone.kept_features`
does of images; heads, folds and seeds share them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from fgbench.config.video_backbones import PiecesConfig
from fgbench.errors import DatasetError
from fgbench.files.hashing import digest_json
from fgbench.inputs.frame_choice import Ints
from fgbench.methods.backbone.frozen import Floats
from fgbench.methods.backbone.kept_features import Prepared, in_grey, kept_rows
from fgbench.methods.backbone.self_check import Checked, check_input
from fgbench.methods.video_backbone.pieces import ClipPieces, piece_source, pieces_of_clips
from fgbench.runs.samples import Sample
from fgbench.training.context import TrainingContext

_FORMAT = 1
"""Increased when the same key gives other features."""

_CHECKED = 8
"""Clips of the check."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClipFeatures:
    """Features of the pieces of clips.

    Attributes:
        values: (P, D) float32, of all pieces, clip after clip; a mapped file.
        rows_of: Clip to its rows.
        pieces: The pieces.
    """

    values: Tensor
    rows_of: Mapping[str, slice]
    pieces: ClipPieces

    def of(self, sample: Sample) -> Tensor:
        """Return the features (n, D) of a clip's pieces."""
        return self.values[self.rows_of[sample.clip_id]]

    def frames_of(self, samples: Sequence[Sample]) -> list[Ints]:
        """Return the numbers of the frames of each clip's pieces, (n, length)."""
        of_clip = dict(zip(self.pieces.clip_ids, self.pieces.frames, strict=True))
        return [of_clip[sample.clip_id] for sample in samples]

    def means(self, samples: Sequence[Sample]) -> Floats:
        """Return the means of the features of clips, (N, D) float32."""
        width = self.values.shape[1]
        means = [self.of(sample).double().mean(0).float() for sample in samples]
        rows: Floats = (torch.stack(means) if means else torch.empty(0, width)).numpy()
        return rows


def check_clips(
    network: Prepared, context: TrainingContext, frames: Mapping[str, Ints], *, window: int
) -> Checked:
    """Check what a network is given on the first clips.

    Raises:
        ConfigError: As of :func:`fgbench.methods.backbone.self_check.check_input`.
        DatasetError: If no clip has a usable face.
        ManifestError: If the network or the manifests are damaged.
    """
    first = {clip_id: frames[clip_id] for clip_id in list(frames)[:_CHECKED]}
    if not first:
        raise DatasetError(f"{context.manifests} has no clip with a usable face", "run fgbench prepare")
    pieces = pieces_of_clips(first, PiecesConfig(most=1), window=window)
    source = piece_source(context.manifests, pieces, jobs=context.jobs)
    batches = source.batches(epoch=0, seed=0, batch=_CHECKED, shuffle=False)
    crops = next(iter(batches)).images
    return check_input(network.frozen, network.taken, in_grey(crops) if network.grey else crops)


def features_of_clips(
    network: Prepared,
    context: TrainingContext,
    frames: Mapping[str, Ints],
    config: PiecesConfig,
    *,
    window: int,
) -> ClipFeatures:
    """Return the features of the pieces of all clips, kept or newly computed.

    Args:
        network: The network.
        context: Context of the run.
        frames: Clip to the numbers of its frames with a usable face.
        config: Section of the recipe.
        window: Frames that a network of videos takes; 0: a network of pictures.

    Raises:
        ConfigError: If features are not finite.
        ManifestError: If a frame has no picture, or the manifests are missing or damaged.
        MediaError: If a picture cannot be decoded or has another size.
        ResourceError: If the disk is full, or another process makes the same features.
    """
    pieces = pieces_of_clips(frames, config, window=window)
    counts = [len(of_clip) for of_clip in pieces.frames]
    ends = np.cumsum([0, *counts]).tolist()
    wanted = {"format": _FORMAT, "manifests": context.faces_digest, "pieces": digest_json(pieces.rows())}
    images = piece_source(context.manifests, pieces, jobs=context.jobs)
    rows = kept_rows(network, context, wanted, images)
    return ClipFeatures(
        values=rows.reshape(ends[-1], -1),
        rows_of={
            clip_id: slice(start, stop)
            for clip_id, start, stop in zip(pieces.clip_ids, ends[:-1], ends[1:], strict=True)
        },
        pieces=pieces,
    )
