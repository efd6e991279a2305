"""Batches of samples and their score, for tasks of classification."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from fgbench.config import OptimiserConfig
from fgbench.evaluation import metrics
from fgbench.inputs.batching import Batch, Batches, Source


class _Samples(Protocol):
    @property
    def sample_ids(self) -> Sequence[str]: ...


def class_uar(truth: npt.NDArray[np.int64], probabilities: npt.NDArray[np.float32]) -> float:
    """Return the mean accuracy of the classes with samples, of classes (N,) and (N, K); NaN without any."""
    counts = metrics.confusion_matrix(truth, probabilities.argmax(axis=1), n_classes=probabilities.shape[1])
    return metrics.uar(counts)


class OverSamples:
    """The part of :class:`fgbench.training.task.Task` that is the same for all faces.

    Args:
        train: Samples to train on.
        optimiser: Section of the recipe.
        seed: Seed of the order.
    """

    def __init__(self, train: _Samples, optimiser: OptimiserConfig, seed: int) -> None:
        self._samples = train
        self._batch = optimiser.batch
        self._seed = seed

    def shuffled(self, source: Source, *, epoch: int, rank: int, world: int) -> Batches:
        """Iterate over batches of training samples in the order of an epoch.

        Args:
            source: Their pictures or features, in their order.
            epoch: From 0.
            rank: Index of the process.
            world: Number of processes.
        """
        return source.batches(
            epoch=epoch, seed=self._seed, batch=self._batch, shuffle=True, rank=rank, world=world
        )

    def rows(self, batch: Batch) -> int:
        """Return the number of samples of a batch."""
        return len(batch)

    def ids(self, batch: Batch) -> Sequence[str]:
        """Return the ids of the samples of a batch."""
        return [self._samples.sample_ids[row] for row in batch.index.tolist()]
