"""The average face in three dimensions: head surface, 68 landmarks and finer contours, all at rest.

Frame of the head: x towards the right of a frontal picture (the person's left), y down, z towards the camera.
Unit: the distance between the outer corners of the eyes; origin between them, at their height. The points
follow dlib's 68-point predictor (iBUG order): they were drawn after its own mean shape, and
after its detections in the pictures drawn here.

A *reference point* is a row (x, y, z, lower): ``lower`` is 0 on parts fixed to the skull, 1 on parts moved by
the lower lip. Displacement fields are functions of reference points, so that the mesh, the landmarks and the
contours move together.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.float64]
"""float64 reference points, (N, 4)."""

HALF_LANDMARKS: tuple[tuple[int, int, float, float], ...] = (
    (0, 16, -0.802, 0.015),
    (1, 15, -0.796, 0.230),
    (2, 14, -0.778, 0.450),
    (3, 13, -0.736, 0.690),
    (4, 12, -0.658, 0.890),
    (5, 11, -0.548, 1.068),
    (6, 10, -0.395, 1.222),
    (7, 9, -0.208, 1.322),
    (8, 8, 0.000, 1.352),
    (17, 26, -0.655, -0.148),
    (18, 25, -0.560, -0.225),
    (19, 24, -0.410, -0.255),
    (20, 23, -0.272, -0.240),
    (21, 22, -0.142, -0.192),
    (27, 27, 0.000, 0.000),
    (28, 28, 0.000, 0.145),
    (29, 29, 0.000, 0.290),
    (30, 30, 0.000, 0.430),
    (31, 35, -0.142, 0.556),
    (32, 34, -0.074, 0.580),
    (33, 33, 0.000, 0.600),
    (48, 54, -0.330, 0.852),
    (49, 53, -0.208, 0.800),
    (50, 52, -0.086, 0.772),
    (51, 51, 0.000, 0.783),
    (59, 55, -0.212, 0.932),
    (58, 56, -0.100, 0.975),
    (57, 57, 0.000, 0.985),
    (60, 64, -0.278, 0.852),
    (61, 63, -0.094, 0.852),
    (62, 62, 0.000, 0.854),
    (67, 65, -0.094, 0.858),
    (66, 66, 0.000, 0.861),
)
"""Landmark, its mirror image, and x, y of the first; the eyes follow from :func:`lid_line`."""

EYE_X, EYE_HALF_WIDTH = 0.355, 0.145
_EYE_LANDMARKS = (
    (36, 45, -1.0),
    (37, 44, -0.42),
    (38, 43, 0.34),
    (39, 42, 1.0),
    (40, 47, 0.34),
    (41, 46, -0.42),
)

_CORNER = 0.45
"""Share of the lower lip's movement that the corners of the mouth take."""

_PROFILE = np.array(
    [
        # y      half width  front z  side z
        (-1.420, 0.020, -0.55, -0.60),
        (-1.385, 0.300, -0.25, -0.62),
        (-1.250, 0.550, 0.00, -0.65),
        (-1.000, 0.740, 0.22, -0.68),
        (-0.700, 0.830, 0.36, -0.70),
        (-0.400, 0.850, 0.42, -0.72),
        (-0.200, 0.840, 0.43, -0.72),
        (0.000, 0.825, 0.37, -0.72),
        (0.250, 0.815, 0.36, -0.70),
        (0.500, 0.790, 0.37, -0.66),
        (0.700, 0.740, 0.39, -0.60),
        (0.880, 0.665, 0.40, -0.50),
        (1.050, 0.560, 0.36, -0.36),
        (1.190, 0.432, 0.33, -0.20),
        (1.285, 0.298, 0.29, -0.07),
        (1.335, 0.178, 0.21, 0.00),
        (1.357, 0.070, 0.12, 0.05),
        (1.364, 0.010, 0.07, 0.07),
    ]
)
_BUMPS = np.array(
    [
        # x, y, radius x, radius y, height: nose bridge, nose, tip, wings, eye sockets, brow ridge,
        # cheekbones, lips, chin, hollow over the chin
        (0.00, 0.03, 0.105, 0.19, 0.085),
        (0.00, 0.29, 0.125, 0.19, 0.150),
        (0.00, 0.455, 0.140, 0.115, 0.200),
        (-0.135, 0.505, 0.075, 0.075, 0.080),
        (0.135, 0.505, 0.075, 0.075, 0.080),
        (-0.34, -0.02, 0.19, 0.12, -0.075),
        (0.34, -0.02, 0.19, 0.12, -0.075),
        (-0.33, -0.24, 0.26, 0.08, 0.035),
        (0.33, -0.24, 0.26, 0.08, 0.035),
        (-0.52, 0.33, 0.22, 0.20, 0.055),
        (0.52, 0.33, 0.22, 0.20, 0.055),
        (0.00, 0.87, 0.30, 0.15, 0.075),
        (0.00, 1.23, 0.20, 0.13, 0.070),
        (0.00, 1.06, 0.20, 0.06, -0.035),
    ]
)


