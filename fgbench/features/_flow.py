"""Dense optical flow from two polynomial expansions (Farnebäck 2003, section 4), one pyramid level.

The flow of a level starts from that of the coarser one and is improved twice: every pixel's equation
A d = (b0 - b1) / 2 is taken at the displaced position, the normal equations are averaged by an 11 x 11
Gaussian of sigma 1.5 px ("winsize" 10) and solved. Rows of normal equations pass through a ring of eleven, so
that an update needs no image-sized memory.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fgbench.features._lanes import LANES, combine, filter_even
from fgbench.features._polynomial import N_COEFFICIENTS, Coefficients, Offsets
from fgbench.features._rows import Row, kernel

WINDOW_RADIUS_PX = 5
WINDOW_SIGMA_PX = 0.3 * WINDOW_RADIUS_PX
DAMPING = np.float32(1e-3)
"""Added to the determinant, so that textureless pixels get flow 0."""

_RING = 11
_EDGE_WEIGHTS = np.array([0.14, 0.14, 0.4472, 0.4472, 0.4472], np.float32) ** 2
"""Weight of the equations 0..4 px from the border, where the fit uses repeated values (OpenCV)."""

Plane = npt.NDArray[np.float32]


def window_taps() -> npt.NDArray[np.float32]:
    """Return half of the averaging window's kernel, taps 0..5; the whole kernel sums to 1."""
    x = np.arange(-WINDOW_RADIUS_PX, WINDOW_RADIUS_PX + 1, dtype=np.float64)
    g = np.exp(-(x**2) / (2 * WINDOW_SIGMA_PX**2))
    return np.asarray((g / g.sum())[WINDOW_RADIUS_PX:], dtype=np.float32)


@kernel
def _target_row(target: npt.NDArray[np.int32], y: int, u: Row, v: Row, height: int) -> None:
    """Compute the index of the pixel up and left of each displaced position, -1 without four neighbours."""
    width = u.size
    for x in range(width):
        left, top = np.floor(np.float32(x) + u[x]), np.floor(np.float32(y) + v[x])
        is_inside = (left >= 0) & (top >= 0) & (left < width - 1) & (top < height - 1)
        number = np.int32(top) * np.int32(width) + np.int32(left)
        target[x] = number if is_inside else np.int32(-1)


@kernel
def _fractions(across: Row, down: Row, y: int, u: Row, v: Row) -> None:
    """Compute the distance of each displaced position from the pixel up and left of it."""
    for x in range(u.size):
        fx, fy = np.float32(x) + u[x], np.float32(y) + v[x]
        across[x] = fx - np.floor(fx)
        down[x] = fy - np.floor(fy)


@kernel
def _combine_row(
    before: Coefficients,
    after: Coefficients,
    y: int,
    target: npt.NDArray[np.int32],
    across: Row,
    down: Row,
    mixed: Row,
) -> None:
    """Combine coefficients of both frames, the later one's at displaced positions (bilinear), 8 per pixel.

    If the position lies outside, the equation uses the earlier frame alone, with b = b_0 / 2.
    """
    width = target.size
    for x in range(width):
        here = (y * width + x) * N_COEFFICIENTS
        if target[x] >= 0:
            upper = np.int64(target[x]) * N_COEFFICIENTS
            lower = upper + width * N_COEFFICIENTS
            combine(before, here, after, upper, lower, (across[x], down[x]), mixed, LANES * x)
        else:
            mixed[LANES * x] = before[here] * np.float32(0.5)
            mixed[LANES * x + 1] = before[here + 1] * np.float32(0.5)
            mixed[LANES * x + 2] = before[here + 2]
            mixed[LANES * x + 3] = before[here + 3]
            mixed[LANES * x + 4] = before[here + 4] * np.float32(0.5)


@kernel
def _pick(dst: Row, mixed: Row, lane: int) -> None:
    lanes = mixed[lane:]
    for x in range(dst.size):
        dst[x] = lanes[np.uint64(LANES) * np.uint64(x)]


@kernel
def _add_dot(dst: Row, a: Row, b: Row, c: Row, d: Row) -> None:
    for x in range(dst.size):
        dst[x] += a[x] * b[x] + c[x] * d[x]


@kernel
def _dot(dst: Row, a: Row, b: Row, c: Row, d: Row) -> None:
    for x in range(dst.size):
        dst[x] = a[x] * b[x] + c[x] * d[x]


@kernel
def _sum_times(dst: Row, a: Row, b: Row, c: Row) -> None:
    for x in range(dst.size):
        dst[x] = (a[x] + b[x]) * c[x]


@kernel
def _invert(dst: Row, g11: Row, g12: Row, g22: Row) -> None:
    """Compute one over the determinant; ``dst`` must be none of the others."""
    for x in range(dst.size):
        dst[x] = np.float32(1) / (g11[x] * g22[x] - g12[x] * g12[x] + DAMPING)


