"""Action units (AUs) of the renderer, and the form in which a face's activation is stored.

An activation is a float vector with one entry per *channel*, 0 (absent) to 1 (maximum, FACS intensity E). AUs
of paired muscles have two channels, left and right *of the person shown*; the others have one. Channel order
is fixed by :data:`CHANNELS`. Numbers and names follow the FACS manual (Ekman, Friesen and Hager, 2002).
"""

from __future__ import annotations

from types import MappingProxyType

import numpy as np
import numpy.typing as npt

Activation = npt.NDArray[np.float32]
"""float32 (..., len(CHANNELS)): intensities, 0 to 1."""

NAMES = MappingProxyType(
    {
        1: "inner brow raiser",
        2: "outer brow raiser",
        4: "brow lowerer",
        5: "upper lid raiser",
        6: "cheek raiser",
        7: "lid tightener",
        9: "nose wrinkler",
        10: "upper lip raiser",
        11: "nasolabial deepener",
        12: "lip corner puller",
        14: "dimpler",
        15: "lip corner depressor",
        16: "lower lip depressor",
        17: "chin raiser",
        18: "lip pucker",
        19: "tongue show",
        20: "lip stretcher",
        22: "lip funneler",
        23: "lip tightener",
        24: "lip pressor",
        25: "lips part",
        26: "jaw drop",
        27: "mouth stretch",
        28: "lip suck",
        32: "lip bite",
        43: "eye closure",
        45: "blink",
        51: "head turn left",
        52: "head turn right",
        53: "head up",
        54: "head down",
        55: "head tilt left",
        56: "head tilt right",
        61: "eyes turn left",
        62: "eyes turn right",
        63: "eyes up",
        64: "eyes down",
    }
)
"""Number of each AU to its name in the FACS manual."""

PAIRED = frozenset({1, 2, 4, 5, 6, 7, 9, 10, 11, 12, 14, 15, 20, 43, 45})
"""AUs with separate channels for the person's left and right half of the face."""

CHANNELS: tuple[tuple[int, str], ...] = tuple(
    (au, side) for au in NAMES for side in (("L", "R") if au in PAIRED else ("B",))
)
"""(AU, side) of each channel; side ``"B"`` stands for both."""

_INDEX = MappingProxyType({channel: number for number, channel in enumerate(CHANNELS)})
_BLINK = 45


def channels_of(au: int, side: str = "B") -> tuple[int, ...]:
    """Channel numbers of an AU.

    Args:
        au: Number of the AU.
        side: ``"L"`` or ``"R"`` (of the person) or ``"B"`` for both.

    Raises:
        KeyError: If the renderer does not have the AU, or a side is given for an AU without sides.
    """
    if au in PAIRED and side == "B":
        return _INDEX[au, "L"], _INDEX[au, "R"]
    return (_INDEX[au, side],)


def neutral() -> Activation:
    """Activation of a face at rest."""
    return np.zeros(len(CHANNELS), np.float32)


def activation(intensities: dict[int | tuple[int, str], float]) -> Activation:
    """Activation from AU numbers, or (AU, side) pairs, to intensities.

    Raises:
        KeyError: If the renderer does not have an AU or a side of it.
    """
    result = neutral()
    for key, intensity in intensities.items():
        au, side = (key, "B") if isinstance(key, int) else key
        result[list(channels_of(au, side))] = intensity
    return result


def columns(activations: Activation) -> dict[str, npt.NDArray[np.float32]]:
    """Truth columns from activations.

    Args:
        activations: float32 (frames, channels).

    Returns:
        ``au01`` … ``au64``, each float32 (frames,), the stronger of both sides where there are two; then
        ``au01_l``, ``au01_r`` … for the paired ones.
    """
    whole = {f"au{au:02d}": activations[:, list(channels_of(au))].max(axis=1) for au in NAMES}
    sides = {
        f"au{au:02d}_{side.lower()}": activations[:, number]
        for number, (au, side) in enumerate(CHANNELS)
        if side != "B"
    }
    return whole | sides


def total_intensity(activations: Activation) -> npt.NDArray[np.float64]:
    """Sum of all AU intensities per frame, without blinks, the stronger side of paired AUs counted once.

    The frame where this sum is greatest is the key frame.

    Args:
        activations: float32 (frames, channels).

    Returns:
        float64 (frames,).
    """
    parts = [activations[:, list(channels_of(au))].max(axis=1) for au in NAMES if au != _BLINK]
    return np.asarray(np.sum(parts, axis=0, dtype=np.float64))
