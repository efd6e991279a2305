"""Dense optical flow from two polynomial expansions (Farnebäck 2003, section 4), one pyramid level.

The flow of a level starts from that of the coarser one and is improved twice: every pixel's equation
A d = (b0 - b1) / 2 is taken at the displaced place, the normal equations are averaged by an 11 x 11 Gaussian
of sigma 1.5 px ("winsize" 10) and solved. Rows of normal equations pass through a ring of eleven, so that an
update needs no image-sized memory.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fgbench.features._polynomial import Coefficients
from fgbench.features._rows import Row, even_start, even_two, kernel

WINDOW_RADIUS_PX = 5
WINDOW_SIGMA_PX = 0.3 * WINDOW_RADIUS_PX
DAMPING = np.float32(1e-3)
"""Added to the determinant, so that textureless places get flow 0."""

_RING = 11
_EDGE_WEIGHTS = np.array([0.14, 0.14, 0.4472, 0.4472, 0.4472], np.float32) ** 2
"""Weight of the equations at distance 0..4 px from the border, where the fit uses repeated values (OpenCV)."""

Plane = npt.NDArray[np.float32]


def window_taps() -> npt.NDArray[np.float32]:
    """Half of the averaging window's kernel, taps 0..5; the whole kernel sums to 1."""
    x = np.arange(-WINDOW_RADIUS_PX, WINDOW_RADIUS_PX + 1, dtype=np.float64)
    g = np.exp(-(x**2) / (2 * WINDOW_SIGMA_PX**2))
    return (g / g.sum())[WINDOW_RADIUS_PX:].astype(np.float32)


@kernel
def _sample(
    after: Coefficients, before: Coefficients, y: int, u: Row, v: Row, s: npt.NDArray[np.float32]
) -> None:
    """Coefficients of the later frame at the displaced places of a row, bilinear.

    Where the place lies outside, the equation is made of the earlier frame alone.
    """
    height, width = after.shape[1], after.shape[2]
    for x in range(width):
        fx = np.float32(x) + u[x]
        fy = np.float32(y) + v[x]
        flx, fly = np.floor(fx), np.floor(fy)
        if flx >= 0 and fly >= 0 and flx < width - 1 and fly < height - 1:
            xi, yi = np.uint32(flx), np.uint32(fly)
            tx, ty = fx - flx, fy - fly
            w11 = tx * ty
            w10 = ty - w11
            w01 = tx - w11
            w00 = np.float32(1) - tx - w10
            for c in range(5):
                s[c, x] = (
                    w00 * after[c, yi, xi]
                    + w01 * after[c, yi, xi + 1]
                    + w10 * after[c, yi + 1, xi]
                    + w11 * after[c, yi + 1, xi + 1]
                )
        else:
            s[0, x] = 0
            s[1, x] = 0
            s[2, x] = before[2, y, x]
            s[3, x] = before[3, y, x]
            s[4, x] = before[4, y, x]


@kernel
def _mean(dst: Row, a: Row, b: Row, factor: np.float32) -> None:
    for x in range(dst.size):
        dst[x] = (a[x] + b[x]) * factor


@kernel
def _side(dst: Row, b0: Row, b1: Row, a1: Row, d1: Row, a2: Row, d2: Row) -> None:
    for x in range(dst.size):
        dst[x] = (b0[x] - b1[x]) * np.float32(0.5) + a1[x] * d1[x] + a2[x] * d2[x]


@kernel
def _dot(dst: Row, a: Row, b: Row, c: Row, d: Row) -> None:
    for x in range(dst.size):
        dst[x] = a[x] * b[x] + c[x] * d[x]


@kernel
def _sum_times(dst: Row, a: Row, b: Row, c: Row) -> None:
    for x in range(dst.size):
        dst[x] = (a[x] + b[x]) * c[x]


@kernel
def _solve(dst: Row, g11: Row, g12: Row, g22: Row, p: Row, q: Row, r: Row) -> None:
    """``(p r - g12 q) / det`` of the 2 x 2 system."""
    for x in range(dst.size):
        dst[x] = (p[x] * r[x] - g12[x] * q[x]) / (g11[x] * g22[x] - g12[x] * g12[x] + DAMPING)


