"""Position on the face of each pixel: the inverse of the projected grid.

The grid's nodes are projected to the picture; for a coarse raster of pixels the grid coordinates are found
by Newton's method, started from the nearest visible nodes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

Field = npt.NDArray[np.float32]

_COARSE = 2
"""Raster cells per side of a cell of the first guess."""
_THINNING = 2
"""Every n-th column and row of the nodes is used for the first guess."""
_LEAST_AREA = np.float32(0.02)
"""Cells of the grid smaller than this share of the largest are taken to face away."""
_FILLING = (3, 7, 15)
"""Sizes of the windows, in cells of the first guess, from which cells without a node are filled."""
_STEPS = 2
_LONGEST_STEP = 3.0
_FARTHEST = np.float32(4.0)
"""Largest distance of a position from its first guess, in nodes; none lies beyond the outline or behind."""
_DAMPING = 0.02


@dataclass(frozen=True, slots=True)
class Window:
    """A part of the picture, covered by a raster of square cells.

    Attributes:
        x, y: Its top left pixel.
        cell: Side of a cell in px.
        columns, rows: Number of cells each way; the window is ``cell`` times as wide and high.
    """

    x: int
    y: int
    cell: int
    columns: int
    rows: int

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in px."""
        return self.columns * self.cell, self.rows * self.cell


def invert(nodes_px: Field, window: Window, *, from_right: bool) -> Field:
    """Grid coordinates at the centres of a raster's cells.

    Args:
        nodes_px: float32 (rows, columns, 2): nodes in the picture.
        window: The raster.
        from_right: Whether columns on the right may be hidden by those on their left (the head turns right).

    Returns:
        float32 (window.rows, window.columns, 2): (column, row); meaningless outside of the face.
    """
    half = 0.5 * (window.cell - 1)
    target_x = (np.arange(window.columns, dtype=np.float32) * window.cell + (window.x + half))[None, :]
    target_y = (np.arange(window.rows, dtype=np.float32) * window.cell + (window.y + half))[:, None]
    slopes = _slopes(nodes_px)
    column, row = cv2.split(_guess(nodes_px, slopes, window, from_right=from_right))
    rows, columns = nodes_px.shape[:2]
    lowest = [np.maximum(start - _FARTHEST, 0.0) for start in (column, row)]
    highest = [np.minimum(start + _FARTHEST, size - 1.0) for start, size in ((column, columns), (row, rows))]
    xc, yc, xr, yr = cv2.split(_sampled(slopes, column, row))
    # Levenberg's step, (J'J + damping) step = J' error, with the derivatives J of the first guess.
    damping = np.float32(_DAMPING) * np.float32(
        0.25 * cv2.norm(nodes_px[1:], nodes_px[:-1]) ** 2 / rows / columns
    )
    a, b, d = xc * xc + yc * yc + damping, xc * xr + yc * yr, xr * xr + yr * yr + damping
    scale = 1.0 / (a * d - b * b)
    for _ in range(_STEPS):
        x, y = cv2.split(_sampled(nodes_px, column, row))
        error_x, error_y = target_x - x, target_y - y
        p, q = (xc * error_x + yc * error_y) * scale, (xr * error_x + yr * error_y) * scale
        column += _limited(d * p - b * q, -_LONGEST_STEP, _LONGEST_STEP)
        row += _limited(a * q - b * p, -_LONGEST_STEP, _LONGEST_STEP)
        column, row = _limited(column, lowest[0], highest[0]), _limited(row, lowest[1], highest[1])
    return np.asarray(cv2.merge([column, row]))


def _limited(values: Field, low: float | Field, high: float | Field) -> Field:
    return np.asarray(cv2.min(cv2.max(values, low), high))


def _sampled(field: Field, column: Field, row: Field) -> Field:
    return np.asarray(cv2.remap(field, column, row, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))


def _slopes(nodes_px: Field) -> Field:
    """Derivatives of x, y by column, then of x, y by row: float32 (rows, columns, 4)."""
    across, down = np.empty_like(nodes_px), np.empty_like(nodes_px)
    half = np.float32(0.5)
    np.multiply(nodes_px[:, 2:] - nodes_px[:, :-2], half, out=across[:, 1:-1])
    np.subtract(nodes_px[:, 1], nodes_px[:, 0], out=across[:, 0])
    np.subtract(nodes_px[:, -1], nodes_px[:, -2], out=across[:, -1])
    np.multiply(nodes_px[2:] - nodes_px[:-2], half, out=down[1:-1])
    np.subtract(nodes_px[1], nodes_px[0], out=down[0])
    np.subtract(nodes_px[-1], nodes_px[-2], out=down[-1])
    return np.asarray(cv2.merge([across, down]))


def _guess(nodes_px: Field, slopes: Field, window: Window, *, from_right: bool) -> Field:
    """Grid coordinates of the nearest visible nodes, spread over the raster."""
    columns, rows = -(-window.columns // _COARSE), -(-window.rows // _COARSE)
    some = nodes_px[::_THINNING, ::_THINNING]
    order, coordinates = _in_order(some.shape[0], some.shape[1], from_right)
    shrink = np.float32(1.0 / (_COARSE * window.cell))
    x = ((some[:, :, 0] - np.float32(window.x)) * shrink).astype(np.int32)
    y = ((some[:, :, 1] - np.float32(window.y)) * shrink).astype(np.int32)
    xc, yc, xr, yr = (slopes[::_THINNING, ::_THINNING, axis] for axis in range(4))
    area = xc * yr - yc * xr  # of a cell of the grid; negative where it is seen from behind
    facing = area > _LEAST_AREA * area.max()
    seen = facing & (x >= 0) & (x < columns) & (y >= 0) & (y < rows)
    # Hidden nodes go to an extra cell at the end; of several nodes in a cell the last one stays.
    cell = np.where(seen, y * columns + x, rows * columns).ravel()[order]
    sums = np.zeros((rows * columns + 1, 3), np.float32)
    sums[cell] = coordinates
    filled = sums[:-1].reshape(rows, columns, 3)
    for size in _FILLING:
        spread = cv2.blur(filled, (size, size), borderType=cv2.BORDER_CONSTANT)
        empty = filled[:, :, 2] == 0.0
        filling = spread[empty]
        weight = filling[:, 2:]
        filled[empty] = np.where(weight > 0.0, filling / np.maximum(weight, np.float32(1e-9)), 0.0)
    enlarged = columns * _COARSE, rows * _COARSE
    whole = cv2.resize(filled[:, :, :2], enlarged, interpolation=cv2.INTER_LINEAR)
    return np.ascontiguousarray(whole[: window.rows, : window.columns])


@lru_cache(maxsize=4)
def _in_order(rows: int, columns: int, from_right: bool) -> tuple[npt.NDArray[np.int64], Field]:
    """Nodes column by column, those that may be hidden first, and their grid coordinates and a 1."""
    row, column = np.divmod(np.arange(rows * columns), columns)
    order = np.argsort(-column if from_right else column, kind="stable")
    coordinates = np.stack([column * _THINNING, row * _THINNING, np.ones_like(row)], axis=1)
    return order, coordinates[order].astype(np.float32)
