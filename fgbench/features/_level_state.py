"""State of one pyramid level between frames: expansion, picture, flow and live trajectories."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from fgbench.features._corners import QUALITY, STEP_PX, corner_quality, free_centres
from fgbench.features._descriptors import (
    CHANNEL_EDGES,
    FRAME_SIZE,
    STILL_PX,
    add_normalised,
    angle_taps,
    patch_corners,
    patch_histograms,
)
from fgbench.features._flow import refine, window_taps
from fgbench.features._polynomial import empty_expansion, empty_plane, expand, fit_taps
from fgbench.features._pyramid import Level, reduce_image
from fgbench.features._tracks import FRAMES_PER_CELL, LENGTH, TIME_CELLS, LiveTracks, follow

ITERATIONS = 2
MEDIAN_PX = 5
_NEVER = np.float32(-1)

_ROOT_2 = np.float32(np.sqrt(2.0))

Image = npt.NDArray[np.uint8]
Plane = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Finished:
    """Trajectories of one level that reached their full length in this frame.

    Attributes:
        points: (N, 16, 2) float64 in full-size px.
        slots: (N,) slots of their histograms.
    """

    points: npt.NDArray[np.float64]
    slots: npt.NDArray[np.int64]


class LevelState:
    """One level; the steps of a frame are called in the order of the methods."""

    def __init__(self, level: Level) -> None:
        self.level = level
        shape = (level.height, level.width)
        self.image: Image = np.zeros(shape, np.uint8)
        self.u: Plane = np.zeros(shape, np.float32)
        self.v: Plane = np.zeros(shape, np.float32)
        self.tracks = LiveTracks()
        self._previous_image: Image = self.image
        self._smooth: Plane = empty_plane(level.width, level.height)
        self._before = empty_expansion(level.width, level.height)
        self._after = empty_expansion(level.width, level.height)
        self._centres = np.empty((level.height // STEP_PX, level.width // STEP_PX), np.float32)
        self._fit_taps, self._window_taps, self._angle_taps = fit_taps(), window_taps(), angle_taps()

    def take_image(self, frame: Plane, finer: Image) -> None:
        """Take the next frame.

        Args:
            frame: Full-size gray frame, float32, from which the level's blurred picture is made.
            finer: Picture of the next finer level (of this level if it is the finest), from which the picture
                for corners and HOG is reduced without blur.
        """
        self._previous_image = self.image
        size = (self.level.width, self.level.height)
        self.image = finer if finer.shape == self.u.shape else cv2.resize(finer, size)
        plane = self._smooth[: self.u.size].reshape(self.u.shape)
        reduce_image(frame, *self.level.columns, *self.level.rows, plane)
        self._before, self._after = self._after, self._before
        expand(self._smooth, *size, self._fit_taps, self._after)

    def find_flow(self, coarser: LevelState | None) -> None:
        """Compute the median filtered flow from the previous frame, starting with the coarser level's."""
        size = (self.level.width, self.level.height)
        if coarser is None:
            u, v = np.zeros_like(self.u), np.zeros_like(self.v)
        else:
            u, v = cv2.resize(coarser.u, size), cv2.resize(coarser.v, size)
            u *= _ROOT_2
            v *= _ROOT_2
        for _ in range(ITERATIONS):
            refine(self._before, self._after, self._window_taps, u, v)
        self.u, self.v = cv2.medianBlur(u, MEDIAN_PX), cv2.medianBlur(v, MEDIAN_PX)

    def follow_tracks(self) -> npt.NDArray[np.float32]:
        """Move the live trajectories and drop those that leave the picture.

        Returns:
            (N, 2) float32 points of the remaining ones in the previous frame.
        """
        ends = self.tracks.ends()
        moved = np.empty_like(ends)
        is_inside = np.empty(len(ends), np.bool_)
        follow(ends, self.u, self.v, moved, is_inside)
        self.tracks.keep(is_inside)
        self.tracks.extend(moved[is_inside])
        return ends[is_inside]

    def describe(self, points: npt.NDArray[np.float32]) -> None:
        """Add the histograms around the previous frame's points to their trajectories' sums."""
        n = len(points)
        corners, by_row = np.empty((n, 2), np.int64), np.empty(n, np.int64)
        row_start = patch_corners(points, self.level.width, self.level.height, corners, by_row)
        slots = self.tracks.slots
        time_cells = (self.tracks.ages[slots] - 1) // FRAMES_PER_CELL
        vectors = (
            (self._previous_image, self._previous_image, True, _NEVER),
            (self.u, self.v, False, STILL_PX),
            (self.u, self.u, True, _NEVER),
            (self.v, self.v, True, _NEVER),
        )
        counts = np.empty((n, FRAME_SIZE), np.int32)
        for channel, (x, y, is_gradient, still) in enumerate(vectors):
            patch_histograms(
                x, y, is_gradient, still, self._angle_taps, corners, by_row, row_start, counts, channel
            )
        add_normalised(counts, slots, time_cells, self.tracks.sums)

    def take_finished(self) -> Finished:
        """Remove and return the trajectories of full length."""
        slots = self.tracks.slots
        is_full = self.tracks.ages[slots] == LENGTH
        full = slots[is_full]
        self.tracks.keep(~is_full)
        return Finished(self.tracks.points[full] * np.float64(self.level.scale), full)

    def histograms(self, slots: npt.NDArray[np.int64], channel: int) -> npt.NDArray[np.float16]:
        """Return mean histograms of finished trajectories, one channel; only before :meth:`sample`.

        Args:
            slots: (N,) as in :class:`Finished`.
            channel: 0 to 3: HOG, HOF, MBHx, MBHy.

        Returns:
            (N, 3 B) float16, B numbers per time cell.
        """
        first, end = CHANNEL_EDGES[channel : channel + 2]
        mean = self.tracks.sums[slots, :, first:end] / np.float32(FRAMES_PER_CELL)
        return mean.astype(np.float16).reshape(len(slots), TIME_CELLS * (end - first))

    def sample(self) -> None:
        """Begin trajectories in the free cells that are worth tracking."""
        strongest = corner_quality(self.image, self._centres)
        self.tracks.start(free_centres(self._centres, QUALITY * strongest, self.tracks.ends()))
