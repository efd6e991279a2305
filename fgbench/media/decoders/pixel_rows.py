"""Decoder ``pixel_rows``: a row of a table of pixels as a clip of one frame (``fer2013.csv``).

Reads ``<table>.csv/<row>``: row 0 is the first after the line of column names. The column ``pixels`` holds
grey levels from 0 to 255 of a square picture, row by row, separated by spaces. The lines of a table are
located once per process; a row is then read alone.

A row of more than 4 million pixels, or of more than the recipe's limit, is refused: numbers in text take far
more memory than the pixels.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator, Sequence
from functools import lru_cache
from math import isqrt
from pathlib import Path

import numpy as np

from fgbench.errors import MediaError
from fgbench.files.regular_files import open_regular
from fgbench.media.video import DEFAULT_LIMITS, Image, ImageFrame, Limits, VideoInfo, check_indices

COLUMN = "pixels"
_MOST_PX = 4_000_000
_BYTES_PER_PX = 4  # three digits and a space
_OTHER_CELLS_BYTES = 1 << 16
_PIECE_BYTES = 1 << 20


def open_reader(path: Path, limits: Limits = DEFAULT_LIMITS) -> PixelRowReader:
    """Open a row; see :func:`fgbench.media.video.open_video`.

    Raises:
        MediaError: If there is no such row (reason ``missing_file``), or its pixels are not a square of
            numbers from 0 to 255 (``unreadable_image``) or too many (``too_large``).
    """
    return PixelRowReader(_picture(path, min(limits.max_picture_px, _MOST_PX)))


def digest(path: Path) -> str:
    """SHA-256 (hex) of the row's pixels as written in the table."""
    return hashlib.sha256(_cell(path).encode("utf-8")).hexdigest()


class PixelRowReader:
    """Reader of one picture; see :class:`fgbench.media.video.Reader`."""

    def __init__(self, pixels: Image) -> None:
        self._pixels = pixels

    @property
    def info(self) -> VideoInfo:
        """Properties of the row."""
        height, width = self._pixels.shape[:2]
        return VideoInfo(
            container="csv",
            codec="text",
            pixel_format="gray",
            width=width,
            height=height,
            rotation_deg=0,
            fps=None,
            n_frames=1,
            duration_s=None,
        )

    def uneven_times_s(self, indices: Sequence[int]) -> None:
        """Always ``None``: pictures have no times."""

    def frames(self, indices: Sequence[int] | None = None) -> Iterator[ImageFrame]:
        """The picture, as three equal channels; see :meth:`fgbench.media.video.Reader.frames`."""
        if indices is None or 0 in check_indices(indices):
            yield ImageFrame(pixels=self._pixels)

    def close(self) -> None:
        """Do nothing: no file is kept open."""

    def __enter__(self) -> PixelRowReader:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def _picture(path: Path, max_px: int) -> Image:
    """(S, S, 3) uint8."""
    text = _cell(path)
    if len(text) > _BYTES_PER_PX * max_px or text.count(" ") >= max_px:
        raise MediaError(
            f"{path.parent} row {path.name} has more than {max_px:,} pixels, which is the limit",
            "store large pictures as picture files",
            reason="too_large",
        )
    try:
        values = np.array(text.split(), np.int64)
    except (ValueError, OverflowError):
        values = np.array([-1])
    side = isqrt(len(values))
    if not side or side * side != len(values) or values.min() < 0 or values.max() > 255:
        raise MediaError(
            f"{path.parent} row {path.name}: {len(text.split())} pixels, expected a square of numbers from 0 "
            "to 255",
            "download the table again",
            reason="unreadable_image",
        )
    grey = values.reshape(side, side, 1).astype(np.uint8)
    return np.repeat(grey, 3, axis=2)


def _cell(path: Path) -> str:
    table = path.parent
    stat = table.stat()
    column, starts = _lines(table, stat.st_size, stat.st_mtime_ns)
    row = int(path.name) if path.name.isdecimal() else -1
    if not 0 <= row < len(starts):
        raise MediaError(
            f"{table} has no row {path.name}, it has {len(starts)}",
            "download the table again",
            reason="missing_file",
        )
    with open_regular(table) as file:
        file.seek(starts[row])
        line = file.readline(_BYTES_PER_PX * (_MOST_PX + 1) + _OTHER_CELLS_BYTES)
    csv.field_size_limit(max(csv.field_size_limit(), len(line)))
    cells = next(csv.reader([line.decode("utf-8", "replace")]), [])
    return cells[column] if column < len(cells) else ""


@lru_cache(maxsize=4)
def _lines(table: Path, size: int, changed_ns: int) -> tuple[int, tuple[int, ...]]:
    """Column of the pixels, and offsets of the rows in bytes; size and time only identify a table's state."""
    starts = []
    offset = 0
    column = -1
    is_start = True
    with open_regular(table) as file:
        while line := file.readline(_PIECE_BYTES):
            if column < 0:
                head = next(csv.reader([line.decode("utf-8-sig", "replace")]), [])
                names = [name.strip().lower() for name in head]
                if COLUMN not in names:
                    raise MediaError(
                        f"{table} has no column {COLUMN!r}, its first line is {line[:60]!r}",
                        "expected a first line such as emotion,pixels,Usage",
                        reason="unreadable_image",
                    )
                column = names.index(COLUMN)
            elif is_start and line.strip():
                starts.append(offset)
            is_start = line.endswith(b"\n")
            offset += len(line)
    return column, tuple(starts)
