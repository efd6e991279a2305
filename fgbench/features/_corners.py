"""Dense sampling of the points where new trajectories start (Wang et al. 2013, section 2.1).

A point is worth tracking if the smaller eigenvalue of the gradient's auto-correlation matrix (3 x 3 Sobel,
3 x 3 window; Shi and Tomasi 1994) exceeds 0.001 times its maximum over the level.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fgbench.features._rows import Row, kernel

STEP_PX = 5
"""Side of a sampling cell; at most one new trajectory per cell and frame."""

QUALITY = 0.001


@kernel
def _pad(row: Row) -> None:
    """Mirror a row with one free cell on both sides at its edge pixels."""
    row[0] = row[2]
    row[row.size - 1] = row[row.size - 3]


@kernel
def _smooth(dst: Row, a: Row, b: Row, c: Row, middle: float) -> None:
    for x in range(dst.size):
        dst[x] = np.float32(a[x]) + np.float32(middle) * np.float32(b[x]) + np.float32(c[x])


@kernel
def _difference(dst: Row, a: Row, b: Row) -> None:
    for x in range(dst.size):
        dst[x] = np.float32(b[x]) - np.float32(a[x])


@kernel
def _product(dst: Row, a: Row, b: Row) -> None:
    for x in range(dst.size):
        dst[x] = a[x] * b[x]


@kernel
def _smaller_eigenvalue(dst: Row, xx: Row, xy: Row, yy: Row) -> None:
    """Compute twice the smaller eigenvalue of ((xx, xy), (xy, yy))."""
    for x in range(dst.size):
        d = xx[x] - yy[x]
        dst[x] = xx[x] + yy[x] - np.sqrt(d * d + np.float32(4) * xy[x] * xy[x])


@kernel
def _keep_larger(best: Row, new: Row) -> None:
    for x in range(best.size):
        best[x] = new[x] if new[x] > best[x] else best[x]


@kernel
def _gradient_products(
    image: npt.NDArray[np.uint8], y: int, line: Row, gx: Row, gy: Row, out: npt.NDArray[np.float32]
) -> None:
    """Compute the Sobel gradient of a row and its products (xx, xy, yy) as (3, W)."""
    height, width = image.shape
    up, mid, down = image[abs(y - 1)], image[y], image[y + 1 if y < height - 1 else height - 2]
    inner = line[1 : width + 1]
    _smooth(inner, up, mid, down, 2.0)
    _pad(line)
    _difference(gx, line[0:width], line[2 : width + 2])
    _difference(inner, up, down)
    _pad(line)
    _smooth(gy, line[0:width], inner, line[2 : width + 2], 2.0)
    _product(out[0], gx, gx)
    _product(out[1], gx, gy)
    _product(out[2], gy, gy)


@kernel
def corner_quality(image: npt.NDArray[np.uint8], centres: npt.NDArray[np.float32]) -> float:
    """Compute the corner strength at the cells' centres, and its maximum over all pixels (arbitrary unit).

    Args:
        image: (H, W) uint8, at least 3 x 3.
        centres: (H // 5, W // 5) float32, overwritten.
    """
    height, width = image.shape
    ring = np.empty((3, 3, width), np.float32)
    line = np.empty(width + 2, np.float32)
    gx, gy = np.empty(width, np.float32), np.empty(width, np.float32)
    sums = np.empty((3, width), np.float32)
    strength = np.empty(width, np.float32)
    best = np.zeros(width, np.float32)
    inner = line[1 : width + 1]
    _gradient_products(image, 0, line, gx, gy, ring[0])
    for y in range(height):
        if y + 1 < height:
            _gradient_products(image, y + 1, line, gx, gy, ring[(y + 1) % 3])
        up, mid, down = ring[abs(y - 1) % 3], ring[y % 3], ring[(y + 1 if y < height - 1 else height - 2) % 3]
        for c in range(3):
            _smooth(inner, up[c], mid[c], down[c], 1.0)
            _pad(line)
            _smooth(sums[c], line[0:width], inner, line[2 : width + 2], 1.0)
        _smaller_eigenvalue(strength, sums[0], sums[1], sums[2])
        _keep_larger(best, strength)
        if y % STEP_PX == STEP_PX // 2 and y // STEP_PX < centres.shape[0]:
            for i in range(centres.shape[1]):
                centres[y // STEP_PX, i] = strength[i * STEP_PX + STEP_PX // 2]
    return float(best.max())


@kernel
def free_centres(
    centres: npt.NDArray[np.float32], threshold: float, points: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """Return the centres of the cells that hold no live point and are strong enough, row by row.

    Args:
        centres: Corner strength at the cells' centres, (rows, columns).
        threshold: Strength that a centre must exceed.
        points: (N, 2) float32 x, y of the live trajectories' ends.

    Returns:
        (M, 2) float32 x, y.
    """
    n_rows, n_columns = centres.shape
    is_taken = np.zeros((n_rows, n_columns), np.bool_)
    for i in range(len(points)):
        column, row = int(points[i, 0] / STEP_PX), int(points[i, 1] / STEP_PX)
        if 0 <= column < n_columns and 0 <= row < n_rows:
            is_taken[row, column] = True
    free = np.empty((n_rows * n_columns, 2), np.float32)
    n = 0
    for row in range(n_rows):
        for column in range(n_columns):
            if not is_taken[row, column] and centres[row, column] > threshold:
                free[n, 0] = column * STEP_PX + STEP_PX // 2
                free[n, 1] = row * STEP_PX + STEP_PX // 2
                n += 1
    return free[:n].copy()
