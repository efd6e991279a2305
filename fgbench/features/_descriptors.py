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

from fgbench.features._lanes import exchange, sum_sixteen
from fgbench.features._rows import Row, kernel

PATCH_PX = 32
CELL_PX = 16
N_CELLS = 4
STILL_PX = np.float32(0.4)
"""Longest displacement that counts as no motion in HOF, px of the level."""

EPSILON = np.float32(0.05)
"""Added to every bin before the L1 norm."""

N_DIRECTIONS = 8
N_BINS = 9
"""The directions and, last, "still"."""

CHANNEL_EDGES = (0, 32, 68, 100, 132)
"""Edges of HOG, HOF, MBHx and MBHy in the histograms of one frame."""

FRAME_SIZE = CHANNEL_EDGES[-1]

UNIT = np.float32(2**14)
"""Fixed point: one unit of length; the longest vector in a cell of 256 px stays below 2**31."""

LONGEST = np.float32(500)
"""Vectors count with at most this length: more than any gradient of 8 bit images or any real motion."""

Plane = npt.NDArray[np.float32]
Codes = npt.NDArray[np.int32]


def angle_taps() -> npt.NDArray[np.float32]:
    """Fit coefficients of t, t^3, ... of an odd polynomial: ``atan(t) * 4 / pi`` on [0, 1], error < 2e-6."""
    t = (1 - np.cos(np.linspace(0, np.pi, 400))) / 2
    powers = t[:, None] ** np.arange(1, 14, 2)
    solution = np.linalg.lstsq(powers, np.arctan(t) * 4 / np.pi, rcond=None)[0]
    return np.asarray(solution, dtype=np.float32)


@kernel
def _encode(upper: Codes, lower: Codes, gx: Row, gy: Row, k: Row, still: np.float32) -> None:
    """Split vectors between their two nearest directions, counted from the x axis towards y.

    ``upper`` holds the share of the direction after the vector, with the number of the direction before it in
    the low three bits; a still pixel has 8 there and no shares. ``lower`` holds the share of the one before.
    """
    k0, k1, k2, k3, k4, k5, k6 = k[0], k[1], k[2], k[3], k[4], k[5], k[6]
    for i in range(upper.size):
        x, y = gx[i], gy[i]
        length = min(np.sqrt(x * x + y * y), LONGEST)
        ax, ay = abs(x), abs(y)
        t = min(ax, ay) / (max(ax, ay) + np.float32(1e-30))
        q = t * t
        f = t * (k0 + q * (k1 + q * (k2 + q * (k3 + q * (k4 + q * (k5 + q * k6))))))
        f = np.float32(2) - f if ay > ax else f
        f = np.float32(4) - f if x < 0 else f
        f = np.float32(8) - f if y < 0 else f
        before = np.int32(f)
        share = np.int32(length * (f - np.float32(before)) * UNIT)
        code = (share << np.int32(4)) | (before & np.int32(7))
        rest = np.int32(length * UNIT) - share
        upper[i] = np.int32(8) if length <= still else code
        lower[i] = np.int32(0) if length <= still else rest


@kernel
def _central(dst: Row, a: Row, b: Row) -> None:
    for x in range(dst.size):
        dst[x] = np.float32(b[x]) - np.float32(a[x])


@kernel
def _copy(dst: Row, source: Row) -> None:
    for x in range(dst.size):
        dst[x] = source[x]


@kernel
def gradient_row(plane: Plane, y: int, gx: Row, gy: Row) -> None:
    """Compute differences [-1, 0, 1] of a row; the image is mirrored at the border, where they are 0."""
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
def _shift_band(
    columns: Codes, new_upper: Codes, new_lower: Codes, old_upper: Codes, old_lower: Codes
) -> None:
    """Add a row to the columns' histograms and take off the row that leaves the band."""
    for x in range(new_upper.size):
        exchange(columns, N_DIRECTIONS * x, new_upper[x], new_lower[x], old_upper[x], old_lower[x])


@kernel
def _count_still(columns: Codes, new_upper: Codes, old_upper: Codes) -> None:
    for x in range(columns.size):
        columns[x] += ((new_upper[x] >> np.int32(3)) & np.int32(1)) - (
            (old_upper[x] >> np.int32(3)) & np.int32(1)
        )


