"""Pictures or maps in memory, on the device if they fit. Reads and writes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from fgbench.inputs.batching import Batch, Batches, Slices, epoch_order

_MIB = 2**20
_DEVICE_SHARE = 0.5  # what images may take of the free memory; networks and their gradients need the rest

RESIDENT_MB = 4096
"""Memory for the faces of an evaluation; more are streamed from disk."""


def fits(n_bytes: int, *, device: torch.device, resident_mb: int) -> bool:
    """Return whether ``n_bytes`` may be kept on a device: within the recipe's limit and, on CUDA, half of its
    free memory."""
    if n_bytes > resident_mb * _MIB:
        return False
    if device.type != "cuda":
        return True
    free, _ = torch.cuda.mem_get_info(device)
    return n_bytes <= _DEVICE_SHARE * free


class Resident:
    """A source of samples in memory; see :class:`fgbench.inputs.batching.Source`.

    Args:
        samples: (N, ...) on the device of the batches.
    """

    def __init__(self, samples: Tensor) -> None:
        self._samples = samples

    def __len__(self) -> int:
        return self._samples.shape[0]

    def batches(
        self, *, epoch: int, seed: int, batch: int, shuffle: bool, rank: int = 0, world: int = 1
    ) -> Batches:
        """Return batches of an epoch; without ``shuffle`` in the order of the list."""
        order = epoch_order(len(self), seed=seed, epoch=epoch, shuffle=shuffle)
        # The order is transferred to the device once, so that no batch waits for it.
        return _Taken(self._samples, Slices(order.to(self._samples.device), batch, rank, world))


@dataclass(frozen=True, slots=True, eq=False)
class _Taken:
    samples: Tensor
    slices: Slices

    def __len__(self) -> int:
        return len(self.slices)

    def __iter__(self) -> Iterator[Batch]:
        for index in self.slices:
            yield Batch(take(self.samples, index), index)


def take(samples: Tensor, index: Tensor) -> Tensor:
    """Return rows of samples (N, ...), copied; on the CPU torch copies bytes slower than larger numbers."""
    flat = samples.flatten(1)
    wide = flat.dtype == torch.uint8 and flat.shape[1] % 8 == 0 and flat.is_contiguous()
    rows = flat.view(torch.int64) if wide else flat
    return rows.index_select(0, index).view(samples.dtype).unflatten(1, samples.shape[1:])
