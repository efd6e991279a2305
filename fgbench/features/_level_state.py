"""What one pyramid level carries from frame to frame: expansion, picture, flow and live trajectories."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from fgbench.features._corners import QUALITY, STEP_PX, corner_quality, free_places
from fgbench.features._descriptors import (
    N_BINS,
    N_CELLS,
    STILL_PX,
    add_normalised,
    angle_taps,
    patch_corners,
    patch_histograms,
)
from fgbench.features._flow import refine, window_taps
from fgbench.features._polynomial import expand, fit_taps
from fgbench.features._pyramid import Level, reduce_image
from fgbench.features._tracks import LENGTH, LiveTracks, Shapes, follow, measure

ITERATIONS = 2
MEDIAN_PX = 5
FRAMES_PER_CELL = 5
TIME_CELLS = LENGTH // FRAMES_PER_CELL
HISTOGRAMS = {"hog": slice(0, 96), "hof": slice(96, 204), "mbhx": slice(204, 300), "mbhy": slice(300, 396)}
"""Columns of the histogram channels in a trajectory's sums."""

_WEIGHT = np.float32(1 / FRAMES_PER_CELL)
_NEVER = np.float32(-1)

_ROOT_2 = np.float32(np.sqrt(2.0))

Image = npt.NDArray[np.uint8]
Plane = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Finished:
    """Trajectories that reached their full length in this frame and are valid.

    Attributes:
        shapes: Their geometry, valid and invalid ones alike.
        histograms: (N, 396) float32 HOG, HOF, MBHx, MBHy of the valid ones.
    """

    shapes: Shapes
    histograms: npt.NDArray[np.float32]


class LevelState:
    """One level; the steps of a frame are called in the order in which they stand here."""

    def __init__(self, level: Level) -> None:
        self.level = level
        shape = (level.height, level.width)
        self.image: Image = np.zeros(shape, np.uint8)
        self.u: Plane = np.zeros(shape, np.float32)
        self.v: Plane = np.zeros(shape, np.float32)
        self.tracks = LiveTracks()
        self._previous_image: Image = self.image
        self._smooth: Plane = np.empty(shape, np.float32)
        self._before = np.empty((5, *shape), np.float32)
        self._after = np.empty((5, *shape), np.float32)
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
        reduce_image(frame, *self.level.columns, *self.level.rows, self._smooth)
        self._before, self._after = self._after, self._before
        expand(self._smooth, self._fit_taps, self._after)

    def find_flow(self, coarser: LevelState | None) -> None:
        """Flow from the previous frame to this one, started from the coarser level's, then median filtered."""
        size = (self.level.width, self.level.height)
        if coarser is None:
            u, v = np.zeros_like(self.u), np.zeros_like(self.v)
        else:
            u, v = (cv2.resize(plane, size) * _ROOT_2 for plane in (coarser.u, coarser.v))
        for _ in range(ITERATIONS):
            refine(self._before, self._after, self._window_taps, u, v)
        self.u, self.v = cv2.medianBlur(u, MEDIAN_PX), cv2.medianBlur(v, MEDIAN_PX)

    def follow_tracks(self) -> npt.NDArray[np.float32]:
        """Move the live trajectories, drop those that leave the picture.

        Returns:
            (N, 2) float32 points of the previous frame from which the remaining ones came.
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
        counts = np.empty((n, N_CELLS, N_BINS), np.int32)
        slots = self.tracks.slots
        time_cells = (self.tracks.ages[slots] - 1) // FRAMES_PER_CELL
        channels = (
            (self._previous_image, self._previous_image, HISTOGRAMS["hog"]),
            (self.u, self.v, HISTOGRAMS["hof"]),
            (self.u, self.u, HISTOGRAMS["mbhx"]),
            (self.v, self.v, HISTOGRAMS["mbhy"]),
        )
        for x, y, columns in channels:
            n_bins = (columns.stop - columns.start) // (N_CELLS * TIME_CELLS)
            is_flow = n_bins == N_BINS
            still = STILL_PX if is_flow else _NEVER
            patch_histograms(x, y, not is_flow, still, self._angle_taps, corners, by_row, row_start, counts)
            starts = columns.start + time_cells * (N_CELLS * n_bins)
            add_normalised(counts, slots, starts, n_bins, _WEIGHT, self.tracks.sums)

    def take_finished(self) -> Finished:
        """Remove the trajectories of full length and give those that are valid."""
        slots = self.tracks.slots
        is_full = self.tracks.ages[slots] == LENGTH
        full = slots[is_full]
        shapes = measure(self.tracks.points[full], self.level.scale)
        histograms = self.tracks.sums[full[shapes.is_valid]]
        self.tracks.keep(~is_full)
        return Finished(shapes, histograms)

    def sample(self) -> None:
        """Begin trajectories in the free cells that have something to track."""
        strongest = corner_quality(self.image, self._centres)
        self.tracks.start(free_places(self._centres, QUALITY * strongest, self.tracks.ends()))
