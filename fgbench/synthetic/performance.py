"""Movements of a person in a clip: AU intensities, idle head motion and gaze per frame, for one class."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fgbench.synthetic.action_units import CHANNELS, PAIRED, Activation, channels_of, total_intensity
from fgbench.synthetic.recipes import recipes
from fgbench.synthetic.timing import Timing, blinks, draw_timing, envelope, sway

_STRAY = (1, 2, 4, 6, 7, 12, 14, 15, 17)
"""Action units that may occur weakly though they are not of the class."""
_STRAY_INTENSITY = 0.12
_SIDE_SPREAD = 0.06
"""Largest relative difference of either side from the mean."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Performance:
    """One clip's course of motion.

    Attributes:
        timing: Phases.
        activations: float32 (n_frames, channels), as in the truth table.
        sway_deg: float64 (n_frames, 3): idle yaw, pitch and roll on top of the head's pose.
        gaze: float64 (n_frames, 2): idle gaze, fractions of the largest turn, to the person's left and up.
    """

    timing: Timing
    activations: Activation
    sway_deg: npt.NDArray[np.float64]
    gaze: npt.NDArray[np.float64]


def perform(label: str, n_frames: int, fps: float, rng: np.random.Generator) -> Performance:
    """Play a class once.

    Args:
        label: One of the 33 classes.
        n_frames: Length in frames, at least 12.
        fps: Frames per second.
        rng: Source of all variation.

    Raises:
        KeyError: If there is no such class.
    """
    timing = draw_timing(n_frames, rng)
    units = played_units(label, rng)

    def course() -> npt.NDArray[np.float64]:
        return envelope(timing, early=0.3 * rng.random(), late=0.3 * rng.random())

    course_by_channel = driven(units, n_frames, course, rng)
    course_by_channel[:, list(channels_of(45))] = blinks(timing, fps, rng)[:, None]
    return performance(timing, course_by_channel, fps, rng)


def played_units(label: str, rng: np.random.Generator) -> list[tuple[int, str, float]]:
    """Action unit, side and apex intensity of all units in one take of a class, chance ones included.

    Raises:
        KeyError: If there is no such class.
    """
    units = [(drive.au, drive.side, drive.intensity * rng.uniform(0.82, 1.12)) for drive in recipes()[label]]
    played = {au for au, _, _ in units}
    for au in rng.permutation(_STRAY)[: rng.integers(0, 3)]:
        if int(au) not in played:
            units.append((int(au), "B", _STRAY_INTENSITY * rng.random()))
    return units


def driven(
    units: Sequence[tuple[int, str, float]],
    n_frames: int,
    course: Callable[[], npt.NDArray[np.float64]],
    rng: np.random.Generator,
) -> npt.NDArray[np.float64]:
    """Intensity of every channel in every frame: float64 (n_frames, channels).

    Args:
        units: Action unit, side and apex intensity.
        n_frames: Length of the clip.
        course: Called once per unit: its course relative to the apex, float64 (n_frames,).
        rng: Source of the differences between the two sides of a face.
    """
    by_channel = np.zeros((n_frames, len(CHANNELS)))
    for au, side, intensity in units:
        relative = course()
        lean = rng.uniform(-_SIDE_SPREAD, _SIDE_SPREAD) if au in PAIRED and side == "B" else 0.0
        for channel, factor in zip(channels_of(au, side), (1.0 + lean, 1.0 - lean), strict=False):
            by_channel[:, channel] = min(intensity * factor, 1.0) * relative
    return by_channel


def performance(
    timing: Timing, by_channel: npt.NDArray[np.float64], fps: float, rng: np.random.Generator
) -> Performance:
    """Intensities (n_frames, channels) with idle motion of head and eyes."""
    n_frames = len(by_channel)
    activations = by_channel.astype(np.float32)
    assert int(total_intensity(activations).argmax()) == timing.key_frame
    sway_deg = np.stack(
        [size * sway(n_frames, fps, period_s=rng.uniform(2.5, 5.0), rng=rng) for size in (0.9, 0.6, 0.6)],
        axis=1,
    )
    gaze = np.stack([0.06 * sway(n_frames, fps, period_s=1.7, rng=rng) for _ in range(2)], axis=1)
    return Performance(timing=timing, activations=activations, sway_deg=sway_deg, gaze=gaze)
