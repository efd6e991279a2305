"""Batches of an epoch. Reads and writes nothing.

All sources of images and maps give the same batches, so that training does not depend on the source (only a
streamed one has its own order).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from fgbench.training.randomness import generator

_LEAST_ROWS = 2  # batch normalisation in training cannot take a single row, over all processes


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Rows of one batch.

    Attributes:
        images: (B, 3, H, W) uint8 RGB, or (B, R, C, h, w) float32 maps, on the device.
        index: (B,) int64 indices of the samples in the list, on the same device.
    """

    images: Tensor
    index: Tensor

    def __len__(self) -> int:
        return self.images.shape[0]


class Batches(Protocol):
    """The batches of an epoch; all iterations give the same."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Batch]: ...


class Source(Protocol):
    """Images of a list of samples, or features computed from them."""

    def __len__(self) -> int:
        """Number of samples."""

    def batches(
        self, *, epoch: int, seed: int, batch: int, shuffle: bool, rank: int = 0, world: int = 1
    ) -> Batches:
        """Return this process's rows of every batch of an epoch; the processes share each sample once.

        Args:
            epoch: Number of the epoch, from 0.
            seed: Seed of the run. Order and batches depend on ``seed`` and ``epoch`` alone.
            batch: Samples per batch, over all processes.
            shuffle: Whether the order is random; else the source fixes it.
            rank: Index of this process.
            world: Number of processes. All have as many batches; process 0 has rows in each.
        """


@dataclass(frozen=True, slots=True, eq=False)
class Slices:
    """Indices of an epoch's samples, cut into batches.

    Attributes:
        order: (N,) int64 indices in the order of the epoch.
        batch: Samples per batch, over all processes.
        rank: Index of this process.
        world: Number of processes.
    """

    order: Tensor
    batch: int
    rank: int = 0
    world: int = 1

    def __len__(self) -> int:
        return batch_count(len(self.order), self.batch)

    def __iter__(self) -> Iterator[Tensor]:
        last = len(self) - 1
        for number in range(len(self)):
            end = len(self.order) if number == last else (number + 1) * self.batch
            rows = self.order[number * self.batch : end]
            start, stop = share(len(rows), self.rank, self.world)
            yield rows[start:stop]


def epoch_order(n: int, *, seed: int, epoch: int, shuffle: bool) -> Tensor:
    """Return the indices 0 to n - 1 in the order of an epoch, (n,) int64 on the CPU."""
    return torch.randperm(n, generator=generator(seed, "order", epoch)) if shuffle else torch.arange(n)


def batch_count(n: int, batch: int) -> int:
    """Return the number of batches of ``n`` samples; a rest of one sample joins the batch before it."""
    whole, rest = divmod(n, batch)
    return whole if whole and rest < _LEAST_ROWS else whole + (rest > 0)


def share(n: int, rank: int, world: int) -> tuple[int, int]:
    """Return the first row, and the row after the last, of a process in a batch of ``n`` rows.

    Shares differ by at most one row. With fewer rows than processes the last processes have none.
    """
    parts = max(1, min(world, n))
    return min(rank, parts) * n // parts, min(rank + 1, parts) * n // parts
