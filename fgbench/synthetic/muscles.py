"""Movement of the skin by action units: displacement fields over reference points, and their weights.

Each field is a sum of smooth pushes, written for the person's left half (x > 0) in units of the distance of
the outer eye corners (about 9 cm); the right half mirrors it. Sizes follow the descriptions of the FACS
manual; the numbers are our own (not stated in the paper). A face is rest + sum of weight x field.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from fgbench.synthetic import anatomy
from fgbench.synthetic.action_units import CHANNELS, Activation, channels_of
from fgbench.synthetic.anatomy import Points

_MIDLINE_SOFTNESS = 0.05


@dataclass(frozen=True, slots=True)
class Push:
    """A bell-shaped displacement.

    Attributes:
        x, y: Centre.
        rx, ry: Radii at which the push has fallen to 1/e.
        dx, dy, dz: Displacement at the centre.
        gx, gy: Stretch: extra displacement per unit of distance from the centre, in x and in y.
        part: ``"skin"`` for all, ``"upper"`` or ``"lower"`` for one lip and the skin around it.
    """

    x: float
    y: float
    rx: float
    ry: float
    dx: float = 0.0
    dy: float = 0.0
    dz: float = 0.0
    gx: float = 0.0
    gy: float = 0.0
    part: str = "skin"


@dataclass(frozen=True, slots=True)
class Lids:
    """Displacement of the lids' margins in the middle of the eye; positive is down."""

    upper: float = 0.0
    lower: float = 0.0


OPENING = anatomy.eye_opening()
"""Height of an open eye at rest: the movement of the upper lid when the eye closes."""

