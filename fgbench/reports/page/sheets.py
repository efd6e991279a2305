"""Sheets of small pictures: many faces in one WebP file, which a browser decodes when it first shows one.

Reads the ``images`` tables of the manifests, and the ``faces`` tables for frames that are not in those.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fgbench.errors import MediaError
from fgbench.media.images import decode
from fgbench.records import image_id
from fgbench.storage import read_rows

Picture = npt.NDArray[np.uint8]

COLUMNS = 16
"""Cells in a row of a sheet."""

MOST_CELLS = 256
"""Cells of a sheet, so that a browser decodes no more than about these to show one."""

_WEBP_QUALITY = 72  # compromise of file size and visible detail; ours


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """A sheet of pictures.

    Attributes:
        side_px: Width and height of a cell.
        n_cells: Number of cells, row after row of :data:`COLUMNS`.
        webp: The file.
    """

    side_px: int
    n_cells: int
    webp: bytes


class Sheets:
    """Collects requests for pictures, then reads and packs them.

    The same picture may be requested for several sheets. Pictures that cannot be found or read have no cell.
    """

    def __init__(self) -> None:
        self._wanted: list[tuple[int, list[str]]] = []
        self._side_px: dict[str, int] = {}
        self._pictures: dict[str, Picture] = {}
        self._cells: list[dict[str, int]] = []

    def want(self, names: Sequence[str], *, side_px: int) -> list[int]:
        """Request pictures and return the indices of their sheets, :data:`MOST_CELLS` in each.

        Args:
            names: Ids of images or frames, see :func:`fgbench.records.image_id`.
            side_px: Width and height of each.
        """
        begin = len(self._wanted)
        for name in names:
            self._side_px[name] = max(side_px, self._side_px.get(name, 0))
        for first in range(0, len(names), MOST_CELLS):
            self._wanted.append((side_px, list(names[first : first + MOST_CELLS])))
        return list(range(begin, len(self._wanted)))

    def give(self, name: str, picture: Picture) -> None:
        """Add a requested picture, (H, W, 3) uint8 RGB, that is in no table."""
        self._pictures[name] = square(picture, self._side_px[name])

    def cell_of(self, sheet: int, name: str) -> int:
        """Cell of a picture in a sheet after packing; -1 if there is none."""
        return self._cells[sheet].get(name, -1)

    def pack(self, manifests: Path) -> list[Packed]:
        """Read and pack all requested pictures.

        Args:
            manifests: Folder of the manifests.

        Raises:
            ManifestError: If a table is damaged.
        """
        missing = {name for _, names in self._wanted for name in names} - self._pictures.keys()
        self._read(sorted((manifests / "images").glob("*.parquet")), missing, ["image_id"])
        self._read(sorted((manifests / "faces").glob("*.parquet")), missing, ["clip_id", "frame_index"])
        packed = []
        for side_px, names in self._wanted:
            there = [name for name in names if name in self._pictures]
            self._cells.append({name: cell for cell, name in enumerate(there)})
            packed.append(_packed([self._pictures[name] for name in there], side_px))
        self._pictures.clear()
        return packed

    def _read(self, files: Iterable[Path], missing: set[str], key: list[str]) -> None:
        """Read missing pictures from some tables; a table without any of them is not read further."""
        for path in files:
            if not missing:
                return
            if missing.isdisjoint(_name(row) for row in read_rows(path, key)):
                continue
            for row in read_rows(path, [*key, "image"]):
                name = _name(row)
                if name in missing and row["image"] is not None and row["image"]["bytes"]:
                    try:
                        self._pictures[name] = square(decode(row["image"]["bytes"]), self._side_px[name])
                    except MediaError:
                        continue  # shown without a picture
                    missing.discard(name)


def square(picture: Picture, side_px: int) -> Picture:
    """Largest central square of a picture, resized to ``side_px`` by ``side_px``.

    Args:
        picture: (H, W, 3) uint8 RGB.
        side_px: Width and height wanted.
    """
    import cv2

    height, width = picture.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    middle = picture[top : top + side, left : left + side]
    how = cv2.INTER_AREA if side > side_px else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(middle, (side_px, side_px), interpolation=how), np.uint8)


def _name(row: Mapping[str, Any]) -> str:
    """Id of a row of ``images`` or ``faces``."""
    return str(row["image_id"]) if "image_id" in row else image_id(row["clip_id"], row["frame_index"])


def _packed(pictures: Sequence[Picture], side_px: int) -> Packed:
    import cv2

    across = min(COLUMNS, max(1, len(pictures)))
    down = -(-max(1, len(pictures)) // across)
    canvas = np.zeros((down * side_px, across * side_px, 3), np.uint8)
    for cell, picture in enumerate(pictures):
        top, left = cell // across * side_px, cell % across * side_px
        canvas[top : top + side_px, left : left + side_px] = square(picture, side_px)
    done, data = cv2.imencode(
        ".webp", np.ascontiguousarray(canvas[:, :, ::-1]), [cv2.IMWRITE_WEBP_QUALITY, _WEBP_QUALITY]
    )
    if not done:
        raise MediaError("cannot encode WebP", "install an OpenCV that writes WebP (opencv-python-headless)")
    return Packed(side_px=side_px, n_cells=len(pictures), webp=bytes(data))
