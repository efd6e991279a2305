"""Classifiers of clips on the features of their pieces: a head on the mean, or attention.

Suffixes: N clips, P pieces of a clip, D features, K classes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from fgbench.methods.backbone.frozen import Floats
from fgbench.methods.backbone.head import Head, HeadModule
from fgbench.methods.video_backbone.attention import attend
from fgbench.methods.video_backbone.clip_features import ClipFeatures
from fgbench.models.nan import SpatialStream
from fgbench.runs.samples import Sample

SPATIAL = "spatial"
"""The one stream of such a network."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PredictedClips:
    """Predictions of clips; see :class:`fgbench.methods.protocol.PredictedClips`.

    Attributes:
        samples: The clips.
        probabilities: (N, K) float32.
        frames: Numbers of the first frame of each clip's pieces, (P,) int32.
        attention: (2, P) float32 of each clip: weights of both blocks on its pieces; empty without attention.
    """

    samples: Sequence[Sample]
    probabilities: Floats
    frames: Sequence[npt.NDArray[np.int32]] = ()
    attention: Sequence[Floats] = field(default_factory=list)

    @property
    def streams(self) -> Mapping[str, Floats]:
        """The one stream."""
        return {SPATIAL: self.probabilities}

    def fused(self, weight: float) -> Floats:
        """(N, K) probabilities; there is nothing to weigh."""
        return self.probabilities

    def fused_basic(self, weight: float) -> Floats:
        """(N, 0): it has no outputs for the upper classes."""
        return np.zeros((len(self.probabilities), 0), np.float32)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClipClassifier:
    """A classifier of clips: a head on the mean, or attention.

    Attributes:
        head: The head; ``None`` with attention.
        attention: The attention, in evaluation mode on its device; ``None`` without.
        device: Its device.
    """

    head: Head | None
    attention: SpatialStream | None
    device: torch.device

    def predict(self, features: ClipFeatures, samples: Sequence[Sample]) -> PredictedClips:
        """Predict clips."""
        if self.attention is not None:
            probabilities, weights = attend(self.attention, features, samples, self.device)
            frames = [one[:, 0].astype(np.int32) for one in features.frames_of(samples)]
            return PredictedClips(
                samples=samples, probabilities=probabilities, frames=frames, attention=weights
            )
        assert self.head is not None
        means = torch.from_numpy(features.means(samples))
        return PredictedClips(samples=samples, probabilities=self.head.probabilities(means).numpy())

    @torch.no_grad()
    def of_single(self, features_ND: Tensor) -> Floats:
        """Return probabilities (N, K) of clips of one piece."""
        if self.attention is not None:
            rows = features_ND[:, None].to(self.device)
            mask = torch.ones(rows.shape[:2], dtype=torch.bool, device=self.device)
            whole: Floats = self.attention(rows, mask).probabilities().cpu().numpy()
            return whole
        assert self.head is not None
        probabilities: Floats = self.head.probabilities(features_ND).numpy()
        return probabilities

    def module(self) -> nn.Module:
        """Return the module of one clip: features (P, D) to probabilities (1, K) and, with attention, the
        weights (1, 2, P)."""
        return _OneClip(self)


class _OneClip(nn.Module):
    def __init__(self, classifier: ClipClassifier) -> None:
        super().__init__()
        self.attention = classifier.attention
        self.head = None if classifier.head is None else HeadModule(classifier.head)

    def forward(self, features_PD: Tensor) -> tuple[Tensor, ...]:
        if self.attention is not None:
            outputs = self.attention.of_clip(features_PD)
            assert outputs.weights is not None
            return outputs.probabilities(), outputs.weights
        assert self.head is not None
        mean: Tensor = features_PD.mean(0, keepdim=True)
        return (self.head(mean),)
