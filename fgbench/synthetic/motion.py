"""The control set ``motion``: classes that differ by the speed of the onset alone.

All classes are played with the same recipe of action units, that of astonishment. Clips come in
matched groups, one clip of each class: person, scene, intensities, movement of head and eyes, length and
key frame are drawn once for the group. The fewer frames the onset takes, the more the offset does,
backwards along the same path::

    class          onset   offset
    amazement      24      4        frames
    surprise       10      18
    astonishment   4       24

So the frames of the apex are the same pictures in all classes of a group, and so are the neutral ones; and
since onset and offset take the same number of frames together and begin at random between two frames, a
frame from a random position in the clip, its distance from the key frame unknown, is as likely to be of one
class as of another. The classes differ in how fast the face changes, and in which direction. Not
in the paper: a test of temporal models.
"""

from __future__ import annotations

from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from fgbench.synthetic.performance import Performance, driven, performance, played_units
from fgbench.synthetic.timing import APEX_SAG, Timing, smooth_step

ONSET_FRAMES = MappingProxyType({"amazement": 24, "surprise": 10, "astonishment": 4})
"""Class to the frames of its onset."""
CHANGING_FRAMES = 28
"""Frames of onset and offset together."""
PLAYED_AS = "astonishment"
"""Class whose action units are used for all classes."""

_HELD = (5, 7)
"""Least and most frames of the apex on either side of the key frame: more than go to the image set."""
_REST = (3, 8)
"""Least and most neutral frames before the earliest onset, and after the latest offset."""
_LAG = 0.3
"""Largest share of onset and offset that an action unit misses at its neutral end."""


def offset_frames(label: str) -> int:
    """Frames of the offset of a class.

    Raises:
        KeyError: If the control has no such class.
    """
    return CHANGING_FRAMES - ONSET_FRAMES[label]


def perform_motion(label: str, fps: float, rng: np.random.Generator) -> Performance:
    """Play a clip of a matched group, without blinks, which would fall on other phases in each class.

    Args:
        label: One of :data:`ONSET_FRAMES`.
        fps: Frames per second.
        rng: Source of all variation; the same state for all classes of a group.

    Raises:
        KeyError: If the control has no such class.
    """
    held = int(rng.integers(_HELD[0], _HELD[1] + 1))
    before, after = rng.integers(_REST[0], _REST[1] + 1, 2).tolist()
    longest = max(ONSET_FRAMES.values()), max(map(offset_frames, ONSET_FRAMES))
    key_frame = before + longest[0] + held
    timing = Timing(
        n_frames=key_frame + held + 1 + longest[1] + after,
        onset=key_frame - held - ONSET_FRAMES[label],
        apex=key_frame - held,
        key_frame=key_frame,
        offset=key_frame + held + 1,
        rest=key_frame + held + 1 + offset_frames(label),
    )
    shift, end_shift = rng.uniform(0.0, 1.0, 2).tolist()
    units = played_units(PLAYED_AS, rng)

    def course() -> npt.NDArray[np.float64]:
        return _course(timing, shift=shift, end_shift=end_shift, lag=_LAG * rng.random())

    return performance(timing, driven(units, timing.n_frames, course, rng), fps, rng)


def _course(timing: Timing, *, shift: float, end_shift: float, lag: float) -> npt.NDArray[np.float64]:
    """Course of one action unit: float64 (n_frames,), 1 at the key frame only.

    Args:
        timing: Phases of the clip.
        shift: Part of a frame (0 to 1) by which the apex begins before its first frame.
        end_shift: Part of a frame by which it ends after its last one.
        lag: Share of the onset after which the unit sets in, and of the offset before whose end it is gone.
    """
    frame = np.arange(timing.n_frames, dtype=np.float64)
    left_in_onset = (timing.apex - shift - frame) / (timing.apex - timing.onset)
    gone_in_offset = (frame - timing.offset + 1 - end_shift) / (timing.rest - timing.offset)
    away = np.maximum(left_in_onset, gone_in_offset)
    held = timing.key_frame - timing.apex
    sag = 1.0 - APEX_SAG * np.minimum(((frame - timing.key_frame) / held) ** 2, 1.0)
    return np.asarray(smooth_step(1.0 - away / (1.0 - lag)) * sag)
