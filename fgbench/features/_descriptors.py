"""Histograms of orientations along trajectories: HOG, HOF, MBHx, MBHy (Wang et al. 2013, section 2.3).

A patch of 32 x 32 px around the point, moved into the image at its border, is cut into 2 x 2 cells. Every
pixel's vector counts with its length, shared linearly between the two nearest of 8 directions; HOF has a
ninth bin that counts the pixels with hardly any motion. No integral images: a band of 16 rows slides down the
level with one histogram per column, and a point sums 16 neighbouring columns for each of its cells when the
band reaches it. Counts are fixed point integers, so that leaving the band takes off exactly what entering it
put on.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fgbench.features._rows import Row, kernel

PATCH_PX = 32
CELL_PX = 16
N_CELLS = 4
STILL_PX = np.float32(0.4)
"""Longest displacement that counts as no motion in HOF, px of the level."""

EPSILON = np.float32(0.05)
"""Added to every bin before the L1 norm."""

N_BINS = 9
"""Places of a column's histogram: 8 directions and "still"."""

UNIT = np.float32(2**14)
"""Fixed point: one unit of length; the longest vector in a cell of 256 px stays below 2**31."""

LONGEST = np.float32(500)
"""Vectors count with at most this length: more than any gradient of 8 bit images, and than any real motion."""

Plane = npt.NDArray[np.float32]
Codes = npt.NDArray[np.int32]


def angle_taps() -> npt.NDArray[np.float32]:
    """Coefficients of t, t^3, ... of an odd polynomial for ``atan(t) * 4 / pi`` on [0, 1], error < 2e-6."""
    t = (1 - np.cos(np.linspace(0, np.pi, 400))) / 2
    powers = t[:, None] ** np.arange(1, 14, 2)
    solution = np.linalg.lstsq(powers, np.arctan(t) * 4 / np.pi, rcond=None)[0]
    return np.asarray(solution, dtype=np.float32)


@kernel
def _length(dst: Row, gx: Row, gy: Row) -> None:
    for x in range(dst.size):
        dst[x] = min(np.sqrt(gx[x] * gx[x] + gy[x] * gy[x]), LONGEST)


@kernel
def _direction(dst: Row, gx: Row, gy: Row, k: Row) -> None:
    """Angle from the x axis towards y in steps of 45 degrees, 0..8."""
    k0, k1, k2, k3, k4, k5, k6 = k[0], k[1], k[2], k[3], k[4], k[5], k[6]
    for i in range(dst.size):
        x, y = gx[i], gy[i]
        ax, ay = abs(x), abs(y)
        t = min(ax, ay) / (max(ax, ay) + np.float32(1e-30))
        q = t * t
        f = t * (k0 + q * (k1 + q * (k2 + q * (k3 + q * (k4 + q * (k5 + q * k6))))))
        f = np.float32(2) - f if ay > ax else f
        f = np.float32(4) - f if x < 0 else f
        dst[i] = np.float32(8) - f if y < 0 else f


@kernel
def _upper_share(dst: Codes, length: Row, direction: Row, still: np.float32) -> None:
    """Share of the bin after the direction, with the number of the bin before it in the low four bits."""
    for x in range(dst.size):
        f = direction[x]
        low = np.int32(f)
        share = np.int32(length[x] * (f - np.float32(low)) * UNIT)
        code = (share << np.int32(4)) | (low & np.int32(7))
        dst[x] = np.int32(8) if length[x] <= still else code


@kernel
def _lower_share(dst: Codes, length: Row, upper: Codes, still: np.float32) -> None:
    for x in range(dst.size):
        share = np.int32(length[x] * UNIT) - (upper[x] >> np.int32(4))
        dst[x] = np.int32(UNIT) if length[x] <= still else share


@kernel
def _central(dst: Row, a: Row, b: Row) -> None:
    for x in range(dst.size):
        dst[x] = np.float32(b[x]) - np.float32(a[x])


@kernel
def gradient_row(plane: Plane, y: int, gx: Row, gy: Row) -> None:
    """Differences [-1, 0, 1] of a row; across the border the image is mirrored, which makes them 0 there."""
    height, width = plane.shape
    row = plane[y]
    _central(gx[1 : width - 1], row[0 : width - 2], row[2:width])
    gx[0] = 0
    gx[width - 1] = 0
    if 0 < y < height - 1:
        _central(gy, plane[y - 1], plane[y + 1])
    else:
        gy[:] = np.float32(0)


@kernel
def _enter_leave(
    columns: npt.NDArray[np.int32],
    upper: Codes,
    lower: Codes,
    old_upper: Codes,
    old_lower: Codes,
    has_old: bool,
) -> None:
    """Add a row to the columns' histograms and take off the row that leaves the band."""
    for x in range(upper.size):
        base = np.uint64(x * N_BINS)
        code = upper[x]
        low = np.uint64(code & np.int32(15))
        columns[base + low] += lower[x]
        columns[base + ((low + np.uint64(1)) & np.uint64(7))] += code >> np.int32(4)
        if has_old:
            code = old_upper[x]
            low = np.uint64(code & np.int32(15))
            columns[base + low] -= old_lower[x]
            columns[base + ((low + np.uint64(1)) & np.uint64(7))] -= code >> np.int32(4)