@kernel
def _take_cells(columns: Codes, still: Codes, x0: int, first: int, n_bins: int, out: Codes) -> None:
    """Sum the columns of a patch's left and right cell.

    Args:
        columns: (8 W,) directions of each column of the band.
        still: (W,) numbers of still pixels of each column.
        x0: Left edge of the patch in px.
        first: Index of the left cell in ``out``; the right one follows two cells later.
        n_bins: 8, or 9 with still pixels.
        out: (N * 4 * n_bins,), overwritten at these two cells.
    """
    for side in range(2):
        x = x0 + side * CELL_PX
        at = first + side * 2 * n_bins
        sum_sixteen(columns, x * N_DIRECTIONS, out, at)
        if n_bins == N_BINS:
            n_still = np.int32(0)
            for c in range(CELL_PX):
                n_still += still[x + c]
            out[at + N_DIRECTIONS] = n_still * np.int32(UNIT)


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
    channel: int,
) -> None:
    """Compute histograms of the four cells of every patch.

    Args:
        first: (H, W) uint8 or float32: the image of the gradient, or the vectors' x.
        second: The vectors' y; not read for a gradient.
        is_gradient: Whether the vectors are the gradient of ``first``.
        still: Vectors up to this length fall into the ninth bin; negative for none.
        taps: As :func:`angle_taps` gives.
        corners: (N, 2) upper left corners of the patches, x and y in px, inside.
        by_row: (N,) indices of the patches sorted by y.
        row_start: (H + 1,) start of the patches of a row in ``by_row``.
        out: (N, 132) int32 fixed point; the channel's part is overwritten: 8 bins, or 9 with the still
            pixels, of each cell in the order left upper, left lower, right upper, right lower.
        channel: Number of the channel, 0 to 3.
    """
    width = first.shape[1]
    columns = np.zeros(width * N_DIRECTIONS, np.int32)
    still_columns = np.zeros(width, np.int32)
    ring = np.zeros((CELL_PX + 1, 2, width), np.int32)
    offset = CHANNEL_EDGES[channel]
    n_bins = (CHANNEL_EDGES[channel + 1] - offset) // N_CELLS
    flat_out = out.reshape(out.size)
    gx, gy = np.empty(width, np.float32), np.empty(width, np.float32)
    if len(by_row) == 0:
        return
    begin, end = corners[by_row[0], 1], corners[by_row[-1], 1] + PATCH_PX
    for y in range(begin, end):
        if is_gradient:
            gradient_row(first, y, gx, gy)
        else:
            _copy(gx, first[y])
            _copy(gy, second[y])
        new, old = ring[y % (CELL_PX + 1)], ring[(y + 1) % (CELL_PX + 1)]
        _encode(new[0], new[1], gx, gy, taps, still)
        _shift_band(columns, new[0], new[1], old[0], old[1])
        if still >= 0:
            _count_still(still_columns, new[0], old[0])
        for below in range(2):
            patch_y = y + 1 - (1 + below) * CELL_PX
            if patch_y >= begin:
                for i in range(row_start[patch_y], row_start[patch_y + 1]):
                    n = by_row[i]
                    _take_cells(
                        columns,
                        still_columns,
                        corners[n, 0],
                        FRAME_SIZE * n + offset + below * n_bins,
                        n_bins,
                        flat_out,
                    )


@kernel
def add_normalised(
    counts: npt.NDArray[np.int32],
    slots: npt.NDArray[np.int64],
    time_cells: npt.NDArray[np.int64],
    sums: npt.NDArray[np.float32],
) -> None:
    """Add the square roots of a frame's L1-normalised histograms to the trajectories' sums.

    The four cells of a channel are normalised together (RootSIFT, Arandjelovic and Zisserman 2012); the mean
    over the frames of a time cell is taken of the square roots.

    Args:
        counts: (N, 132) fixed point histograms of a frame: HOG, HOF, MBHx, MBHy.
        slots: (N,) rows of ``sums``.
        time_cells: (N,) time cell that the frame belongs to in each trajectory.
        sums: (capacity, 3, 132) float32.
    """
    for i in range(len(slots)):
        target = sums[slots[i], time_cells[i]]
        for channel in range(4):
            first, end = CHANNEL_EDGES[channel], CHANNEL_EDGES[channel + 1]
            total = np.int64(0)
            for k in range(first, end):
                total += counts[i, k]
            norm = np.float32(total) / UNIT + EPSILON * np.float32(end - first)
            _add_roots(target[first:end], counts[i, first:end], np.float32(1) / (UNIT * norm), EPSILON / norm)


@kernel
def _add_roots(dst: Row, counts: Codes, factor: np.float32, epsilon: np.float32) -> None:
    for k in range(dst.size):
        dst[k] += np.sqrt(np.float32(counts[k]) * factor + epsilon)


@kernel
def patch_corners(
    points: npt.NDArray[np.float32],
    width: int,
    height: int,
    corners: npt.NDArray[np.int64],
    by_row: npt.NDArray[np.int64],
) -> npt.NDArray[np.int64]:
    """Position the patches and sort them by row.

    Args:
        points: (N, 2) x, y in px of the level.
        width: Width of the level in px.
        height: Height of the level in px.
        corners: (N, 2), overwritten with the patches' upper left corners.
        by_row: (N,), overwritten with the patches' indices in the order of y.

    Returns:
        (H + 1,) start of each row in ``by_row``.
    """
    start = np.zeros(height + 1, np.int64)
    half = PATCH_PX // 2
    for i in range(len(points)):
        corners[i, 0] = min(max(int(np.rint(points[i, 0])) - half, 0), width - PATCH_PX)
        corners[i, 1] = min(max(int(np.rint(points[i, 1])) - half, 0), height - PATCH_PX)
        start[corners[i, 1] + 1] += 1
    for y in range(height):
        start[y + 1] += start[y]
    following = start.copy()
    for i in range(len(points)):
        y = corners[i, 1]
        by_row[following[y]] = i
        following[y] += 1
    return start