@kernel
def _solve(dst: Row, a: Row, b: Row, c: Row, d: Row, inverse: Row) -> None:
    for x in range(dst.size):
        dst[x] = (a[x] * b[x] - c[x] * d[x]) * inverse[x]


@kernel
def _equations(
    before: Coefficients,
    after: Coefficients,
    height: int,
    y: int,
    u: Row,
    v: Row,
    target: npt.NDArray[np.int32],
    mixed: Row,
    rows: npt.NDArray[np.float32],
    out: npt.NDArray[np.float32],
) -> None:
    """Compute the normal equations of a row, with y as the first unknown.

    Args:
        before: Expansion of the earlier frame.
        after: Expansion of the later frame.
        height: Height of the level in px.
        y: Index of the row.
        u: Displacements in x.
        v: Displacements in y.
        target: (W,) work space.
        mixed: (8 W,) work space.
        rows: (5, W) work space.
        out: (5, W), overwritten with G11, G12, G22, h1, h2.
    """
    width = u.size
    _target_row(target, y, u, v, height)
    _fractions(rows[0], rows[1], y, u, v)
    _combine_row(before, after, y, target, rows[0], rows[1], mixed)
    for lane in range(N_COEFFICIENTS):
        _pick(rows[lane], mixed, lane)
    py, px, ayy, axx, axy = rows[0], rows[1], rows[2], rows[3], rows[4]
    _add_dot(py, ayy, v, axy, u)
    _add_dot(px, axy, v, axx, u)
    _dot(out[0, :width], ayy, ayy, axy, axy)
    _sum_times(out[1, :width], ayy, axx, axy)
    _dot(out[2, :width], axx, axx, axy, axy)
    _dot(out[3, :width], ayy, py, axy, px)
    _dot(out[4, :width], axy, py, axx, px)
    edge = min(y, height - 1 - y)
    for c in range(5):
        row = out[c, :width]
        for i in range(5):
            row[i] *= _EDGE_WEIGHTS[i]
            row[width - 1 - i] *= _EDGE_WEIGHTS[i]
        if edge < 5:
            row *= _EDGE_WEIGHTS[edge]


@kernel
def refine(
    before: Coefficients, after: Coefficients, taps: npt.NDArray[np.float32], u: Plane, v: Plane
) -> None:
    """Improve the flow once, in place.

    Args:
        before: Expansion of the earlier frame.
        after: Expansion of the later frame.
        taps: As :func:`window_taps` returns.
        u: Displacement in x, (H, W) float32, px of this level; start in, result out.
        v: Displacement in y.
    """
    height, width = u.shape
    m = WINDOW_RADIUS_PX
    size = (width // LANES + 1) * LANES
    padded_size = size + 2 * m
    ring = np.zeros((_RING, N_COEFFICIENTS, size), np.float32)
    flat_ring = ring.reshape(ring.size)
    target = np.empty(width, np.int32)
    mixed = np.empty(LANES * width, np.float32)
    rows = np.empty((N_COEFFICIENTS, width), np.float32)
    columns = np.empty(N_COEFFICIENTS * padded_size, np.float32)
    g = np.empty((N_COEFFICIENTS, size), np.float32)
    flat_g = g.reshape(g.size)
    inverse = np.empty(width, np.float32)
    window = (taps[0], taps[1], taps[2], taps[3], taps[4], taps[5])
    across = (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10)
    for step in range(height + m):
        if step < height:
            _equations(before, after, height, step, u[step], v[step], target, mixed, rows, ring[step % _RING])
        y = step - m
        if y < 0:
            continue
        down = _ring_starts(y, height, N_COEFFICIENTS * size)
        for c in range(N_COEFFICIENTS):
            first = c * padded_size
            for x in range(0, width, LANES):
                filter_even(flat_ring, down, c * size + x, window, columns, first + m + x)
            for i in range(m):
                columns[first + i] = columns[first + m]
                columns[first + m + width + i] = columns[first + m + width - 1]
            for x in range(0, width, LANES):
                filter_even(columns, across, first + x, window, flat_g, c * size + x)
        _invert(inverse, g[0], g[1], g[2])
        _solve(u[y], g[0], g[4], g[1], g[3], inverse)
        _solve(v[y], g[2], g[3], g[1], g[4], inverse)


@kernel
def _ring_starts(y: int, height: int, size: int) -> Offsets:
    """Return the starts of the eleven rows around a row in the ring, the edge rows repeated."""
    last = height - 1
    return (
        max(y - 5, 0) % _RING * size,
        max(y - 4, 0) % _RING * size,
        max(y - 3, 0) % _RING * size,
        max(y - 2, 0) % _RING * size,
        max(y - 1, 0) % _RING * size,
        y % _RING * size,
        min(y + 1, last) % _RING * size,
        min(y + 2, last) % _RING * size,
        min(y + 3, last) % _RING * size,
        min(y + 4, last) % _RING * size,
        min(y + 5, last) % _RING * size,
    )
