"""Smooth landmarks by those of the frames before and after, without lag.

The predictor's landmarks tremble: each frame has its own error. A point moves towards the middle between its
positions in the previous and the next frame, so a point at rest, or in even motion, is averaged with
weights 1/4, 1/2, 1/4 and does not lag. A point that lies away from that middle turns, starts or stops
(a lid that blinks, a head that is thrown), and the share fades: ``(1/2) / (1 + (d / 0.04) ** 2)``, d the
distance from the middle in sides of the square of dlib's mean face; trembling is about 0.01 of it.

Only neighbours count: the frames with the next lower and the next higher number, the same track, with
reliable landmarks. A frame that lacks one of them keeps its landmarks. Ours; not in the paper.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace

import numpy as np

from fgbench.faces.geometry import Floats, chip_frame, scale_of
from fgbench.faces.observation import Observation
from fgbench.faces.status import OK
from fgbench.media.video import Frame

_HALF_STEP = 0.04  # from the middle, in sides of the mean face's square, at which a point moves half as much


class Smoother:
    """Smooths the frames of one clip; each waits for the next one.

    Args:
        is_on: Whether landmarks are changed at all.
    """

    def __init__(self, *, is_on: bool) -> None:
        self._is_on = is_on
        self._before: tuple[Frame, Observation] | None = None  # unsmoothed
        self._held: deque[tuple[Frame, Observation]] = deque()

    def feed(self, decided: list[tuple[Frame, Observation]]) -> list[tuple[Frame, Observation]]:
        """Take the next frames, in order; return the frames that are smoothed now."""
        if not self._is_on:
            return decided
        done = []
        for item in decided:
            self._held.append(item)
            if len(self._held) > 1:
                done.append(self._smoothed(self._held.popleft(), item))
        return done

    def finish(self) -> list[tuple[Frame, Observation]]:
        """Return the frame that still waits."""
        return [self._held.popleft()] if self._held else []

    def _smoothed(
        self, item: tuple[Frame, Observation], after: tuple[Frame, Observation]
    ) -> tuple[Frame, Observation]:
        before, self._before = self._before, item
        frame, observation = item
        if before is None or not _are_neighbours(before, item) or not _are_neighbours(item, after):
            return item
        trio = (before[1].landmarks, observation.landmarks, after[1].landmarks)
        points = [landmarks for landmarks in trio if landmarks is not None]
        assert len(points) == 3, "a face of a track has landmarks"
        return frame, replace(observation, landmarks=steadied(*points).astype(np.float32))


def steadied(before: Floats, landmarks: Floats, after: Floats) -> Floats:
    """Landmarks of a frame, smoothed by those of the frames around it.

    Args:
        before: (68, 2) or (5, 2) px of the previous frame.
        landmarks: Those of the frame.
        after: Those of the next frame.

    Returns:
        Of the same shape, float64.
    """
    middle = (before.astype(np.float64) + after) / 2
    away = middle - landmarks
    distance = np.linalg.norm(away, axis=1) / scale_of(chip_frame(landmarks.astype(np.float64)))
    share = 0.5 / (1 + (distance / _HALF_STEP) ** 2)
    return np.asarray(landmarks + share[:, None] * away)


def _are_neighbours(first: tuple[Frame, Observation], second: tuple[Frame, Observation]) -> bool:
    """Return whether two frames follow each other and show one face, both reliably."""
    return (
        second[0].index - first[0].index == 1
        and first[1].status == second[1].status == OK
        and first[1].track_id == second[1].track_id
        and first[1].landmarks is not None
        and second[1].landmarks is not None
    )
