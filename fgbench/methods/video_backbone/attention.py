"""Attention over the features of a clip's pieces, as a task of the training loop.

Suffixes of tensors: B clips of a batch, N pieces of the longest, F features, K classes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from fgbench.config import OptimiserConfig
from fgbench.config.video_backbones import PooledAttentionConfig
from fgbench.inputs.batching import Slices, epoch_order
from fgbench.methods._networks.sample_batches import class_uar
from fgbench.methods.backbone.frozen import Floats
from fgbench.methods.video_backbone.clip_features import ClipFeatures
from fgbench.models.nan import SpatialStream
from fgbench.runs.samples import Sample

_TEST_BATCH = 64


def attention_of(config: PooledAttentionConfig, *, n_in: int, n_classes: int) -> SpatialStream:
    """Build the network: projection, normalisation, two attention blocks, classifier.

    Args:
        config: Section of the recipe.
        n_in: Features of a piece.
        n_classes: Number of classes.
    """
    return SpatialStream(
        n_in,
        n_features=config.size,
        normalise=config.normalise,
        dropout=config.dropout,
        n_fine=n_classes,
        n_basic=0,
    )


@dataclass(frozen=True, slots=True, eq=False)
class PieceBatch:
    """Clips of a batch.

    Attributes:
        index: (B,) int64 their indices, on the CPU.
        features: (B, N, F) of their pieces, on the device; zeros where there is none.
        mask: (B, N) bool, where there is one.
    """

    index: Tensor
    features: Tensor
    mask: Tensor

    def __len__(self) -> int:
        return len(self.index)


@dataclass(frozen=True, slots=True, eq=False)
class PieceBatches:
    """The batches of an epoch.

    Attributes:
        features: Features of clips.
        samples: The clips.
        slices: Their indices, in batches.
        device: Device of the batches.
    """

    features: ClipFeatures
    samples: Sequence[Sample]
    slices: Slices
    device: torch.device

    def __len__(self) -> int:
        return len(self.slices)

    def __iter__(self) -> Iterator[PieceBatch]:
        for index in self.slices:
            rows = [self.features.of(self.samples[number]) for number in index.tolist()]
            most = max((len(one) for one in rows), default=1)
            padded = torch.zeros(len(rows), most, self.features.values.shape[1])
            mask = torch.zeros(len(rows), most, dtype=torch.bool)
            for at, one in enumerate(rows):
                padded[at, : len(one)], mask[at, : len(one)] = one, True
            yield PieceBatch(index, padded.to(self.device), mask.to(self.device))


class AttentionTask:
    """Training and validation of attention; see :class:`fgbench.training.task.Task`.

    Args:
        model: The network.
        optimiser: Section of the recipe.
        features: Features of clips.
        train: Clips to train on.
        selection: Clips on which the epoch is chosen, by the mean accuracy of the classes.
        labels: Classes of both, int64, as indices in the label set.
        seed: Seed of the order.
        device: Device of the network.
    """

    def __init__(
        self,
        model: SpatialStream,
        optimiser: OptimiserConfig,
        features: ClipFeatures,
        *,
        train: Sequence[Sample],
        selection: Sequence[Sample],
        labels: tuple[Sequence[int], Sequence[int]],
        seed: int,
        device: torch.device,
    ) -> None:
        self.model = model
        self._batch, self._features, self._seed, self._device = optimiser.batch, features, seed, device
        self._train, self._selection = train, selection
        self._labels = torch.tensor(list(labels[0]), dtype=torch.int64, device=device)
        self._truth = np.array(labels[1], np.int64)

    def groups(self) -> list[dict[str, Any]]:
        """All parameters, at one rate."""
        return [{"params": list(self.model.parameters())}]

    def batches(self, *, epoch: int, rank: int, world: int) -> PieceBatches:
        """Training clips in the order of an epoch."""
        order = epoch_order(len(self._train), seed=self._seed, epoch=epoch, shuffle=True)
        slices = Slices(order, self._batch, rank, world)
        return PieceBatches(self._features, self._train, slices, self._device)

    def rows(self, batch: PieceBatch) -> int:
        """Clips of a batch."""
        return len(batch)

    def loss(self, batch: PieceBatch, *, epoch: int) -> tuple[Tensor, dict[str, Tensor]]:
        """Cross entropy."""
        logits_BK = self.model(batch.features, batch.mask).fine
        return functional.cross_entropy(logits_BK.float(), self._labels[batch.index.to(self._device)]), {}

    def ids(self, batch: PieceBatch) -> Sequence[str]:
        """Ids of the clips of a batch."""
        return [self._train[row].sample_id for row in batch.index.tolist()]

    def score(self) -> dict[str, float]:
        """Mean accuracy of the classes on the selection clips."""
        probabilities, _ = attend(self.model, self._features, self._selection, self._device)
        return {"score": class_uar(self._truth, probabilities)}


@torch.no_grad()
def attend(
    model: SpatialStream, features: ClipFeatures, samples: Sequence[Sample], device: torch.device
) -> tuple[Floats, list[Floats]]:
    """Return probabilities (N, K) of clips, and the weights (2, n) of both blocks on the pieces of each.

    Args:
        model: In evaluation mode.
        features: Features of clips.
        samples: The clips.
        device: Device of the network.
    """
    slices = Slices(epoch_order(len(samples), seed=0, epoch=0, shuffle=False), _TEST_BATCH)
    probabilities: list[Floats] = [np.empty((0, model.heads.fine.out_features), np.float32)]
    weights: list[Floats] = []
    for batch in PieceBatches(features, samples, slices, device):
        outputs = model(batch.features, batch.mask)
        probabilities.append(outputs.probabilities().cpu().numpy())
        assert outputs.weights is not None
        for row, exists in zip(outputs.weights.float().cpu(), batch.mask.cpu(), strict=True):
            weights.append(row[:, exists].numpy())
    return np.concatenate(probabilities), weights
