"""Pyramid of scales a factor sqrt(2) apart: sizes, and the blurred images on which the flow is computed.

Every level is made from the full-size frame: Gaussian blur, then bilinear reduction, as OpenCV's Farnebäck
flow does. Both are linear and separable, so one sparse filter per axis does both and computes only the
pixels that the level keeps.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fgbench.features._rows import Row, kernel

MIN_SIDE_PX = 32
"""Smallest side of a level: the side of a descriptor's patch."""

MAX_LEVELS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One level of the pyramid.

    Attributes:
        scale: Full-size pixels per pixel of this level. Powers of sqrt(2) as single-precision products:
            just under 4 the blur's kernel has 7 taps, at 4 it would have 9.
        width: Width in px.
        height: Height in px.
        columns: Filter along x: first source pixel (W,) int64 and taps (W, T) float32.
        rows: Filter along y.
    """

    scale: np.float32
    width: int
    height: int
    columns: tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]
    rows: tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]


def levels(width: int, height: int) -> tuple[Level, ...]:
    """Return the levels of a frame, full size first; none if its smaller side is under ``MIN_SIDE_PX``.

    Args:
        width: Width of the frame in px.
        height: Height of the frame in px.
    """
    pyramid: list[Level] = []
    scale = np.float32(1)
    while len(pyramid) < MAX_LEVELS and min(width, height) / float(scale) >= MIN_SIDE_PX:
        w, h = round(width / float(scale)), round(height / float(scale))
        kernel_taps = _blur_taps(float(scale))
        pyramid.append(
            Level(
                scale=scale,
                width=w,
                height=h,
                columns=_reduction(width, w, kernel_taps),
                rows=_reduction(height, h, kernel_taps),
            )
        )
        scale = np.float32(scale * np.float32(math.sqrt(2)))
    return tuple(pyramid)


def _blur_taps(scale: float) -> npt.NDArray[np.float64]:
    """Return a Gaussian against aliasing: sigma (scale - 1) / 2, 5 sigmas, at least [1, 2, 1] / 4."""
    sigma_px = (scale - 1) / 2
    if sigma_px == 0:
        return np.array([0.25, 0.5, 0.25])
    radius = max(round(5 * sigma_px) | 1, 3) // 2
    x = np.arange(-radius, radius + 1)
    taps = np.exp(-(x**2) / (2 * sigma_px**2))
    return np.asarray(taps / taps.sum())


def _reduction(
    n_from: int, n_to: int, blur: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """Return blur and bilinear reduction of one axis as windows of taps; mirrored at the edge pixels."""
    radius = blur.size // 2
    dense = np.zeros((n_to, n_from))
    for i in range(n_to):
        position = min(max((i + 0.5) * n_from / n_to - 0.5, 0.0), n_from - 1.0)
        left = int(position)
        for source, weight in ((left, left + 1 - position), (left + 1, position - left)):
            if weight > 0:
                for offset, tap in zip(range(-radius, radius + 1), blur, strict=True):
                    dense[i, _mirrored(source + offset, n_from)] += weight * tap
    used = dense != 0
    first = used.argmax(1)
    n_taps = int((n_from - used[:, ::-1].argmax(1) - first).max())
    start = np.minimum(first, n_from - n_taps)
    taps = np.take_along_axis(dense, start[:, None] + np.arange(n_taps), axis=1)
    return start.astype(np.int64), np.ascontiguousarray(taps, np.float32)


def _mirrored(index: int, n: int) -> int:
    """Return the index inside ``0..n-1``, mirrored at the centres of the edge pixels."""
    index = abs(index) % (2 * n - 2)
    return min(index, 2 * n - 2 - index)


@kernel
def _accumulate(
    dst: Row, r0: Row, r1: Row, r2: Row, r3: Row, t0: float, t1: float, t2: float, t3: float
) -> None:
    for x in range(dst.size):
        dst[x] += t0 * r0[x] + t1 * r1[x] + t2 * r2[x] + t3 * r3[x]


@kernel
def reduce_image(
    image: npt.NDArray[np.float32],
    column_start: npt.NDArray[np.int64],
    column_taps: npt.NDArray[np.float32],
    row_start: npt.NDArray[np.int64],
    row_taps: npt.NDArray[np.float32],
    out: npt.NDArray[np.float32],
) -> None:
    """Blur and reduce a frame to one level.

    Args:
        image: (H, W) float32, full size.
        column_start: First source column of each target column.
        column_taps: (w, T) taps along x.
        row_start: First source row of each target row.
        row_taps: (h, T') taps along y.
        out: (h, w) float32, overwritten.
    """
    height, width = out.shape
    n_rows, n_columns = row_taps.shape[1], column_taps.shape[1]
    line = np.empty(image.shape[1], np.float32)
    for y in range(height):
        first, taps = row_start[y], row_taps[y]
        line[:] = np.float32(0)
        t = 0
        while t + 4 <= n_rows:
            _accumulate(
                line,
                image[first + t],
                image[first + t + 1],
                image[first + t + 2],
                image[first + t + 3],
                taps[t],
                taps[t + 1],
                taps[t + 2],
                taps[t + 3],
            )
            t += 4
        while t < n_rows:
            row, tap = image[first + t], taps[t]
            for x in range(line.size):
                line[x] += tap * row[x]
            t += 1
        for x in range(width):
            start = np.uint64(column_start[x])
            total = np.float32(0)
            for i in range(n_columns):
                total += column_taps[x, i] * line[start + np.uint64(i)]
            out[y, x] = total
