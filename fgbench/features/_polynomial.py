"""Local quadratic model of an image: f(x) ~ x'Ax + b'x + c around every pixel (Farnebäck 2003, section 2).

The weight is a Gaussian, so the fit is a handful of separable filters. One expansion per frame and pyramid
level serves the flow into the frame and the flow out of it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fgbench.features._lanes import LANES, filter_both, filter_even
from fgbench.features._rows import kernel

RADIUS_PX = 7
"""Half width of the fit's window ("poly_n" 7: taps from -7 to 7)."""

SIGMA_PX = 1.5

Image = npt.NDArray[np.float32]
Taps = tuple[np.float32, ...]
Offsets = tuple[int, ...]
N_COEFFICIENTS = 5

Coefficients = npt.NDArray[np.float32]
"""(5 H W + 3,) float32: b_y, b_x, a_yy, a_xx and a_xy, the factor of x*y, of each pixel.

They lie side by side because the flow reads all five at scattered pixels; three unused numbers at the end let
it read eight at once everywhere.
"""


def empty_expansion(width: int, height: int) -> Coefficients:
    """Return an array for an expansion."""
    return np.zeros(N_COEFFICIENTS * width * height + 3, np.float32)


def fit_taps() -> npt.NDArray[np.float32]:
    """Return half kernels of the fit, taps 0..7: even smoothing, odd slope, even curvature; (3, 8) float32.

    The normal equations separate: b and a_xy are first moments over the second moment of the weight; a_xx is
    the second moment less what the constant already explains. Along the other axis the weight only smooths.
    """
    x = np.arange(-RADIUS_PX, RADIUS_PX + 1, dtype=np.float64)
    g = np.exp(-(x**2) / (2 * SIGMA_PX**2))
    g /= g.sum()
    m2, m4 = float(np.sum(g * x**2)), float(np.sum(g * x**4))
    rows = (g, x * g / m2, (x**2 - m2) * g / (m4 - m2**2))
    return np.array([row[RADIUS_PX:] for row in rows], dtype=np.float32)


def empty_plane(width: int, height: int) -> Image:
    """Return an array for an image of :func:`expand`: rows without gaps, eight numbers to spare."""
    return np.zeros(width * height + LANES, np.float32)


@kernel
def _pad(row: Image, width: int) -> None:
    """Repeat the edge values of a row that has ``RADIUS_PX`` free cells on both sides."""
    for i in range(RADIUS_PX):
        row[i] = row[RADIUS_PX]
        row[RADIUS_PX + width + i] = row[RADIUS_PX + width - 1]


@kernel
def _tuple(taps: Image) -> Taps:
    return (taps[0], taps[1], taps[2], taps[3], taps[4], taps[5], taps[6], taps[7])


@kernel
def expand(image: Image, width: int, height: int, taps: npt.NDArray[np.float32], out: Coefficients) -> None:
    """Fit the quadratic model at every pixel; outside, the image continues with its edge values.

    Args:
        image: As :func:`empty_plane` returns, filled.
        width: Width in px.
        height: Height in px.
        taps: As :func:`fit_taps` returns.
        out: As :func:`empty_expansion` returns, overwritten.
    """
    size = (width // LANES + 1) * LANES
    smooth = np.empty(size + 2 * RADIUS_PX, np.float32)
    slope = np.empty(size + 2 * RADIUS_PX, np.float32)
    curve = np.empty(size + 2 * RADIUS_PX, np.float32)
    b_y, b_x = np.empty(size, np.float32), np.empty(size, np.float32)
    a_yy, a_xx, a_xy = np.empty(size, np.float32), np.empty(size, np.float32), np.empty(size, np.float32)
    level, first, second = _tuple(taps[0]), _tuple(taps[1]), _tuple(taps[2])
    across = (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14)
    for y in range(height):
        down = _row_starts(y, width, height)
        for x in range(0, width, LANES):
            filter_both(image, down, x, level, smooth, RADIUS_PX + x, first, slope, RADIUS_PX + x)
            filter_even(image, down, x, second, curve, RADIUS_PX + x)
        _pad(smooth, width)
        _pad(slope, width)
        _pad(curve, width)
        for x in range(0, width, LANES):
            filter_both(smooth, across, x, second, a_xx, x, first, b_x, x)
            filter_both(slope, across, x, level, b_y, x, first, a_xy, x)
            filter_even(curve, across, x, level, a_yy, x)
        for x in range(width):
            at = np.uint64((y * width + x) * N_COEFFICIENTS)
            out[at] = b_y[x]
            out[at + np.uint64(1)] = b_x[x]
            out[at + np.uint64(2)] = a_yy[x]
            out[at + np.uint64(3)] = a_xx[x]
            out[at + np.uint64(4)] = a_xy[x]


@kernel
def _row_starts(y: int, width: int, height: int) -> Offsets:
    """Return the starts of the 15 rows around a row, the edge rows repeated."""
    last = height - 1
    return (
        max(y - 7, 0) * width,
        max(y - 6, 0) * width,
        max(y - 5, 0) * width,
        max(y - 4, 0) * width,
        max(y - 3, 0) * width,
        max(y - 2, 0) * width,
        max(y - 1, 0) * width,
        y * width,
        min(y + 1, last) * width,
        min(y + 2, last) * width,
        min(y + 3, last) * width,
        min(y + 4, last) * width,
        min(y + 5, last) * width,
        min(y + 6, last) * width,
        min(y + 7, last) * width,
    )
