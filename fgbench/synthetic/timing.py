"""Timing of a clip's action units: neutral, onset, apex, offset, neutral (FACS timing phases).

Every intensity is a product of ramps that are 1 throughout the apex and of a shallow parabola that has its
top at the key frame, so that the total intensity has exactly one largest frame: the key frame.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

PHASES = ("neutral", "onset", "apex", "offset")
"""Names of the phases in the truth table."""

APEX_SAG = 0.10
"""Share of its intensity that an action unit has lost at the far end of the apex; not stated in the paper."""
_BLINK_S = 0.26
"""Length of a blink; 0.1 to 0.4 s in people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Phases of a clip, in frames from 0; a phase lasts up to, and without, the next one's first frame.

    Attributes:
        n_frames: Length of the clip.
        onset: First frame that is not neutral.
        apex: First frame of the apex.
        key_frame: Frame of the largest intensity.
        offset: First frame after the apex.
        rest: First neutral frame after the expression.
    """

    n_frames: int
    onset: int
    apex: int
    key_frame: int
    offset: int
    rest: int

    def phases(self) -> list[str]:
        """Phase of every frame, one of :data:`PHASES`."""
        bounds = (0, self.onset, self.apex, self.offset, self.rest, self.n_frames)
        names = (*PHASES, PHASES[0])
        return [
            name
            for name, start, end in zip(names, bounds, bounds[1:], strict=False)
            for _ in range(end - start)
        ]


def draw_timing(n_frames: int, rng: np.random.Generator) -> Timing:
    """Phases of random length; the apex takes 20 to 40 % of the clip, every phase at least two frames."""
    shares = rng.uniform((0.08, 0.14, 0.22, 0.14, 0.08), (0.16, 0.26, 0.40, 0.26, 0.16))
    bounds = np.cumsum(shares / shares.sum())[:-1] * n_frames
    onset, apex, offset, rest = (round(bound) for bound in bounds)
    onset = max(onset, 1)
    apex = max(apex, onset + 2)
    offset = max(offset, apex + 3)
    rest = min(max(rest, offset + 2), n_frames - 1)
    share = rng.uniform(0.25, 0.75)
    key_frame = apex + 1 + int(share * (offset - apex - 2))
    return Timing(n_frames=n_frames, onset=onset, apex=apex, key_frame=key_frame, offset=offset, rest=rest)


def envelope(timing: Timing, *, early: float = 0.0, late: float = 0.0) -> npt.NDArray[np.float64]:
    """Course of one action unit over a clip, relative to its apex intensity.

    Args:
        timing: Phases of the clip.
        early: Share (0 to 0.5) of the onset after which this unit sets in: late units rise faster.
        late: Share (0 to 0.5) of the offset by which this unit disappears before the others.

    Returns:
        float64 (n_frames,), 0 to 1; 1 at the key frame only.
    """
    frame = np.arange(timing.n_frames, dtype=np.float64)
    start = timing.onset - 1 + early * (timing.apex - timing.onset)
    end = timing.rest - late * (timing.rest - timing.offset)
    rise = smooth_step((frame - start) / (timing.apex - start))
    fall = smooth_step((end - frame) / (end - timing.offset + 1))
    reach = max(timing.key_frame - timing.apex, timing.offset - timing.key_frame)
    sag = 1.0 - APEX_SAG * np.minimum(((frame - timing.key_frame) / reach) ** 2, 4.0)
    return np.asarray(rise * fall * sag)


def blinks(timing: Timing, fps: float, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Closure by blinks, which never touch the apex: float64 (n_frames,), 0 to 1."""
    frame = np.arange(timing.n_frames, dtype=np.float64)
    half = 0.5 * _BLINK_S * fps
    closure = np.zeros(timing.n_frames)
    spans = ((-half, timing.apex - 1 - half), (timing.offset + half, timing.n_frames + half))
    for start, end in spans:
        wanted = rng.random() < min(1.0, (end - start) / fps * 0.6)
        centre = rng.uniform(start, max(end, start + 1e-6))
        if wanted and end > start:
            closure = np.maximum(closure, smooth_step(1.6 * (1.0 - np.abs(frame - centre) / half)))
    closure[timing.apex : timing.offset] = 0.0
    return closure


def sway(n_frames: int, fps: float, *, period_s: float, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Smooth idle motion around 0: float64 (n_frames,), standard deviation near 1 over long clips."""
    time_s = np.arange(n_frames) / fps
    waves = [
        np.sin(2 * np.pi * (time_s / (period_s * stretch) + rng.random())) for stretch in (1.0, 0.61, 0.37)
    ]
    return np.asarray(np.dot((1.0, 0.7, 0.4), waves) / 0.9)


def smooth_step(x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """0 up to x = 0, 1 from x = 1, with zero slope and curvature at both ends in between."""
    x = np.clip(x, 0.0, 1.0)
    return np.asarray(x**3 * (x * (6.0 * x - 15.0) + 10.0))