_MOUTH_Y = 0.853
FIELDS: Mapping[int, tuple[Push | Lids, ...]] = MappingProxyType(
    {
        1: (Push(0.15, -0.24, 0.19, 0.17, dy=-0.125), Push(0.10, -0.50, 0.25, 0.20, dy=-0.05)),
        2: (Push(0.55, -0.22, 0.21, 0.17, dy=-0.125), Push(0.48, -0.50, 0.25, 0.20, dy=-0.05)),
        4: (
            Push(0.15, -0.21, 0.20, 0.16, dx=-0.070, dy=0.085, dz=0.02),
            Push(0.48, -0.21, 0.20, 0.13, dx=-0.030, dy=0.045),
        ),
        5: (Lids(upper=-0.042, lower=0.006),),
        6: (
            Push(0.44, 0.27, 0.24, 0.20, dx=-0.010, dy=-0.075, dz=0.05),
            Push(0.62, -0.05, 0.12, 0.12, dx=-0.02, dy=0.012),
            Lids(lower=-0.020, upper=0.008),
        ),
        7: (Lids(upper=0.022, lower=-0.030),),
        9: (
            Push(0.13, 0.46, 0.15, 0.16, dx=0.015, dy=-0.060),
            Push(0.12, -0.20, 0.17, 0.16, dx=-0.035, dy=0.060),
            Push(0.0, 0.77, 0.22, 0.13, dy=-0.062, part="upper"),
            Push(0.30, 0.30, 0.18, 0.16, dx=-0.02, dy=-0.05, dz=0.03),
            Lids(lower=-0.014, upper=0.010),
        ),
        10: (
            Push(0.0, 0.75, 0.26, 0.13, dy=-0.088, dz=0.03, part="upper"),
            Push(0.20, 0.52, 0.15, 0.14, dx=0.020, dy=-0.040),
            Push(0.36, 0.45, 0.18, 0.18, dy=-0.035, dz=0.04),
        ),
        11: (
            Push(0.23, 0.76, 0.14, 0.12, dx=0.005, dy=-0.045, part="upper"),
            Push(0.28, 0.50, 0.16, 0.16, dy=-0.025, dz=0.04),
        ),
        12: (
            Push(0.36, 0.86, 0.21, 0.19, dx=0.115, dy=-0.145, dz=-0.06),
            Push(0.45, 0.47, 0.24, 0.20, dx=0.025, dy=-0.050, dz=0.06),
            Push(0.17, 0.53, 0.10, 0.09, dx=0.022, dy=-0.008),
            Push(0.0, 0.80, 0.30, 0.10, dy=0.014, part="upper"),
            Lids(lower=-0.008),
        ),
        14: (
            Push(0.38, 0.85, 0.17, 0.16, dx=0.045, dy=-0.008, dz=-0.07),
            Push(0.33, _MOUTH_Y, 0.17, 0.12, gy=-0.35),
        ),
        15: (
            Push(0.36, 0.88, 0.19, 0.19, dx=0.010, dy=0.110),
            Push(0.38, 1.05, 0.20, 0.16, dy=0.040, dz=0.02),
            Push(0.0, 0.98, 0.22, 0.14, dy=-0.018, part="lower"),
        ),
        16: (
            Push(0.0, 0.95, 0.28, 0.16, dy=0.085, part="lower"),
            Push(0.0, 1.10, 0.30, 0.12, dy=0.03, dz=-0.02),
        ),
        17: (
            Push(0.0, 1.16, 0.24, 0.125, dy=-0.085, dz=0.05),
            Push(0.0, 0.92, 0.27, 0.17, dy=-0.052, dz=0.04),
        ),
        18: (
            Push(0.34, 0.86, 0.20, 0.18, dx=-0.150, dz=0.05),
            Push(0.0, _MOUTH_Y, 0.26, 0.20, dz=0.12, gy=0.42),
        ),
        19: (),
        20: (
            Push(0.37, 0.88, 0.21, 0.19, dx=0.125, dy=0.030, dz=-0.06),
            Push(0.0, _MOUTH_Y, 0.30, 0.16, gy=-0.15),
        ),
        22: (
            Push(0.34, 0.86, 0.20, 0.18, dx=-0.075),
            Push(0.0, _MOUTH_Y, 0.30, 0.20, dz=0.10, gy=0.45),
        ),
        23: (
            Push(0.34, 0.86, 0.18, 0.16, dx=-0.040),
            Push(0.0, _MOUTH_Y, 0.34, 0.15, gy=-0.62),
        ),
        24: (
            Push(0.34, 0.86, 0.18, 0.16, dx=-0.010, dy=0.008),
            Push(0.0, _MOUTH_Y, 0.36, 0.16, dz=-0.03, gy=-0.70),
        ),
        25: (
            Push(0.0, 0.78, 0.24, 0.12, dy=-0.030, part="upper"),
            Push(0.0, 0.93, 0.26, 0.26, dy=0.075, part="lower"),
        ),
        26: (),
        27: (Push(0.36, 0.86, 0.20, 0.20, dx=-0.050),),
        28: (Push(0.0, _MOUTH_Y, 0.40, 0.17, dz=-0.08, gy=-0.85),),
        32: (Push(0.0, 0.93, 0.24, 0.13, dy=-0.040, gy=-0.30, part="lower"),),
        43: (Lids(upper=OPENING),),
        63: (Lids(upper=-0.012),),
        64: (Lids(upper=0.042, lower=0.010),),
    }
)
"""AU number to its displacements; empty for AUs that are drawn, or turn head and eyes."""

_JAW = MappingProxyType({26: 0.215, 27: 0.430})
"""Movement of the chin when the jaw drops."""


def basis(points: Points) -> npt.NDArray[np.float32]:
    """Displacement of reference points by each channel at full weight: float32 (channels, N, 3)."""
    result = np.zeros((len(CHANNELS), len(points), 3))
    left = 1.0 / (1.0 + np.exp(-np.clip(points[:, 0] / (0.5 * _MIDLINE_SOFTNESS), -60.0, 60.0)))
    for au, moves in FIELDS.items():
        channels = channels_of(au)
        for move in moves:
            for sign, side in ((1.0, left), (-1.0, 1.0 - left)):
                channel = channels[0] if len(channels) == 1 or sign > 0 else channels[1]
                result[channel] += side[:, None] * _displacement(move, points, sign)
    for au, way in _JAW.items():
        result[channels_of(au)[0]] += way * _jaw(points)
    return result.astype(np.float32)


