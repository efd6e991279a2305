"""Clips of a work folder, read and predicted by a frozen network with its classifier."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fgbench.inputs.clip_set import CLIP_ROLES
from fgbench.inputs.frame_choice import Ints
from fgbench.methods.video_backbone.classifiers import PredictedClips
from fgbench.methods.video_backbone.clip_features import features_of_clips
from fgbench.methods.video_backbone.outcome import write_outcome
from fgbench.runs.frames import usable_frames
from fgbench.runs.samples import Sample
from fgbench.training.context import TrainingContext

if TYPE_CHECKING:
    from fgbench.methods.video_backbone.opened import VideoBackboneNetwork


def frames_of_clips(manifests: Path) -> dict[str, Ints]:
    """Return the numbers of the frames with a usable face of each clip, ascending.

    Raises:
        ManifestError: If the manifests are missing or damaged.
    """
    numbers: dict[str, list[int]] = {}
    for clip_id, number in sorted(usable_frames(manifests, roles=CLIP_ROLES)):
        numbers.setdefault(clip_id, []).append(number)
    return {clip_id: np.array(of_clip, np.int64) for clip_id, of_clip in numbers.items()}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClipsOfWorkFolder:
    """Clips of a work folder; see :class:`fgbench.methods.protocol.ClipReader`.

    Attributes:
        network: The network.
        context: Context of the run.
        frames: Clip to the numbers of its frames with a usable face.
    """

    network: VideoBackboneNetwork
    context: TrainingContext
    frames: Mapping[str, Ints]

    @property
    def clip_ids(self) -> Collection[str]:
        """Ids of the clips with at least one usable face."""
        return self.frames.keys()

    def predict(self, samples: Sequence[Sample]) -> PredictedClips:
        """Predict clips of :attr:`clip_ids`, in their order; features are kept as in training."""
        of = self.network
        features = features_of_clips(of.network, self.context, self.frames, of.pieces, window=of.window)
        return of.classifier.predict(features, samples)

    def write(self, folder: Path, parts: Mapping[str, PredictedClips]) -> None:
        """Write ``streams.parquet``, and ``attention.parquet`` where pieces are attended to."""
        write_outcome(folder, parts, self.network.classes)
