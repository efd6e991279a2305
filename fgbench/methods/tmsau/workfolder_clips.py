"""Clips of a work folder, read and predicted by a trained clip network."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fgbench.inputs.clip_set import ClipFrames
from fgbench.methods.protocol import Floats
from fgbench.methods.tmsau.data import OpenClips, open_clips
from fgbench.methods.tmsau.outcome import write_clip_outcome
from fgbench.methods.tmsau.task import PredictedClips, predict_clips
from fgbench.runs.samples import Sample
from fgbench.training.context import TrainingContext

if TYPE_CHECKING:
    from fgbench.methods.tmsau.opened import ClipNetwork


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PredictedHere:
    """Predictions of clips of a work folder; see :class:`fgbench.methods.protocol.PredictedClips`.

    Attributes:
        opened: The clips.
        predicted: Their predictions.
    """

    opened: OpenClips
    predicted: PredictedClips

    @property
    def streams(self) -> Mapping[str, Floats]:
        """By stream: (N, K) probabilities."""
        return self.predicted.streams

    def fused(self, weight: float) -> Floats:
        """Fused (N, K) probabilities of the streams."""
        return self.predicted.fused(weight)

    def fused_basic(self, weight: float) -> Floats:
        """Fused (N, M) probabilities of the upper classes by the streams."""
        return self.predicted.fused_basic(weight)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WorkfolderClips:
    """The clips of a work folder; see :class:`fgbench.methods.protocol.ClipReader`.

    Attributes:
        network: The network.
        context: Context of the run.
        frames: The frames of its clips.
    """

    network: ClipNetwork
    context: TrainingContext
    frames: ClipFrames

    @property
    def clip_ids(self) -> Collection[str]:
        """Ids of the clips with at least one usable face."""
        return self.frames.clip_ids

    def predict(self, samples: Sequence[Sample]) -> PredictedHere:
        """Predict clips of :attr:`clip_ids`, in their order."""
        network, context = self.network, self.context
        clips = self.frames.clip_set(samples, context.labels, context.device)
        opened, _ = open_clips(
            network.config, context, clips, network.image, network.scales, trained_on=False, grey=network.grey
        )
        return PredictedHere(opened=opened, predicted=predict_clips(network.model, opened))

    def write(self, folder: Path, parts: Mapping[str, PredictedHere]) -> None:
        """Write ``streams.parquet``, and ``attention.parquet`` where the network attends."""
        outcomes = {part: (one.opened, one.predicted) for part, one in parts.items()}
        write_clip_outcome(folder, outcomes, self.network.classes)
