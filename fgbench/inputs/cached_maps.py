"""Last maps of a frozen trunk for every view of every image, kept in a file.

Layout, below a folder that the caller names by a fingerprint of all that the maps depend on::

    maps-<RR>.f16        float16 (little-endian) N x V x R x C x h x w: images, views, maps of an image
    maps-<RR>.json       their key, size and SHA-256 of the file; written last
    maps-<RR>.partial    the unfinished file; maps-<RR>.progress.json: its images, with checksums

Files are never changed once they are complete, so that several runs may read them. The SHA-256 is compared
when a process first opens a file (about 1.5 GB/s on one core, plus reading the disk), the checksums when an
unfinished file is continued; damage is reported and repaired, and records of another shape are ignored.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
import zlib
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from math import prod
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from torch import Tensor

from fgbench.callbacks import Note, Progress, ignore
from fgbench.errors import ConfigError, FgbenchError, ResourceError
from fgbench.files.hashing import digest_file
from fgbench.inputs.batching import Batch, Batches, Slices, Source, epoch_order
from fgbench.inputs.crops import draw_views
from fgbench.inputs.resident import fits
from fgbench.storage import exclusive, explained, read_json, write_json

Compute = Callable[[Tensor, int], Tensor]
"""Computes maps (B, R, C, h, w) of images (B, 3, H, W) uint8 and the index of a view."""

_SAVE_EVERY_S = 10.0
_AHEAD = 2

_Length = Annotated[int, Field(ge=0)]


class _Record(BaseModel):
    """``maps-<RR>.json``: complete maps."""

    model_config = ConfigDict(strict=True)

    key: dict[str, Any]
    shape: Annotated[list[_Length], Field(min_length=6, max_length=6)]
    dtype: Literal["float16"]
    bytes: int
    sha256: str


class _Progress(BaseModel):
    """``maps-<RR>.progress.json``: finished images of an unfinished file, with the CRC-32 of each row."""

    model_config = ConfigDict(strict=True)

    n_images: int
    shape: Annotated[list[_Length], Field(min_length=5, max_length=5)]
    done: str
    checks: str


_Shape = TypeVar("_Shape", bound=BaseModel)


def _read(path: Path, shape: type[_Shape]) -> _Shape | None:
    """Read a JSON file of a shape; ``None`` if it is missing, unreadable, or has another shape."""
    try:
        return shape.model_validate(read_json(path))
    except (FgbenchError, OSError, ValidationError, RecursionError):
        return None


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
    note: Note = ignore,
) -> KeptMaps:
    """Return maps of all views of all images: those of the folder, else newly computed and kept there.

    Maps of a killed process are used. Of maps with more regions the first are taken.

    Args:
        folder: Folder of these maps only; its name should be a digest of ``key``.
        key: All that the maps depend on, except their number per image, as plain values.
        images: The images, N.
        n_views: Views of an image, V.
        n_maps: Maps of a view to return, R.
        n_made: Maps of a view that ``compute`` returns, at least ``n_maps``: more serve later runs.
        compute: Computes them.
        batch: Images per call of ``compute``.
        device: Device of the batches.
        resident_mb: MiB of its memory that maps may take; more are read from the file.
        progress: Called with ``("maps", images done, images)``.
        note: Called with a sentence on damaged files that are computed again.

    Raises:
        ResourceError: If the disk is full or has too little room, or another process makes the same maps.
        ConfigError: If maps exceed the range of float16.
    """

    def existing(note: Note) -> Tensor | None:
        return find_maps(folder, key, n_images=len(images), n_views=n_views, n_maps=n_maps, note=note)

    maps = existing(note)
    if maps is None:
        with exclusive(folder):
            # Another process may have made them in between.
            maps = existing(ignore)
            if maps is None:
                made = (n_views, n_made)
                _make(folder, key, images, made, compute, batch=batch, progress=progress, note=note)
                maps = existing(note)
    assert maps is not None
    if device.type == "cuda" and fits(maps.numel() * 2, device=device, resident_mb=resident_mb):
        maps = maps.to(device)
    return KeptMaps(maps, device=device)


def find_maps(
    folder: Path,
    key: Mapping[str, Any],
    *,
    n_images: int,
    n_views: int,
    n_maps: int,
    note: Note = ignore,
) -> Tensor | None:
    """Find complete and undamaged maps of a folder: (N, V, n_maps, C, h, w) float16, a memory-mapped file.

    Returns:
        ``None`` if there are none of this key, or of fewer regions only.
    """
    for path in sorted(folder.glob("maps-*.json")):
        record = _read(path, _Record)
        if record is None or record.key != dict(key):
            continue
        shape = tuple(record.shape)
        if shape[:2] != (n_images, n_views) or shape[2] < n_maps:
            continue
        data = path.with_suffix(".f16")
        fault = _fault(data, record)
        if fault is None:
            return torch.from_numpy(_mapped(data, shape))[:, :, :n_maps]
        note(f"{data} {fault}: it is made again")
    return None


def _fault(data: Path, record: _Record) -> str | None:
    """Return why a file does not match its record; ``None`` if it does."""
    try:
        size = data.stat().st_size
        if not size == record.bytes == 2 * prod(record.shape):
            return f"is damaged ({size} bytes, expected {record.bytes})"
        return (
            None if _digest(data) == record.sha256 else "is damaged (its SHA-256 is not that of its record)"
        )
    except OSError as error:
        return f"is missing or cannot be read ({error.strerror})"


def _digest(path: Path) -> str:
    """Return the SHA-256 of a file, which is read once per process unless it changes."""
    stat = path.stat()
    return _digest_of(path.absolute(), (stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns))


@lru_cache(maxsize=64)
def _digest_of(path: Path, stamp: tuple[int, ...]) -> str:
    return digest_file(path)


def _mapped(path: Path, shape: tuple[int, ...]) -> np.ndarray:
    if not prod(shape):
        return np.empty(shape, np.float16)
    # Copy on write: torch needs writable arrays, and the file must not change.
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
    note: Note,
) -> None:
    """Compute the missing maps and give the complete file its name."""
    assert sys.byteorder == "little", "maps are written as the machine has them"
    for link in filter(Path.is_symlink, sorted(folder.glob("maps-*.partial"))):
        link.unlink()  # it would be written through
    target = folder / f"maps-{shape[1]:02d}.f16"
    target.with_suffix(".json").unlink(missing_ok=True)
    unfinished = _Unfinished(target, len(images), note)
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
    record = _Record(
        key=dict(key), shape=full, dtype="float16", bytes=target.stat().st_size, sha256=_digest(target)
    )
    write_json(target.with_suffix(".json"), record.model_dump())
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
    """An unfinished file of maps: which images are done, and their rows in the file."""

    def __init__(self, target: Path, n_images: int, note: Note) -> None:
        self.path = target.with_suffix(".partial")
        self.record = target.with_suffix(".progress.json")
        self.done = np.zeros(n_images, np.bool_)
        self.shape: tuple[int, ...] | None = None
        self._checks = np.zeros(n_images, np.uint32)
        progress = _read(self.record, _Progress)
        if progress is None or progress.n_images != n_images or not self._resume(progress):
            self.path.unlink(missing_ok=True)
            return
        if damaged := self._drop_damaged():
            note(f"{self.path} is damaged: {damaged} of its images are made again")

    def _resume(self, progress: _Progress) -> bool:
        """Continue from a record; return ``False`` if it does not match the file."""
        n_images, shape = progress.n_images, tuple(progress.shape)
        try:
            bits, checks = bytes.fromhex(progress.done), bytes.fromhex(progress.checks)
            size = self.path.stat().st_size
        except (ValueError, OSError):
            return False
        if (len(bits), len(checks), size) != (-(-n_images // 8), 4 * n_images, n_images * _row_bytes(shape)):
            return False
        self.done = np.unpackbits(np.frombuffer(bits, np.uint8), count=n_images).astype(np.bool_)
        self._checks = np.frombuffer(checks, np.uint32).copy()
        self.shape = shape
        return True

    def _drop_damaged(self) -> int:
        """Mark rows with another checksum as not done; return their number."""
        assert self.shape is not None
        length, damaged = _row_bytes(self.shape), 0
        with self.path.open("rb") as file:
            for row in np.flatnonzero(self.done).tolist():
                file.seek(row * length)
                if zlib.crc32(file.read(length)) != self._checks[row]:
                    self.done[row] = False
                    damaged += 1
        return damaged

    def write(self, file: Any, index: np.ndarray, maps: np.ndarray) -> None:
        """Write maps (B, V, R, C, h, w) of images into their rows of the file."""
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
        for row, image_maps in zip(index.tolist(), maps, strict=True):
            data = image_maps.tobytes()
            file.seek(row * len(data))
            file.write(data)
            self._checks[row] = zlib.crc32(data)
        self.done[index] = True

    def save(self, file: Any) -> None:
        """Flush the maps to the disk, then record which images are done."""
        if self.shape is None:
            return
        file.flush()
        os.fsync(file.fileno())
        progress = {
            "n_images": len(self.done),
            "shape": list(self.shape),
            "done": np.packbits(self.done).tobytes().hex(),
            "checks": self._checks.tobytes().hex(),
        }
        write_json(self.record, progress)


def _row_bytes(shape: tuple[int, ...]) -> int:
    return 2 * prod(shape)
