"""The grid of reference points that carries colour, relief and light over the head.

Nodes lie on rows of equal height, which bend to end on the jaw, and on columns of equal angle, which run
straight down below the cheeks; both are denser where the face moves most. *Grid coordinates* are floats
(column, row). Maps over the head have finer rasters:

- the relief has :data:`RELIEF` cells per cell of the grid; its pixel ``i`` is at grid coordinate i / RELIEF;
- a texture has ``texels`` pixels per pixel of the relief, placed as an image is enlarged: its pixel ``i`` is
  at relief coordinate (i + 0.5) / texels - 0.5.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from fgbench.synthetic import anatomy
from fgbench.synthetic.anatomy import Points

RELIEF = 2
"""Cells of the relief's raster per cell of the grid, each way."""
TEXELS = 3
"""Pixels of the finest texture per pixel of the relief, each way."""

_WIDEST_RAD = 1.95
_COLUMNS, _ROWS = 89, 97
_TOP_Y, _CHIN_Y = -1.415, 1.360
_JAW_Y = 0.25
"""Height below which rows bend to follow the jaw, and columns hang straight down."""
_LOBE_Y = 0.36
"""Height at which the columns at the ears end."""


@dataclass(frozen=True, slots=True, eq=False)
class Raster:
    """Reference points over the head in rows and columns.

    Attributes:
        angle_rad: float64 (rows, columns): angle of a column about the vertical axis, 0 in front.
        y: float64 (rows, columns): height.
        points: float64 (rows * columns, 4): reference points, row by row.
    """

    angle_rad: npt.NDArray[np.float64]
    y: npt.NDArray[np.float64]
    points: Points

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        rows, columns = self.y.shape
        return rows, columns

    def field(self, axis: int) -> npt.NDArray[np.float32]:
        """Coordinate 0 (x), 1 (y) or 2 (z) of the points as a float32 (rows, columns) field."""
        return np.ascontiguousarray(self.points[:, axis].reshape(self.shape), np.float32)


@lru_cache(maxsize=1)
def grid() -> Raster:
    """The nodes of the grid."""
    return _raster(np.arange(float(_COLUMNS)), np.arange(float(_ROWS)))


@lru_cache(maxsize=1)
def relief() -> Raster:
    """The pixels of the relief's raster."""
    columns, rows = (np.arange((count - 1) * RELIEF + 1) / RELIEF for count in (_COLUMNS, _ROWS))
    return _raster(columns, rows)


@lru_cache(maxsize=1)
def texture() -> Raster:
    """The pixels of the finest texture; those of its rim lie slightly inside of their positions."""
    rows, columns = relief().shape
    x, y = (((np.arange(count * TEXELS) + 0.5) / TEXELS - 0.5) / RELIEF for count in (columns, rows))
    return _raster(x, y)


