"""Batches of samples and their score, for tasks of classification."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from fgbench.config import OptimiserConfig
from fgbench.evaluation import metrics
from fgbench.inputs.batching import Batch, Batches, Source
from fgbench.inputs.crops import draw_views


class _Samples(Protocol):
    @property
    def sample_ids(self) -> Sequence[str]: ...


def class_uar(truth: npt.NDArray[np.int64], probabilities: npt.NDArray[np.float32]) -> float:
    """Return the mean accuracy of the classes with samples, of classes (N,) and (N, K); NaN without any."""
    counts = metrics.confusion_matrix(truth, probabilities.argmax(axis=1), n_classes=probabilities.shape[1])
    return metrics.uar(counts)


class _Faces(_Samples, Protocol):
    @property
    def labels(self) -> Tensor: ...

    @property
    def inputs(self) -> Source: ...

    def __len__(self) -> int: ...


def probabilities_in_order(
    inputs: Source, predict: Callable[[Tensor], Tensor], *, batch: int, n_classes: int
) -> npt.NDArray[np.float32]:
    """Return probabilities (N, K) in the order of a list, whatever that of its batches is.

    Args:
        inputs: N pictures or features.
        predict: From a batch of them to logits (B, K).
        batch: B.
        n_classes: K.
    """
    probabilities, rows = [np.empty((0, n_classes), np.float32)], [np.empty(0, np.int64)]
    for one in inputs.batches(epoch=0, seed=0, batch=batch, shuffle=False):
        probabilities.append(predict(one.images).float().softmax(1).cpu().numpy())
        rows.append(one.index.cpu().numpy())
    ordered: npt.NDArray[np.float32] = np.concatenate(probabilities)[np.argsort(np.concatenate(rows))]
    return ordered


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


class OverMirroredFaces(OverSamples):
    """The same for faces that are mirrored at random; every epoch draws anew which.

    Args:
        train: Samples to train on.
        optimiser: Section of the recipe.
        seed: Seed of the order and the mirroring.
        flip: Whether faces are mirrored.
    """

    def __init__(self, train: _Faces, optimiser: OptimiserConfig, seed: int, *, flip: bool) -> None:
        super().__init__(train, optimiser, seed)
        self._train, self._flip = train, flip
        self._epoch, self._mirrored = -1, torch.empty(0)

    def batches(self, *, epoch: int, rank: int, world: int) -> Batches:
        """Training samples in the order of an epoch."""
        if epoch != self._epoch:
            # The same draw as that of kept features, so that both train on the same views.
            views = draw_views(len(self._train), 1 + self._flip, seed=self._seed, epoch=epoch)
            self._mirrored = views.bool().to(self._train.labels.device)
            self._epoch = epoch
        return self.shuffled(self._train.inputs, epoch=epoch, rank=rank, world=world)