def profile(y: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Half width, front z and side z of the head's cross-section at height ``y``: (N, 3), smooth in y."""
    return np.stack([_hermite(_PROFILE[:, 0], _PROFILE[:, column], y) for column in (1, 2, 3)], axis=1)


def surface(angle_rad: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Points (N, 3) of the head's surface at angles about the vertical axis (0 is the front) and heights."""
    half_width, front, side = profile(y).T
    x = half_width * np.sin(angle_rad)
    cosine = np.cos(angle_rad)
    z = side + (front - side) * np.sign(cosine) * np.abs(cosine) ** 0.9
    bump_x, bump_y, radius_x, radius_y, height = _BUMPS.T
    across = np.abs((x[:, None] - bump_x) / radius_x) ** np.where(radius_x < 0.16, 2.6, 2.0)
    bell = np.exp(-across - ((y[:, None] - bump_y) / radius_y) ** 2)
    z = z + (bell @ height) * np.clip(cosine * 4.0, 0.0, 1.0)
    return np.stack([x, y, z], axis=1)


def on_surface(xy: npt.NDArray[np.float64], lower: npt.NDArray[np.float64] | None = None) -> Points:
    """Reference points on the front of the head with given x, y (N, 2)."""
    half_width = profile(xy[:, 1])[:, 0]
    angle = np.arcsin(np.clip(xy[:, 0] / np.maximum(half_width, 1e-6), -0.985, 0.985))
    z = surface(angle, xy[:, 1])[:, 2]
    return np.column_stack([xy, z, lower_weight(xy) if lower is None else lower])


def mouth_line(x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Height at which the closed lips meet."""
    return 0.856 - 0.045 * x**2


def lower_weight(xy: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Share of points in the lower lip and chin: a sharp edge at the mouth, soft in the cheeks."""
    x, y = np.abs(xy[:, 0]), xy[:, 1]
    width = 0.012 + 0.16 * np.clip((x - 0.32) / 0.25, 0.0, 1.0)
    slope = np.clip((y - mouth_line(np.minimum(x, 0.4))) / width, -30.0, 30.0)
    return np.asarray(1.0 / (1.0 + np.exp(-2.0 * slope)))


def lid_bell(x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Opening of an eye at rest at ``|x|``, as a share of its greatest: 0 from the corners on."""
    return (lid_line(x, upper=False) - lid_line(x, upper=True)) / eye_opening()


@lru_cache(maxsize=1)
def eye_opening() -> float:
    """Greatest distance between the margins of the lids at rest."""
    x = np.linspace(EYE_X - EYE_HALF_WIDTH, EYE_X + EYE_HALF_WIDTH, 201)
    return float((lid_line(x, upper=False) - lid_line(x, upper=True)).max())


def corner_line(x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Height of the line between the corners of an eye, the inner one a little lower."""
    return 0.020 * np.clip((0.5 - np.abs(x)) / 0.29, 0.0, 1.0)


def lid_line(x: npt.NDArray[np.float64], *, upper: bool) -> npt.NDArray[np.float64]:
    """Height of the upper or lower lid's margin at rest."""
    along = np.clip((np.abs(x) - EYE_X) / EYE_HALF_WIDTH, -1.0, 1.0)
    if upper:
        return corner_line(x) - 0.074 * (1.0 - np.abs(along) ** 2.3) * (1.0 - 0.15 * along)
    return corner_line(x) + 0.036 * (1.0 - np.abs(along) ** 2.6) * (1.0 + 0.25 * along)


@lru_cache(maxsize=1)
def landmarks() -> Points:
    """The 68 landmarks (iBUG order) at rest: (68, 4) reference points."""
    xy = np.zeros((68, 2))
    lower = np.full(68, np.nan)
    for first, mirrored, x, y in HALF_LANDMARKS:
        xy[first], xy[mirrored] = (x, y), (-x, y)
    for first, mirrored, along in _EYE_LANDMARKS:
        x_at = np.array([-(EYE_X - along * EYE_HALF_WIDTH)])
        height = corner_line(x_at) if abs(along) == 1.0 else lid_line(x_at, upper=first in (37, 38))
        xy[first], xy[mirrored] = (x_at[0], height[0]), (-x_at[0], height[0])
    lower[49:54] = lower[61:64] = 0.0
    lower[55:60] = lower[65:68] = 1.0
    lower[[48, 54, 60, 64]] = _CORNER
    is_free = np.isnan(lower)
    lower[is_free] = lower_weight(xy)[is_free]
    return on_surface(xy, lower)


@lru_cache(maxsize=1)
def contours() -> Mapping[str, Points]:
    """Finer lines for drawing, as reference points; ``_l`` and ``_r`` are the person's sides."""
    marks = landmarks()
    lines: dict[str, Points] = {
        "lip_upper": _on_lip(curve(marks[48:55], 25), 0.0),
        "lip_lower": _on_lip(curve(marks[[48, 59, 58, 57, 56, 55, 54]], 25), 1.0),
        "inner_upper": _on_lip(curve(marks[60:65], 17), 0.0),
        "inner_lower": _on_lip(curve(marks[[60, 67, 66, 65, 64]], 17), 1.0),
    }
    for side, sign in (("r", -1.0), ("l", 1.0)):
        x = sign * np.linspace(EYE_X + EYE_HALF_WIDTH, EYE_X - EYE_HALF_WIDTH, 17)
        for name, upper in (("lid_upper", True), ("lid_lower", False)):
            lines[f"{name}_{side}"] = on_surface(np.column_stack([x, lid_line(x, upper=upper)]))
    return lines


def _on_lip(line: Points, lower: float) -> Points:
    """A line from corner to corner that belongs to one lip; only its ends move with the corners."""
    from_corner = 1.0 - np.abs(np.linspace(-1.0, 1.0, len(line)))
    result = line.copy()
    result[:, 3] = lower + (_CORNER - lower) * (1.0 - from_corner) ** 8
    return result


def curve(points: npt.NDArray[np.float64], count: int) -> npt.NDArray[np.float64]:
    """Smooth curve through points.

    Args:
        points: (N, d).
        count: Number of points of the result, evenly spread over the N - 1 pieces.

    Returns:
        (count, d); first and last are the first and last of ``points``.
    """
    knots = np.arange(len(points), dtype=np.float64)
    wanted = np.linspace(0.0, len(points) - 1.0, count)
    return np.stack([_hermite(knots, column, wanted) for column in points.T], axis=1)


def _hermite(
    knots: npt.NDArray[np.float64], values: npt.NDArray[np.float64], wanted: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Cubic Hermite interpolation with the slopes of Catmull and Rom, constant beyond the ends."""
    slopes = np.gradient(values, knots)
    wanted = np.clip(wanted, knots[0], knots[-1])
    piece = np.clip(np.searchsorted(knots, wanted, side="right") - 1, 0, len(knots) - 2)
    step = knots[piece + 1] - knots[piece]
    t = (wanted - knots[piece]) / step
    start, end = values[piece], values[piece + 1]
    return np.asarray(
        (2 * t**3 - 3 * t**2 + 1) * start
        + (t**3 - 2 * t**2 + t) * step * slopes[piece]
        + (3 * t**2 - 2 * t**3) * end
        + (t**3 - t**2) * step * slopes[piece + 1]
    )