def coordinates(xy: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Grid coordinates (N, 2), column and row, of positions (N, 2) on the front of the head."""
    x, y = xy.T
    half_width = np.where(y <= _JAW_Y, anatomy.profile(y)[:, 0], _widest())
    angle = np.arcsin(np.clip(x / half_width, -1.0, 1.0))
    level = np.where(y <= _JAW_Y, y, _JAW_Y + (y - _JAW_Y) / _jaw_share(angle))
    column = np.interp(angle, _column_angles(), np.arange(_COLUMNS))
    row = np.interp(level, _row_levels(), np.arange(_ROWS))
    return np.column_stack([column, row])


def in_texture(nodes: npt.NDArray[np.floating], texels: int = TEXELS) -> npt.NDArray[np.floating]:
    """Pixel coordinates in a texture from grid coordinates."""
    return np.asarray((nodes * np.float32(RELIEF) + np.float32(0.5)) * np.float32(texels) - np.float32(0.5))


def enlarged(levels: npt.NDArray[np.uint8], texels: int) -> npt.NDArray[np.uint8]:
    """A picture over the relief's raster at the size of a texture."""
    rows, columns = levels.shape[:2]
    if texels == 1:
        return levels
    return np.asarray(cv2.resize(levels, (columns * texels, rows * texels), interpolation=cv2.INTER_LINEAR))


@lru_cache(maxsize=1)
def front_columns() -> slice:
    """Columns of the front half of the head."""
    front = np.flatnonzero(np.abs(_column_angles()) <= 0.5 * np.pi)
    return slice(int(front[0]), int(front[-1]) + 1)


@lru_cache(maxsize=1)
def jaw_row() -> int:
    """First row that bends to follow the jaw."""
    return int(np.searchsorted(_row_levels(), _JAW_Y, side="right"))


def nearness_to_jaw(rows: int) -> npt.NDArray[np.float32]:
    """Nearness to the jaw of each row of a picture over the head: float32 (rows,), 1 on the jaw."""
    level = np.interp(np.linspace(0.0, _ROWS - 1.0, rows), np.arange(_ROWS), _row_levels())
    return np.asarray(np.clip((level - _JAW_Y) / (_CHIN_Y - _JAW_Y), 0.0, 1.0), np.float32)


def normals(positions: npt.NDArray[np.floating], shape: tuple[int, int]) -> npt.NDArray[np.float32]:
    """Unit normals (rows, columns, 3) of positions (rows * columns, 3), pointing outwards."""
    field = np.asarray(positions, np.float32).reshape(*shape, 3)
    normal = np.cross(np.gradient(field, axis=1), np.gradient(field, axis=0))
    normal /= np.maximum(np.linalg.norm(normal, axis=2, keepdims=True), 1e-12)
    return np.ascontiguousarray(normal, np.float32)


def _raster(columns: npt.NDArray[np.floating], rows: npt.NDArray[np.floating]) -> Raster:
    angle, level = np.meshgrid(
        np.interp(columns, np.arange(_COLUMNS), _column_angles()),
        np.interp(rows, np.arange(_ROWS), _row_levels()),
    )
    hanging = level > _JAW_Y
    share = _jaw_share(angle[0])[None, :]
    y = np.where(hanging, _JAW_Y + (level - _JAW_Y) * share, level)
    half_width = np.interp(y, _fine_heights(), _fine_widths())
    front = np.arcsin(np.clip(_widest() * np.sin(angle) / half_width, -1.0, 1.0))
    behind = np.abs(angle) > 0.5 * np.pi
    straight = np.where(behind, np.sign(angle) * np.pi - front, front)
    xyz = anatomy.surface(np.where(hanging, straight, angle).ravel(), y.ravel())
    lower = anatomy.lower_weight(xyz[:, :2])
    lower[behind.ravel()] *= 0.5
    return Raster(angle_rad=angle, y=y, points=np.column_stack([xyz, lower]))


@lru_cache(maxsize=1)
def _column_angles() -> npt.NDArray[np.float64]:
    fine = np.linspace(-_WIDEST_RAD, _WIDEST_RAD, 2001)
    return _spread(fine, 1.0 + 2.2 / (1.0 + np.exp((np.abs(fine) - 0.78) / 0.10)), _COLUMNS)


@lru_cache(maxsize=1)
def _row_levels() -> npt.NDArray[np.float64]:
    fine = np.linspace(_TOP_Y, _CHIN_Y, 2001)
    eyes = np.exp(-(((fine + 0.07) / 0.20) ** 4))
    mouth = np.exp(-(((fine - 0.86) / 0.22) ** 4))
    return _spread(fine, 1.0 + 1.3 * eyes + 1.3 * mouth + 0.5 * (fine > -0.5), _ROWS)


def _spread(
    fine: npt.NDArray[np.float64], density: npt.NDArray[np.float64], count: int
) -> npt.NDArray[np.float64]:
    """``count`` positions over the range of ``fine``, spaced inversely to a density."""
    length = np.concatenate([[0.0], np.cumsum(0.5 * (density[1:] + density[:-1]))])
    return np.interp(np.linspace(0.0, length[-1], count), length, fine)


@lru_cache(maxsize=1)
def _fine_heights() -> npt.NDArray[np.float64]:
    return np.linspace(_TOP_Y, _CHIN_Y, 2000)


@lru_cache(maxsize=1)
def _fine_widths() -> npt.NDArray[np.float64]:
    return np.ascontiguousarray(anatomy.profile(_fine_heights())[:, 0])


@lru_cache(maxsize=1)
def _widest() -> float:
    return float(anatomy.profile(np.array([_JAW_Y]))[0, 0])


def _jaw_share(angle: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Length of a column below :data:`_JAW_Y`, relative to the one over the chin."""
    below = _fine_heights() >= _JAW_Y
    x = _widest() * np.abs(np.sin(angle))
    end = np.interp(x, _fine_widths()[below][::-1], _fine_heights()[below][::-1])
    end = np.where(np.abs(angle) > 0.5 * np.pi, _LOBE_Y, np.maximum(end, _LOBE_Y))
    return np.asarray((end - _JAW_Y) / (_CHIN_Y - _JAW_Y))
