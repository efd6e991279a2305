"""An unfinished file of maps: continued image by image, with a checksum of each."""

from __future__ import annotations

import os
import shutil
import zlib
from math import prod
from pathlib import Path
from typing import Annotated, Any, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fgbench.callbacks import Note
from fgbench.errors import FgbenchError, ResourceError
from fgbench.storage import read_json, write_json

Length = Annotated[int, Field(ge=0)]


class _Progress(BaseModel):
    """``maps-<RR>.progress.json``: finished images of an unfinished file, with the CRC-32 of each row."""

    model_config = ConfigDict(strict=True)

    n_images: int
    shape: Annotated[list[Length], Field(min_length=5, max_length=5)]
    done: str
    checks: str


_Shape = TypeVar("_Shape", bound=BaseModel)


def read_record(path: Path, shape: type[_Shape]) -> _Shape | None:
    """Read a JSON file of a shape; ``None`` if it is missing, unreadable, or has another shape."""
    try:
        return shape.model_validate(read_json(path))
    except (FgbenchError, OSError, ValidationError, RecursionError):
        return None


class UnfinishedMaps:
    """An unfinished file of maps: which images are done, and their rows in the file."""

    def __init__(self, target: Path, n_images: int, note: Note, *, item_bytes: int = 2) -> None:
        self.path = target.with_suffix(".partial")
        self.record = target.with_suffix(".progress.json")
        self.done = np.zeros(n_images, np.bool_)
        self._item_bytes = item_bytes
        self.shape: tuple[int, ...] | None = None
        self._checks = np.zeros(n_images, np.uint32)
        progress = read_record(self.record, _Progress)
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
        if (len(bits), len(checks), size) != (
            -(-n_images // 8),
            4 * n_images,
            n_images * self._row_bytes(shape),
        ):
            return False
        self.done = np.unpackbits(np.frombuffer(bits, np.uint8), count=n_images).astype(np.bool_)
        self._checks = np.frombuffer(checks, np.uint32).copy()
        self.shape = shape
        return True

    def _drop_damaged(self) -> int:
        """Mark rows with another checksum as not done; return their number."""
        assert self.shape is not None
        length, damaged = self._row_bytes(self.shape), 0
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
            needed, free = (
                len(self.done) * self._row_bytes(self.shape),
                shutil.disk_usage(self.path.parent).free,
            )
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

    def _row_bytes(self, shape: tuple[int, ...]) -> int:
        return self._item_bytes * prod(shape)
