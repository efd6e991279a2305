"""Last maps of a frozen trunk by image and view: batches of an epoch, sent to the device ahead of use."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import torch
from torch import Tensor

from fgbench.inputs.batching import Batch, Batches, Slices, epoch_order
from fgbench.inputs.crops import draw_views

_AHEAD = 2


class KeptMaps:
    """A source of maps; see :class:`fgbench.inputs.batching.Source`. Its batches hold float32 maps.

    Args:
        maps: (N, V, R, C, h, w) float16: on the CPU (also a mapped file), or on the device.
        device: Device of the batches.
    """

    def __init__(self, maps: Tensor, *, device: torch.device) -> None:
        self._maps = maps
        self._device = device

    def __len__(self) -> int:
        return self._maps.shape[0]

    def view(self, number: int) -> Tensor:
        """Return the maps of one view of all images, (N, R, C, h, w) float16, on the device."""
        return self._maps[:, number].to(self._device)

    def rows(self, images: Tensor, views: Tensor) -> Tensor:
        """Return one kept map of each image, by indices and views (...) int64 on the CPU.

        Returns:
            (..., C h w) float32 on the device.
        """
        n_views = self._maps.shape[1]
        flat = self._maps.flatten(0, 1).flatten(1)
        kept = flat.index_select(0, (images * n_views + views).flatten().to(flat.device))
        return kept.to(self._device).float().unflatten(0, images.shape)

    def batches(
        self, *, epoch: int, seed: int, batch: int, shuffle: bool, rank: int = 0, world: int = 1
    ) -> Batches:
        """Return batches of an epoch: with ``shuffle`` of the views of
        :func:`fgbench.inputs.crops.draw_views`, else of view 0 in the order of the list."""
        n, n_views = self._maps.shape[:2]
        order = epoch_order(n, seed=seed, epoch=epoch, shuffle=shuffle)
        views = torch.zeros(n, dtype=torch.int64)
        if shuffle:
            views = draw_views(n, n_views, seed=seed, epoch=epoch)
        rows = torch.arange(n) * n_views + views
        device = self._maps.device
        return _Epoch(self._maps, rows.to(device), Slices(order.to(device), batch, rank, world), self._device)


@dataclass(frozen=True, slots=True, eq=False)
class _Epoch:
    maps: Tensor
    rows: Tensor
    slices: Slices
    device: torch.device

    def __len__(self) -> int:
        return len(self.slices)

    def __iter__(self) -> Iterator[Batch]:
        if self.maps.device.type == self.device.type:
            for index in self.slices:
                yield Batch(self._take(index).float(), index)
            return
        # Maps are read from the file and transferred while the network computes.
        with ThreadPoolExecutor(1, thread_name_prefix="maps") as reader:
            ahead: deque[tuple[Tensor, Future[Tensor]]] = deque()
            for index in self.slices:
                ahead.append((index, reader.submit(self._pinned, index)))
                if len(ahead) > _AHEAD:
                    yield self._sent(*ahead.popleft())
            while ahead:
                yield self._sent(*ahead.popleft())

    def _take(self, index: Tensor) -> Tensor:
        return self.maps.flatten(0, 1).index_select(0, self.rows[index])

    def _pinned(self, index: Tensor) -> Tensor:
        taken = self._take(index)
        return taken.pin_memory() if self.device.type == "cuda" else taken

    def _sent(self, index: Tensor, taken: Future[Tensor]) -> Batch:
        return Batch(taken.result().to(self.device, non_blocking=True).float(), index.to(self.device))
