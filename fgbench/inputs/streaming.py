"""Pictures that do not fit in memory: read from the manifests and decoded while the network computes.

Reads Parquet files, row group after row group, in a window-shuffled order: row groups come in a random
order, and the rows of some consecutive ones (a *window*) are shuffled together. A window of as many rows as
there are samples is a full shuffle.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from fgbench.inputs.batching import Batch, Batches, Slices
from fgbench.inputs.manifest_pictures import FACE_PX, Stored, decode_into, read_encoded
from fgbench.training.randomness import generator

WINDOW_ROWS = 4096
"""Rows that are shuffled together: 16 row groups, about 80 MB of encoded faces."""


class Streamed:
    """A source that reads from the disk; see :class:`fgbench.inputs.batching.Source`.

    Every process reads all row groups but decodes only its own rows. At most two windows and a batch of
    encoded pictures, and ``jobs + 1`` decoded batches are held.

    Args:
        stored: Positions of the pictures in the files.
        device: Device of the batches.
        jobs: Threads that decode; results do not depend on them.
        window_rows: Rows that are shuffled together, at least.
    """

    def __init__(
        self, stored: Stored, *, device: torch.device, jobs: int, window_rows: int = WINDOW_ROWS
    ) -> None:
        self._stored = stored
        self._device = device
        self._jobs = max(1, jobs)
        self._window_rows = window_rows

    def __len__(self) -> int:
        return len(self._stored)

    def batches(
        self, *, epoch: int, seed: int, batch: int, shuffle: bool, rank: int = 0, world: int = 1
    ) -> Batches:
        """Return batches of an epoch; without ``shuffle`` in the order of storage."""
        sizes = [len(indices) for indices in self._stored.indices]
        random = generator(seed, "streamed order", epoch)
        units = torch.randperm(len(sizes), generator=random) if shuffle else torch.arange(len(sizes))
        windows = windows_of(units.tolist(), sizes, self._window_rows)
        order = [torch.empty(0, dtype=torch.int64)]
        for window in windows:
            indices = torch.from_numpy(np.concatenate([self._stored.indices[unit] for unit in window]))
            order.append(indices[torch.randperm(len(indices), generator=random)] if shuffle else indices)
        return _Epoch(
            stored=self._stored,
            slices=Slices(torch.cat(order), batch, rank, world),
            windows=windows,
            jobs=self._jobs,
            device=self._device,
        )


def windows_of(units: Iterable[int], sizes: Sequence[int], rows: int) -> list[list[int]]:
    """Group units, in their order, into windows of at least ``rows`` rows (the last may have fewer)."""
    windows: list[list[int]] = []
    filled = rows
    for unit in units:
        if filled >= rows:
            windows.append([])
            filled = 0
        windows[-1].append(unit)
        filled += sizes[unit]
    return windows


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Epoch:
    stored: Stored
    slices: Slices
    windows: list[list[int]]
    jobs: int
    device: torch.device

    def __len__(self) -> int:
        return len(self.slices)

    def __iter__(self) -> Iterator[Batch]:
        """Iterate over batches in order; threads read and decode ahead, and end with the iteration."""
        reader = ThreadPoolExecutor(1, thread_name_prefix="read")
        decoders = ThreadPoolExecutor(self.jobs, thread_name_prefix="decode")
        ahead: deque[tuple[Tensor, Future[Tensor]]] = deque()
        try:
            for index, encoded in self._encoded(reader):
                ahead.append((index, decoders.submit(self._decode, index, encoded)))
                if len(ahead) > self.jobs:
                    yield self._batch(*ahead.popleft())
            while ahead:
                yield self._batch(*ahead.popleft())
        finally:
            reader.shutdown(wait=True, cancel_futures=True)
            decoders.shutdown(wait=True, cancel_futures=True)

    def _encoded(self, reader: ThreadPoolExecutor) -> Iterator[tuple[Tensor, list[bytes]]]:
        """Iterate over indices and encoded pictures of each batch; the next window is read meanwhile."""
        if not self.windows:
            return
        own = np.zeros(len(self.stored), np.bool_)
        for index in self.slices:
            own[index.numpy()] = True
        held: dict[int, bytes] = {}
        coming = reader.submit(self._read, 0, own)
        read = 0
        for index in self.slices:
            indices = index.tolist()
            while any(i not in held for i in indices):
                held |= coming.result()
                read += 1
                if read < len(self.windows):
                    coming = reader.submit(self._read, read, own)
            yield index, [held.pop(i) for i in indices]

    def _read(self, window: int, own: np.ndarray) -> dict[int, bytes]:
        encoded: dict[int, bytes] = {}
        for unit in self.windows[window]:
            indices = self.stored.indices[unit]
            wanted = own[indices]
            encoded |= zip(indices[wanted].tolist(), read_encoded(self.stored, unit, wanted), strict=True)
        return encoded

    def _decode(self, index: Tensor, encoded: list[bytes]) -> Tensor:
        images = torch.empty(
            (len(encoded), 3, FACE_PX, FACE_PX), dtype=torch.uint8, pin_memory=self.device.type == "cuda"
        )
        planes = images.numpy()
        for row, (sample, data) in enumerate(zip(index.tolist(), encoded, strict=True)):
            decode_into(planes[row], data, self.stored.names[sample])
        return images

    def _batch(self, index: Tensor, images: Future[Tensor]) -> Batch:
        # From pinned memory the copy runs beside the network.
        return Batch(images.result().to(self.device, non_blocking=True), index.to(self.device))
