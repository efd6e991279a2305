"""Live trajectories of one pyramid level: following, dropping, and the test of finished ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fgbench.features._descriptors import FRAME_SIZE
from fgbench.features._rows import kernel

LENGTH = 15
"""Frames that a trajectory is followed; it has one point more."""

MIN_STD_PX = np.sqrt(3.0)
"""A trajectory that spreads less than this in x and in y stands still and is dropped (full-size px)."""

MAX_STD_PX = 50.0
"""A trajectory that spreads more than this in x or in y is dropped as random (full-size px)."""

MAX_JUMP_PX = 20.0
MAX_JUMP_SHARE = 0.7
"""A step longer than 20 px that makes more than 0.7 of the whole path is an error of the flow."""

TIME_CELLS = 3
FRAMES_PER_CELL = LENGTH // TIME_CELLS

Plane = npt.NDArray[np.float32]
Slots = npt.NDArray[np.int64]


class LiveTracks:
    """Live trajectories, oldest first. Memory is organised in slots that are reused.

    Attributes:
        points: (capacity, 16, 2) float32 x, y in px of the level.
        sums: (capacity, 3, 132) float32, the frames' histograms added up by time cell.
        ages: (capacity,) int64, steps done.
        slots: (n,) int64, the slots in use.
    """

    def __init__(self) -> None:
        self.points: npt.NDArray[np.float32] = np.empty((0, LENGTH + 1, 2), np.float32)
        self.sums: npt.NDArray[np.float32] = np.empty((0, TIME_CELLS, FRAME_SIZE), np.float32)
        self.ages: Slots = np.empty(0, np.int64)
        self.slots: Slots = np.empty(0, np.int64)
        self._free: Slots = np.empty(0, np.int64)

    def ends(self) -> npt.NDArray[np.float32]:
        """Return the last point of every trajectory, (n, 2) float32."""
        return self.points[self.slots, self.ages[self.slots]]

    def start(self, points: npt.NDArray[np.float32]) -> None:
        """Begin trajectories at points, (m, 2) float32 x, y."""
        missing = len(points) - self._free.size
        if missing > 0:
            self._grow(max(missing, self.ages.size // 8))
        new, self._free = self._free[: len(points)], self._free[len(points) :]
        self.points[new, 0] = points
        self.sums[new] = 0
        self.ages[new] = 0
        self.slots = np.concatenate([self.slots, new])

    def extend(self, moved: npt.NDArray[np.float32]) -> None:
        """Append a point to every trajectory, (n, 2) float32 in the order of ``slots``."""
        self.ages[self.slots] += 1
        self.points[self.slots, self.ages[self.slots]] = moved

    def keep(self, mask: npt.NDArray[np.bool_]) -> None:
        """Drop the trajectories that the mask (n,) leaves out."""
        self._free = np.concatenate([self._free, self.slots[~mask]])
        self.slots = self.slots[mask]

    def _grow(self, n: int) -> None:
        capacity = self.ages.size
        self._free = np.concatenate([self._free, np.arange(capacity, capacity + n)])
        self.points = np.concatenate([self.points, np.zeros((n, LENGTH + 1, 2), np.float32)])
        self.sums = np.concatenate([self.sums, np.zeros((n, TIME_CELLS, FRAME_SIZE), np.float32)])
        self.ages = np.concatenate([self.ages, np.zeros(n, np.int64)])


@kernel
def follow(
    ends: npt.NDArray[np.float32],
    u: Plane,
    v: Plane,
    moved: npt.NDArray[np.float32],
    is_inside: npt.NDArray[np.bool_],
) -> None:
    """Move points by the flow at the nearest pixel.

    Args:
        ends: (N, 2) float32 x, y in px of the level.
        u: Flow in x, (H, W) float32.
        v: Flow in y.
        moved: (N, 2) float32, overwritten.
        is_inside: (N,) overwritten: whether the point is still inside the picture.
    """
    height, width = u.shape
    for i in range(len(ends)):
        x = min(max(int(np.rint(ends[i, 0])), 0), width - 1)
        y = min(max(int(np.rint(ends[i, 1])), 0), height - 1)
        nx, ny = ends[i, 0] + u[y, x], ends[i, 1] + v[y, x]
        moved[i, 0], moved[i, 1] = nx, ny
        is_inside[i] = 0 < nx < width and 0 < ny < height


@dataclass(frozen=True, slots=True)
class Shapes:
    """Geometry of finished trajectories, N of them, full-size px.

    Attributes:
        is_valid: (N,) whether the trajectory passes the tests.
        mean: (N, 2) mean point x, y.
        std: (N, 2) standard deviation of x and of y.
        path: (N,) length of the path.
        steps: (N, 15, 2) displacements.
    """

    is_valid: npt.NDArray[np.bool_]
    mean: npt.NDArray[np.float64]
    std: npt.NDArray[np.float64]
    path: npt.NDArray[np.float64]
    steps: npt.NDArray[np.float64]


def measure(points: npt.NDArray[np.float64]) -> Shapes:
    """Measure geometry and validity of trajectories (Wang et al. 2013, section 2.2).

    Args:
        points: (N, 16, 2) x, y in full-size px.
    """
    mean, std = points.mean(1), points.std(1)
    steps = np.diff(points, axis=1)
    lengths = np.hypot(steps[..., 0], steps[..., 1])
    path, longest = lengths.sum(1), lengths.max(1, initial=0.0)
    is_still = (std < MIN_STD_PX).all(1)
    is_random = (std > MAX_STD_PX).any(1)
    is_jump = (longest > MAX_JUMP_PX) & (longest > MAX_JUMP_SHARE * path)
    return Shapes(~(is_still | is_random | is_jump), mean, std, path, steps)
