"""Last maps of a frozen trunk for every view of every image, kept in a file.

Layout, below a folder that the caller names by a fingerprint of all that decides the maps::

    maps-<RR>.f16        float16 (little-endian) N x V x R x C x h x w: images, views, maps of an image
    maps-<RR>.json       what they are of, and the size of the file; written last
    maps-<RR>.partial    the file while it is made, maps-<RR>.progress.json which images it has

Files are never changed once they are complete, so that several runs may read them; a damaged one is replaced.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from fgbench.errors import ConfigError, ManifestError, ResourceError
from fgbench.storage import exclusive, explained, read_json, write_json
from fgbench.training.batching import Batch, Batches, Slices, Source, epoch_order
from fgbench.training.crops import draw_views
from fgbench.training.place import Progress
from fgbench.training.resident import fits

Compute = Callable[[Tensor, int], Tensor]
"""Makes maps (B, R, C, h, w) of images (B, 3, H, W) uint8 and the number of a view."""

_SAVE_EVERY_S = 10.0
_AHEAD = 2


class KeptMaps:
    """A source of maps; see :class:`fgbench.training.batching.Source`. Its batches hold float32 maps.

    Args:
        maps: (N, V, R, C, h, w) float16: on the CPU (also a mapped file), or on the device.
        device: Where batches are to lie.
    """

    def __init__(self, maps: Tensor, *, device: torch.device) -> None:
        self._maps = maps
        self._device = device

    def __len__(self) -> int:
        return self._maps.shape[0]

    def view(self, number: int) -> Tensor:
        """Maps of one view of all images, (N, R, C, h, w) float16, on the device."""
        return self._maps[:, number].to(self._device)

    def rows(self, places: Tensor, views: Tensor) -> Tensor:
        """What is kept of images, by their places and views (...) int64 on the CPU, one map each.

        Returns:
            (..., C h w) float32 on the device.
        """
        n_views = self._maps.shape[1]
        flat = self._maps.flatten(0, 1).flatten(1)
        found = flat.index_select(0, (places * n_views + views).flatten().to(flat.device))
        return found.to(self._device).float().unflatten(0, places.shape)

    def batches(
        self, *, epoch: int, seed: int, batch: int, shuffle: bool, rank: int = 0, world: int = 1
    ) -> Batches:
        """Batches of an epoch: with ``shuffle`` of the views of :func:`fgbench.training.crops.draw_views`,
        else of view 0 in the order of the list."""
        n, n_views = self._maps.shape[:2]
        order = epoch_order(n, seed=seed, epoch=epoch, shuffle=shuffle)
        views = torch.zeros(n, dtype=torch.int64)
        if shuffle:
            views = draw_views(n, n_views, seed=seed, epoch=epoch)
        rows = torch.arange(n) * n_views + views
        at = self._maps.device
        return _Epoch(self._maps, rows.to(at), Slices(order.to(at), batch, rank, world), self._device)


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
        # The maps are read from the file, and sent, beside the network.
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


def keep_maps(
    folder: Path,
    key: Mapping[str, Any],
    *,
    images: Source,
    n_views: int,
    n_maps: int,
    n_made: int,
    compute: Compute,
    batch: int,
    device: torch.device,
    resident_mb: int,
    progress: Progress,
) -> KeptMaps:
    """Maps of all views of all images: those of the folder, else made now and kept there.

    What a killed process made is used. Maps of more regions serve for fewer: the first are taken.

    Args:
        folder: Of these maps alone; its name should be a digest of ``key``.
        key: All that decides the maps but their number per image, as plain values.
        images: The images, N.
        n_views: Views of an image, V.
        n_maps: Maps of a view that are wanted, R.
        n_made: Maps of a view that ``compute`` makes, at least ``n_maps``: more serve later runs.
        compute: Makes them.
        batch: Images per call of ``compute``.
        device: Where batches are to lie.
        resident_mb: MiB of its memory that maps may take; more are read from the file.
        progress: Told ``("maps", images done, images)``.

    Raises:
        ResourceError: If the disk is full or has too little room, or another process makes the same maps.
        ConfigError: If maps are beyond the range of float16.
    """
    found = find_maps(folder, key, n_images=len(images), n_views=n_views, n_maps=n_maps)
    if found is None:
        with exclusive(folder):
            # Another process may have made them in between.
            found = find_maps(folder, key, n_images=len(images), n_views=n_views, n_maps=n_maps)
            if found is None:
                _make(folder, key, images, (n_views, n_made), compute, batch=batch, progress=progress)
                found = find_maps(folder, key, n_images=len(images), n_views=n_views, n_maps=n_maps)
    assert found is not None
    if device.type == "cuda" and fits(found.numel() * 2, device=device, resident_mb=resident_mb):
        found = found.to(device)
    return KeptMaps(found, device=device)


def find_maps(
    folder: Path, key: Mapping[str, Any], *, n_images: int, n_views: int, n_maps: int
) -> Tensor | None:
    """Complete and undamaged maps of a folder: (N, V, n_maps, C, h, w) float16, a mapped file.

    Returns:
        ``None`` if there are none of this key, or of fewer regions only.
    """
    for path in sorted(folder.glob("maps-*.json")):
        try:
            said = read_json(path)
            shape = tuple(int(length) for length in said["shape"])
            fitting = said["key"] == dict(key) and shape[:2] == (n_images, n_views) and shape[2] >= n_maps
            data = path.with_suffix(".f16")
            if fitting and said["bytes"] == data.stat().st_size == 2 * int(np.prod(shape)):
                return torch.from_numpy(_mapped(data, shape))[:, :, :n_maps]
        except (ManifestError, FileNotFoundError, KeyError, TypeError, ValueError):
            continue  # unfinished or damaged: as if it were not there
    return None


def _mapped(path: Path, shape: tuple[int, ...]) -> np.ndarray:
    if not int(np.prod(shape)):
        return np.empty(shape, np.float16)
    # Copy on write: torch wants arrays that may be written to, and the file is not to be.
    return np.memmap(path, np.float16, mode="c", shape=shape)


def _make(
    folder: Path,
    key: Mapping[str, Any],
    images: Source,
    shape: tuple[int, int],
    compute: Compute,
    *,
    batch: int,
    progress: Progress,
) -> None:
    """Make the maps that are still missing and let the file appear under its name."""
    assert sys.byteorder == "little", "maps are written as the machine has them"
    for link in filter(Path.is_symlink, sorted(folder.glob("maps-*.partial"))):
        link.unlink()  # it would be written through
    target = folder / f"maps-{shape[1]:02d}.f16"
    target.with_suffix(".json").unlink(missing_ok=True)
    unfinished = _Unfinished(target, len(images))
    saved = time.monotonic()
    with explained(target), unfinished.path.open("r+b" if unfinished.path.exists() else "w+b") as file:
        for one in images.batches(epoch=0, seed=0, batch=batch, shuffle=False):
            index = one.index.cpu().numpy()
            fresh = ~unfinished.done[index]
            if fresh.any():
                chosen = one.images[torch.from_numpy(fresh).to(one.images.device)]
                maps = torch.stack([_half(compute(chosen, view)) for view in range(shape[0])], 1)
                assert tuple(maps.shape[1:3]) == shape
                unfinished.write(file, index[fresh], maps.cpu().numpy())
            if time.monotonic() - saved > _SAVE_EVERY_S:
                unfinished.save(file)
                saved = time.monotonic()
            progress("maps", int(unfinished.done.sum()), len(images))
        unfinished.save(file)
    with explained(target):
        unfinished.path.replace(target)
    full = [len(images), *(unfinished.shape or (*shape, 0, 0, 0))]
    said = {"key": dict(key), "shape": full, "dtype": "float16", "bytes": target.stat().st_size}
    write_json(target.with_suffix(".json"), said)
    unfinished.record.unlink(missing_ok=True)


def _half(maps: Tensor) -> Tensor:
    half = maps.half()
    if not bool(half.isfinite().all()):
        raise ConfigError(
            f"activations of the frozen network go up to {float(maps.abs().max()):.3g}, but kept "
            "ones hold numbers up to 65504",
            "set data.keep_maps (InsightFace: freeze_backbone) to false in the recipe",
        )
    return half


class _Unfinished:
    """Maps while they are made: which images are done, and where they are in the file."""

    def __init__(self, target: Path, n_images: int) -> None:
        self.path = target.with_suffix(".partial")
        self.record = target.with_suffix(".progress.json")
        self.done = np.zeros(n_images, np.bool_)
        self.shape: tuple[int, ...] | None = None
        try:
            said = read_json(self.record)
            done = np.unpackbits(np.frombuffer(bytes.fromhex(said["done"]), np.uint8), count=n_images)
            shape = tuple(int(length) for length in said["shape"])
            if said["n_images"] == n_images and self.path.stat().st_size == n_images * _row_bytes(shape):
                self.done, self.shape = done.astype(np.bool_), shape
        except (ManifestError, FileNotFoundError, KeyError, TypeError, ValueError):
            self.path.unlink(missing_ok=True)

    def write(self, file: Any, index: np.ndarray, maps: np.ndarray) -> None:
        """Put maps (B, V, R, C, h, w) of images into their rows of the file."""
        if self.shape is None:
            self.shape = maps.shape[1:]
            needed, free = len(self.done) * _row_bytes(self.shape), shutil.disk_usage(self.path.parent).free
            if needed > free:
                raise ResourceError(
                    f"maps take {needed / 1e9:.1f} GB, but {self.path.parent} has {free / 1e9:.1f} GB free",
                    "free some disk space, or set data.keep_maps (InsightFace: freeze_backbone) to false in "
                    "the recipe",
                )
            file.truncate(needed)
        for place, row in zip(index.tolist(), maps, strict=True):
            file.seek(place * _row_bytes(self.shape))
            file.write(row.tobytes())
        self.done[index] = True

    def save(self, file: Any) -> None:
        """Bring all that is written to the disk, then note which images are done."""
        if self.shape is None:
            return
        file.flush()
        os.fsync(file.fileno())
        said = {
            "n_images": len(self.done),
            "shape": list(self.shape),
            "done": np.packbits(self.done).tobytes().hex(),
        }
        write_json(self.record, said)


def _row_bytes(shape: tuple[int, ...]) -> int:
    return 2 * int(np.prod(shape))