def weights(activation: Activation, *, opening: float = OPENING) -> Activation:
    """Weights of the fields for an activation; lids meet and do not pass each other.

    Args:
        activation: float32 (channels,).
        opening: Height of this person's open eye at rest.
    """
    result = activation.copy()
    for change_by_channel, close, blink in _lid_channels():
        wide = opening + float((change_by_channel * activation).sum())
        room = max(wide, 0.1 * opening)
        closure = max(float(activation[close]), float(activation[blink]))
        result[close] = (closure * room + wide - room) / OPENING
    return result


@lru_cache(maxsize=1)
def _lid_channels() -> tuple[tuple[npt.NDArray[np.float32], int, int], ...]:
    """For each eye: the opening by each channel, and the channels of eye closure and blink."""
    eyes = []
    for side, x in (("L", anatomy.EYE_X), ("R", -anatomy.EYE_X)):
        middle = np.array([x])
        margins = [
            anatomy.on_surface(np.column_stack([middle, anatomy.lid_line(middle, upper=upper)]))
            for upper in (True, False)
        ]
        upper_lid, lower_lid = basis(np.concatenate(margins)).transpose(1, 0, 2)
        change = lower_lid[:, 1] - upper_lid[:, 1]
        (close,), (blink,) = channels_of(43, side), channels_of(45, side)
        change[close] = 0.0
        eyes.append((change, close, blink))
    return tuple(eyes)


def _displacement(move: Push | Lids, points: Points, sign: float) -> npt.NDArray[np.float64]:
    if isinstance(move, Lids):
        return _lids(move, points)
    x, y, lower = sign * points[:, 0], points[:, 1], points[:, 3]
    bell = np.exp(-(((x - move.x) / move.rx) ** 2) - ((y - move.y) / move.ry) ** 2)
    if move.part != "skin":
        bell = bell * (lower if move.part == "lower" else 1.0 - lower)
    dx = sign * (move.dx + move.gx * (x - move.x))
    dy = move.dy + move.gy * (y - move.y)
    return bell[:, None] * np.stack([dx, dy, np.full_like(dx, move.dz)], axis=1)


def _lids(move: Lids, points: Points) -> npt.NDArray[np.float64]:
    """Lids slide over the eyeball; the skin between margin and crease folds and unfolds."""
    x, y = points[:, 0], points[:, 1]
    bell = anatomy.lid_bell(x)
    above = (anatomy.lid_line(x, upper=True) - y) / 0.068
    below = (y - anatomy.lid_line(x, upper=False)) / 0.13
    upper = bell * _fall(above) * (below < 0)
    lower = bell * _fall(below) * (below >= -1e-9)
    dy = move.upper * upper * (below < -1e-9) + move.lower * lower
    return np.stack([np.zeros_like(dy), dy, np.zeros_like(dy)], axis=1)


def _jaw(points: Points) -> npt.NDArray[np.float64]:
    """The jaw turns about the ears: full way at chin and lower lip, none above the mouth."""
    x, y, lower = np.abs(points[:, 0]), points[:, 1], points[:, 3]
    side = _rise((y - 0.30) / 0.95)
    middle = lower * (0.86 + 0.14 * _rise((y - 0.85) / 0.3))
    mix = _rise((x - 0.16) / 0.36)
    way = (1.0 - mix) * middle + mix * np.minimum(side, np.maximum(lower, 0.25 * side))
    return np.stack([np.zeros_like(way), way, -0.30 * way], axis=1)


def _rise(x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    x = np.clip(x, 0.0, 1.0)
    return np.asarray(x * x * (3.0 - 2.0 * x))


def _fall(x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray(1.0 - _rise(x))