@kernel
def _equations(
    before: Coefficients,
    after: Coefficients,
    y: int,
    u: Row,
    v: Row,
    s: npt.NDArray[np.float32],
    out: npt.NDArray[np.float32],
) -> None:
    """Normal equations of a row: (5, W) of G11, G12, G22, h1, h2, with y as the first unknown."""
    height, width = after.shape[1], after.shape[2]
    _sample(after, before, y, u, v, s)
    ayy, axx, axy, py, px = s[2], s[3], s[4], s[0], s[1]
    _mean(ayy, before[2, y], ayy, np.float32(0.5))
    _mean(axx, before[3, y], axx, np.float32(0.5))
    _mean(axy, before[4, y], axy, np.float32(0.25))
    _side(py, before[0, y], py, ayy, v, axy, u)
    _side(px, before[1, y], px, axy, v, axx, u)
    _dot(out[0], ayy, ayy, axy, axy)
    _sum_times(out[1], ayy, axx, axy)
    _dot(out[2], axx, axx, axy, axy)
    _dot(out[3], ayy, py, axy, px)
    _dot(out[4], axy, py, axx, px)
    edge = min(y, height - 1 - y)
    for c in range(5):
        row = out[c]
        for i in range(5):
            row[i] *= _EDGE_WEIGHTS[i]
            row[width - 1 - i] *= _EDGE_WEIGHTS[i]
        if edge < 5:
            row *= _EDGE_WEIGHTS[edge]


@kernel
def refine(
    before: Coefficients, after: Coefficients, taps: npt.NDArray[np.float32], u: Plane, v: Plane
) -> None:
    """One improvement of the flow, in place.

    Args:
        before: Expansion of the earlier frame, (5, H, W) float32.
        after: Expansion of the later frame.
        taps: As :func:`window_taps` gives.
        u: Displacement in x, (H, W) float32, px of this level; start in, result out.
        v: Displacement in y.
    """
    height, width = u.shape
    m = WINDOW_RADIUS_PX
    ring = np.empty((_RING, 5, width), np.float32)
    flat = ring.reshape(_RING, 5 * width)
    scratch = np.empty((5, width), np.float32)
    column = np.empty((5, width), np.float32)
    flat_column = column.reshape(5 * width)
    padded = np.empty(width + 2 * m, np.float32)
    g = np.empty((5, width), np.float32)
    last = height - 1
    for step in range(height + m):
        if step < height:
            _equations(before, after, step, u[step], v[step], scratch, ring[step % _RING])
        y = step - m
        if y < 0:
            continue
        mid = flat[y % _RING]
        l1, r1 = flat[max(y - 1, 0) % _RING], flat[min(y + 1, last) % _RING]
        l2, r2 = flat[max(y - 2, 0) % _RING], flat[min(y + 2, last) % _RING]
        l3, r3 = flat[max(y - 3, 0) % _RING], flat[min(y + 3, last) % _RING]
        l4, r4 = flat[max(y - 4, 0) % _RING], flat[min(y + 4, last) % _RING]
        l5, r5 = flat[max(y - 5, 0) % _RING], flat[min(y + 5, last) % _RING]
        even_start(flat_column, mid, l1, r1, l2, r2, l3, r3, taps)
        even_two(flat_column, l4, r4, l5, r5, taps)
        w = width
        for c in range(5):
            padded[m : m + w] = column[c]
            for i in range(m):
                padded[i] = padded[m]
                padded[m + w + i] = padded[m + w - 1]
            p = padded
            even_start(
                g[c],
                p[5 : 5 + w],
                p[4 : 4 + w],
                p[6 : 6 + w],
                p[3 : 3 + w],
                p[7 : 7 + w],
                p[2 : 2 + w],
                p[8 : 8 + w],
                taps,
            )
            even_two(g[c], p[1 : 1 + w], p[9 : 9 + w], p[0:w], p[10 : 10 + w], taps)
        _solve(u[y], g[0], g[1], g[2], g[0], g[3], g[4])
        _solve(v[y], g[0], g[1], g[2], g[2], g[4], g[3])