@kernel
def _take_cells(columns: npt.NDArray[np.int32], x0: int, below: int, out: npt.NDArray[np.int32]) -> None:
    """Sum the columns of a patch's left and right cell; ``below`` is 0 for its upper cells, 1 for the lower."""
    total = np.zeros(N_BINS, np.int32)
    for side in range(2):
        total[:] = 0
        base = (x0 + side * CELL_PX) * N_BINS
        for c in range(CELL_PX):
            column = columns[base + c * N_BINS : base + (c + 1) * N_BINS]
            for b in range(N_BINS):
                total[b] += column[b]
        out[side * 2 + below] = total


@kernel
def patch_histograms(
    first: Plane,
    second: Plane,
    is_gradient: bool,
    still: np.float32,
    taps: npt.NDArray[np.float32],
    corners: npt.NDArray[np.int64],
    by_row: npt.NDArray[np.int64],
    row_start: npt.NDArray[np.int64],
    out: npt.NDArray[np.int32],
) -> None:
    """Histograms of the four cells of every patch.

    Args:
        first: (H, W) uint8 or float32. The image whose gradient is meant, or the vectors' x.
        second: The vectors' y; not read for a gradient.
        is_gradient: Whether the vectors are the gradient of ``first``.
        still: Vectors up to this length fall into the ninth bin; negative for none.
        taps: As :func:`angle_taps` gives.
        corners: (N, 2) upper left corners of the patches, x and y in px, inside.
        by_row: (N,) numbers of the patches sorted by y.
        row_start: (H + 1,) where the patches of a row begin in ``by_row``.
        out: (N, 4, 9) int32 fixed point, overwritten; cells in the order (left, upper), (left, lower),
            (right, upper), (right, lower).
    """
    width = first.shape[1]
    columns = np.zeros(width * N_BINS, np.int32)
    ring = np.empty((CELL_PX, 2, width), np.int32)
    codes = np.empty((2, width), np.int32)
    gx, gy = np.empty(width, np.float32), np.empty(width, np.float32)
    length, direction = np.empty(width, np.float32), np.empty(width, np.float32)
    if len(by_row) == 0:
        return
    begin, end = corners[by_row[0], 1], corners[by_row[-1], 1] + PATCH_PX
    for y in range(begin, end):
        if is_gradient:
            gradient_row(first, y, gx, gy)
        else:
            gx[:] = first[y]
            gy[:] = second[y]
        _length(length, gx, gy)
        _direction(direction, gx, gy, taps)
        _upper_share(codes[0], length, direction, still)
        _lower_share(codes[1], length, codes[0], still)
        old = ring[y % CELL_PX]
        _enter_leave(columns, codes[0], codes[1], old[0], old[1], y >= begin + CELL_PX)
        old[:] = codes
        top = y - CELL_PX + 1
        for below in range(2):
            patch_y = top - below * CELL_PX
            if patch_y >= begin:
                for i in range(row_start[patch_y], row_start[patch_y + 1]):
                    n = by_row[i]
                    _take_cells(columns, corners[n, 0], below, out[n])


@kernel
def add_normalised(
    histograms: npt.NDArray[np.int32],
    slots: npt.NDArray[np.int64],
    starts: npt.NDArray[np.int64],
    n_bins: int,
    weight: np.float32,
    sums: npt.NDArray[np.float32],
) -> None:
    """Add ``weight`` times the square root of the L1-normalised histograms to the trajectories' sums.

    The four cells are normalised together (RootSIFT, Arandjelovic and Zisserman 2012); the mean over the
    frames of a time cell is taken of the square roots.

    Args:
        histograms: (N, 4, 9) fixed point counts.
        slots: (N,) rows of ``sums``.
        starts: (N,) first column of the 4 n_bins numbers to add to.
        n_bins: 8 or 9.
        weight: One over the frames of a time cell.
        sums: (capacity, D) float32.
    """
    values = np.empty(N_CELLS * n_bins, np.float32)
    for i in range(len(slots)):
        total = np.float32(0)
        for c in range(N_CELLS):
            for b in range(n_bins):
                value = np.float32(histograms[i, c, b]) / UNIT + EPSILON
                values[c * n_bins + b] = value
                total += value
        row = sums[slots[i], starts[i] : starts[i] + N_CELLS * n_bins]
        for k in range(values.size):
            row[k] += weight * np.sqrt(values[k] / total)


@kernel
def patch_corners(
    points: npt.NDArray[np.float32],
    width: int,
    height: int,
    corners: npt.NDArray[np.int64],
    by_row: npt.NDArray[np.int64],
) -> npt.NDArray[np.int64]:
    """Place the patches and sort them by row.

    Args:
        points: (N, 2) x, y in px of the level.
        width: Of the level in px.
        height: Of the level in px.
        corners: (N, 2), overwritten with the patches' upper left corners.
        by_row: (N,), overwritten with the patches' numbers in the order of y.

    Returns:
        (H + 1,) where each row begins in ``by_row``.
    """
    start = np.zeros(height + 1, np.int64)
    half = PATCH_PX // 2
    for i in range(len(points)):
        corners[i, 0] = min(max(int(np.rint(points[i, 0])) - half, 0), width - PATCH_PX)
        corners[i, 1] = min(max(int(np.rint(points[i, 1])) - half, 0), height - PATCH_PX)
        start[corners[i, 1] + 1] += 1
    for y in range(height):
        start[y + 1] += start[y]
    place = start.copy()
    for i in range(len(points)):
        y = corners[i, 1]
        by_row[place[y]] = i
        place[y] += 1
    return start
