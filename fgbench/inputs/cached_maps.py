"""Last maps of a frozen trunk for every view of every image, kept in a file.

Layout, below a folder that the caller names by a fingerprint of all that the maps depend on::

    maps-<RR>.f16        float16 (little-endian) N x V x R x C x h x w: images, views, maps of an image;
                         maps-<RR>.f32 where a caller wants float32
    maps-<RR>.json       their key, size and SHA-256 of the file; written last
    maps-<RR>.partial    the unfinished file; maps-<RR>.progress.json: its images, with checksums

Files are never changed once they are complete, so that several runs may read them. The SHA-256 is compared
when a process first opens a file (about 1.5 GB/s on one core, plus reading the disk), the checksums when an
unfinished file is continued; damage is reported and repaired, and records of another shape are ignored.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from functools import lru_cache
from math import prod
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from fgbench.callbacks import Note, Progress, ignore
from fgbench.errors import ConfigError
from fgbench.files.hashing import digest_file
from fgbench.inputs.batching import Source
from fgbench.inputs.map_views import KeptMaps
from fgbench.inputs.resident import fits
from fgbench.inputs.unfinished_maps import Length, UnfinishedMaps, read_record
from fgbench.runs.digests import NUMBERS as SUFFIXES
from fgbench.storage import exclusive, explained, write_json

Compute = Callable[[Tensor, int], Tensor]
"""Computes maps (B, R, C, h, w) of images (B, 3, H, W) uint8 and the index of a view."""

Numbers = Literal["float16", "float32"]
"""Type that maps are kept as."""

_SAVE_EVERY_S = 10.0


class _Record(BaseModel):
    """``maps-<RR>.json``: complete maps."""

    model_config = ConfigDict(strict=True)

    key: dict[str, Any]
    shape: Annotated[list[Length], Field(min_length=6, max_length=6)]
    dtype: Numbers
    bytes: int
    sha256: str


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
    numbers: Numbers = "float16",
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
        numbers: Type that they are kept as.

    Raises:
        ResourceError: If the disk is full or has too little room, or another process makes the same maps.
        ConfigError: If maps exceed the range of the type.
    """

    def existing(note: Note) -> Tensor | None:
        return find_maps(
            folder, key, n_images=len(images), n_views=n_views, n_maps=n_maps, note=note, numbers=numbers
        )

    maps = existing(note)
    if maps is None:
        with exclusive(folder):
            # Another process may have made them in between.
            maps = existing(ignore)
            if maps is None:
                made = (n_views, n_made)
                _make(
                    folder,
                    key,
                    images,
                    made,
                    compute,
                    batch=batch,
                    progress=progress,
                    note=note,
                    numbers=numbers,
                )
                maps = existing(note)
    assert maps is not None
    if device.type == "cuda" and fits(maps.nbytes, device=device, resident_mb=resident_mb):
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
    numbers: Numbers = "float16",
) -> Tensor | None:
    """Find complete and undamaged maps of a folder: (N, V, n_maps, C, h, w), a memory-mapped file.

    Returns:
        ``None`` if there are none of this key, or of fewer regions only.
    """
    for path in sorted(folder.glob("maps-*.json")):
        record = read_record(path, _Record)
        if record is None or record.key != dict(key) or record.dtype != numbers:
            continue
        shape = tuple(record.shape)
        if shape[:2] != (n_images, n_views) or shape[2] < n_maps:
            continue
        data = path.with_suffix(SUFFIXES[numbers])
        fault = _fault(data, record)
        if fault is None:
            return torch.from_numpy(_mapped(data, shape, numbers))[:, :, :n_maps]
        note(f"{data} {fault}: it is made again")
    return None


def _fault(data: Path, record: _Record) -> str | None:
    """Return why a file does not match its record; ``None`` if it does."""
    try:
        size = data.stat().st_size
        if not size == record.bytes == np.dtype(record.dtype).itemsize * prod(record.shape):
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


def _mapped(path: Path, shape: tuple[int, ...], numbers: Numbers) -> np.ndarray:
    if not prod(shape):
        return np.empty(shape, numbers)
    # Copy on write: torch needs writable arrays, and the file must not change.
    return np.memmap(path, numbers, mode="c", shape=shape)


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
    numbers: Numbers,
) -> None:
    """Compute the missing maps and give the complete file its name."""
    assert sys.byteorder == "little", "maps are written as the machine has them"
    for link in filter(Path.is_symlink, sorted(folder.glob("maps-*.partial"))):
        link.unlink()  # it would be written through
    target = folder / f"maps-{shape[1]:02d}{SUFFIXES[numbers]}"
    target.with_suffix(".json").unlink(missing_ok=True)
    unfinished = UnfinishedMaps(target, len(images), note, item_bytes=np.dtype(numbers).itemsize)
    saved = time.monotonic()
    with explained(target), unfinished.path.open("r+b" if unfinished.path.exists() else "w+b") as file:
        for one in images.batches(epoch=0, seed=0, batch=batch, shuffle=False):
            index = one.index.cpu().numpy()
            fresh = ~unfinished.done[index]
            if fresh.any():
                chosen = one.images[torch.from_numpy(fresh).to(one.images.device)]
                maps = torch.stack([_as(numbers, compute(chosen, view)) for view in range(shape[0])], 1)
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
        key=dict(key), shape=full, dtype=numbers, bytes=target.stat().st_size, sha256=_digest(target)
    )
    write_json(target.with_suffix(".json"), record.model_dump())
    unfinished.record.unlink(missing_ok=True)


def _as(numbers: Numbers, maps: Tensor) -> Tensor:
    kept = maps.to(getattr(torch, numbers))
    if numbers == "float32" and not bool(kept.isfinite().all()):
        raise ConfigError(
            "the frozen network gives numbers that are not finite for some pictures, expected finite ones",
            "check what it takes (section input of the recipe), or take another file of it",
        )
    if not bool(kept.isfinite().all()):
        raise ConfigError(
            f"activations of the frozen network go up to {float(maps.abs().max()):.3g}, but kept "
            "ones hold numbers up to 65504",
            "set data.keep_maps (InsightFace: freeze_backbone) to false in the recipe",
        )
    return kept
