"""Quality of the landmarks of a frame: a number from 0 to 1.

It is the smaller of two agreements. That with the *detection*, where the detector looked at the face in this
frame (it does wherever the face moved fast), is ``1 / (1 + d ** 2)``; d is the distance between the
landmarks' box and the detector's, 1 where landmarks would be predicted anew
(:func:`fgbench.faces.locating.distance`). That with the *frames around* is ``1 / (1 + (s / 0.045) ** 2)``; s
is the change of shape: the root mean square of the distances between the landmarks of the frame and those of
the previous frame, or of the next if that is less, both moved onto dlib's mean face, in sides of its
square. Frames around are those with the next lower and higher number in which the same track is followed.
An agreement without anything to compare is 1: a still picture is rated by its detection alone.

On photographed people who speak and turn, s is at most 0.039; on heads drawn in fast motion it is 0.03 to
0.08 where the landmarks lie beside the face.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from fgbench.faces.geometry import N_IBUG_POINTS, Floats, apply_transform, chip_frame, invert
from fgbench.faces.observation import Observation
from fgbench.faces.status import OK, UNSURE
from fgbench.media.video import Frame

_HALF_CHANGE = 0.045  # of shape, in sides of the mean face's square, at which the agreement is a half
_JAW = 17  # points of the jaw come first, and are the least reliable


def agreement_with_detection(distance: float) -> float:
    """Agreement of landmarks with the detection, 0 to 1.

    Args:
        distance: See :func:`fgbench.faces.locating.distance`.
    """
    return 1 / (1 + distance**2)


def shape(landmarks: Floats) -> npt.NDArray[np.float64]:
    """Landmarks without the jaw, moved onto the mean face: (51, 2) or (5, 2) float64."""
    moved = apply_transform(invert(chip_frame(landmarks)), landmarks)
    return moved[_JAW:] if len(landmarks) == N_IBUG_POINTS else moved


class Judge:
    """Rates the frames of one clip; each waits for the next one.

    Args:
        min_quality: A face with a lower quality gets the status ``unsure``.
    """

    def __init__(self, min_quality: float) -> None:
        self._min_quality = min_quality
        self._last: tuple[Frame, Observation] | None = None
        self._held: deque[tuple[Frame, Observation]] = deque()

    def feed(self, decided: list[tuple[Frame, Observation]]) -> list[tuple[Frame, Observation]]:
        """Take the next frames, in order; return the frames that are rated now."""
        judged = []
        for item in decided:
            self._held.append(item)
            if len(self._held) > 1:
                judged.append(self._judged(self._held.popleft(), item))
        return judged

    def finish(self) -> list[tuple[Frame, Observation]]:
        """Rate the frame that still waits."""
        return [self._judged(self._held.popleft(), None)] if self._held else []

    def _judged(
        self, item: tuple[Frame, Observation], after: tuple[Frame, Observation] | None
    ) -> tuple[Frame, Observation]:
        before, self._last = self._last, item
        frame, observation = item
        if observation.quality is None:
            return item
        changes = [
            _change(observation, other[1])
            for other in (before, after)
            if other is not None
            and abs(other[0].index - frame.index) == 1
            and other[1].track_id == observation.track_id
        ]
        agreement = 1 / (1 + (min(changes) / _HALF_CHANGE) ** 2) if changes else 1.0
        quality = min(observation.quality, agreement)
        is_unsure = observation.status == OK and quality < self._min_quality
        status = UNSURE if is_unsure else observation.status
        return frame, replace(observation, quality=quality, status=status)


def _change(observation: Observation, other: Observation) -> float:
    """Change of shape between two observations of one track."""
    assert observation.landmarks is not None, "a face with a quality has landmarks"
    assert other.landmarks is not None, "a face of a track has landmarks"
    apart = shape(observation.landmarks.astype(np.float64)) - shape(other.landmarks.astype(np.float64))
    return float(np.sqrt((apart**2).sum(axis=1).mean()))
