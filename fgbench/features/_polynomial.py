"""Local quadratic model of an image: f(x) ~ x'Ax + b'x + c around every pixel (Farnebäck 2003, section 2).

The weight is a Gaussian, so the fit is a handful of separable filters. One expansion per frame and pyramid
level serves the flow into the frame and the flow out of it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fgbench.features._rows import even_four, even_start, kernel, odd_four, odd_start

RADIUS_PX = 7
"""Half width of the fit's window ("poly_n" 7: taps from -7 to 7)."""

SIGMA_PX = 1.5

Image = npt.NDArray[np.float32]
Coefficients = npt.NDArray[np.float32]
"""(5, H, W) float32: b_y, b_x, a_yy, a_xx, and a_xy, the factor of the product x*y (twice A's off-diagonal)."""


def fit_taps() -> npt.NDArray[np.float32]:
    """Half kernels of the fit, one row of taps 0..7 each.

    Rows: even smoothing ``g``, odd ``x g``, even ``x^2 g``, then the scaled ones that give the coefficients:
    ``x g`` for b, ``g`` and ``x^2 g`` combined for a_xx and a_yy, ``x g`` for a_xy.
    """
    x = np.arange(-RADIUS_PX, RADIUS_PX + 1, dtype=np.float64)
    g = np.exp(-(x**2) / (2 * SIGMA_PX**2))
    g /= g.sum()
    m2, m4 = float(np.sum(g * x**2)), float(np.sum(g * x**4))
    # The normal equations separate: 1/m2 for b, 1/m2^2 for a_xy, and for a_xx the part of x^2 orthogonal to 1.
    half = slice(RADIUS_PX, None)
    spread = m4 - m2**2
    rows = (g, x * g, x**2 * g, x * g / m2, (x**2 - m2) * g / spread, x * g / m2**2, g / m2)
    return np.array([row[half] for row in rows], dtype=np.float32)


@kernel
def _pad(row: npt.NDArray[np.float32], width: int) -> None:
    """Repeat the edge values of a row that has ``RADIUS_PX`` free places on both sides."""
    for i in range(RADIUS_PX):
        row[i] = row[RADIUS_PX]
        row[RADIUS_PX + width + i] = row[RADIUS_PX + width - 1]


@kernel
def _even(dst: Image, row: Image, k: Image) -> None:
    w = dst.size
    even_start(
        dst,
        row[7 : 7 + w],
        row[6 : 6 + w],
        row[8 : 8 + w],
        row[5 : 5 + w],
        row[9 : 9 + w],
        row[4 : 4 + w],
        row[10 : 10 + w],
        k,
    )
    even_four(
        dst,
        row[3 : 3 + w],
        row[11 : 11 + w],
        row[2 : 2 + w],
        row[12 : 12 + w],
        row[1 : 1 + w],
        row[13 : 13 + w],
        row[0:w],
        row[14 : 14 + w],
        k,
    )


@kernel
def _odd(dst: Image, row: Image, k: Image) -> None:
    w = dst.size
    odd_start(
        dst,
        row[6 : 6 + w],
        row[8 : 8 + w],
        row[5 : 5 + w],
        row[9 : 9 + w],
        row[4 : 4 + w],
        row[10 : 10 + w],
        k,
    )
    odd_four(
        dst,
        row[3 : 3 + w],
        row[11 : 11 + w],
        row[2 : 2 + w],
        row[12 : 12 + w],
        row[1 : 1 + w],
        row[13 : 13 + w],
        row[0:w],
        row[14 : 14 + w],
        k,
    )


@kernel
def expand(image: Image, taps: npt.NDArray[np.float32], out: Coefficients) -> None:
    """Fit the quadratic model at every pixel; outside, the image continues with its edge values.

    Args:
        image: (H, W) float32.
        taps: As :func:`fit_taps` gives.
        out: (5, H, W) float32, overwritten.
    """
    height, width = image.shape
    n = RADIUS_PX
    smooth = np.empty(width + 2 * n, np.float32)
    slope = np.empty(width + 2 * n, np.float32)
    curve = np.empty(width + 2 * n, np.float32)
    inner = slice(n, n + width)
    last = height - 1
    for y in range(height):
        mid = image[y]
        l1, l2, l3, l4 = (
            image[max(y - 1, 0)],
            image[max(y - 2, 0)],
            image[max(y - 3, 0)],
            image[max(y - 4, 0)],
        )
        l5, l6, l7 = image[max(y - 5, 0)], image[max(y - 6, 0)], image[max(y - 7, 0)]
        r1, r2, r3, r4 = (
            image[min(y + 1, last)],
            image[min(y + 2, last)],
            image[min(y + 3, last)],
            image[min(y + 4, last)],
        )
        r5, r6, r7 = image[min(y + 5, last)], image[min(y + 6, last)], image[min(y + 7, last)]
        even_start(smooth[inner], mid, l1, r1, l2, r2, l3, r3, taps[0])
        even_four(smooth[inner], l4, r4, l5, r5, l6, r6, l7, r7, taps[0])
        odd_start(slope[inner], l1, r1, l2, r2, l3, r3, taps[3])
        odd_four(slope[inner], l4, r4, l5, r5, l6, r6, l7, r7, taps[3])
        even_start(curve[inner], mid, l1, r1, l2, r2, l3, r3, taps[4])
        even_four(curve[inner], l4, r4, l5, r5, l6, r6, l7, r7, taps[4])
        _pad(smooth, width)
        _pad(slope, width)
        _pad(curve, width)
        _even(out[0, y], slope, taps[0])
        _odd(out[1, y], smooth, taps[3])
        _even(out[2, y], curve, taps[0])
        _even(out[3, y], smooth, taps[4])
        _odd(out[4, y], slope, taps[3])
