"""Trajectories of one video as rows of the table ``dense_trajectories``, and as a Parquet file of its own.

The stage of the pipeline and ``fgbench features dense-trajectories`` make their rows here. Positions are px
of the reduced frame.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from fgbench import records
from fgbench.features.dense_trajectories import Trajectories, concatenate, iter_trajectories, to_arrow
from fgbench.media import video
from fgbench.storage import TableWriter

ROWS_PER_GROUP = 4096
"""Rows of a row group in a file of its own: 4 MB, and few enough groups that their list stays short."""

_COLUMNS = ("end_frame", *records.TRAJECTORY_NUMBERS, *records.TRAJECTORY_CHANNELS)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrajectoryFile:
    """A file that was written.

    Attributes:
        path: The file.
        clip_id: The clip's name in the table.
        trajectories: Number of rows.
        frames: Frames that were read.
        width: Width of the reduced frames in px, to which positions in the table refer.
        height: Height, likewise.
    """

    path: Path
    clip_id: str
    trajectories: int
    frames: int
    width: int
    height: int

    @property
    def size_bytes(self) -> int:
        """Size of the file."""
        return self.path.stat().st_size

    def to_json(self) -> dict[str, str | int]:
        """Return plain values."""
        return {
            "path": str(self.path),
            "clip_id": self.clip_id,
            "trajectories": self.trajectories,
            "frames": self.frames,
            "width": self.width,
            "height": self.height,
            "bytes": self.size_bytes,
        }

    def lines(self) -> list[str]:
        """Return lines of text."""
        return [
            f"{self.trajectories:,} trajectories in {self.frames:,} frames of {self.width}x{self.height} px: "
            f"{self.path} ({self.size_bytes / 1e6:.1f} MB)"
        ]


def reduced_size(width: int, height: int, max_side_px: int) -> tuple[int, int]:
    """Return the size of a frame reduced to at most ``max_side_px``; 0 keeps the size."""
    if not max_side_px or max(width, height) <= max_side_px:
        return width, height
    factor = max_side_px / max(width, height)
    return round(width * factor), round(height * factor)


def trajectory_rows(
    frames: Iterable[video.Frame], clip_id: str, *, size: tuple[int, int], n_frames: int
) -> Iterator[dict[str, Any]]:
    """Iterate over rows of a clip as its trajectories end; memory does not grow with its length.

    Args:
        frames: All frames of the clip, in order.
        clip_id: The clip's name in the table.
        size: Width and height in px that the frames are reduced to.
        n_frames: Number of frames of the clip.

    Raises:
        MediaError: Errors of the frames, and of :func:`iter_trajectories`.
    """
    for ended in iter_trajectories(reduced_frames(frames, size), n_frames=n_frames):
        columns = {name: getattr(ended, name) for name in _COLUMNS}
        for row in range(len(ended)):
            yield {"clip_id": clip_id, **{name: values[row] for name, values in columns.items()}}


def write_trajectory_file(
    source: Path, target: Path, *, max_side_px: int, progress: Callable[[int, int], None]
) -> TrajectoryFile:
    """Compute the trajectories of a video and write them to a Parquet file, which appears when complete.

    Args:
        source: The video; its name without suffix is the clip's id.
        target: The file; overwritten.
        max_side_px: Longer side that frames are reduced to; 0 keeps their size.
        progress: Called with the frames done, and the total.

    Raises:
        MediaError: If the file is missing, no video, lacks its end, or is less than 32 px wide or high when
            reduced.
        ResourceError: If the target cannot be written.
    """
    with video.open_video(source) as reader:
        info = reader.info
        size = reduced_size(info.width, info.height, max_side_px)
        n_read = 0

        def counted() -> Iterator[video.Frame]:
            nonlocal n_read
            for frame in reader.frames():
                yield frame
                n_read += 1
                progress(n_read, info.n_frames)

        tables = iter_trajectories(reduced_frames(counted(), size), n_frames=info.n_frames)
        writer = TableWriter(target, records.schema("dense_trajectories"))
        try:
            for batch in _gathered(tables):
                writer.add_table(_arrow(batch, source.stem))
        except BaseException:
            writer.discard()
            raise
        writer.close()
    return TrajectoryFile(
        path=target,
        clip_id=source.stem,
        trajectories=writer.rows,
        frames=n_read,
        width=size[0],
        height=size[1],
    )


def _gathered(tables: Iterable[Trajectories]) -> Iterator[Trajectories]:
    """Join tables until they have at least ``ROWS_PER_GROUP`` rows; the last may have fewer."""
    waiting: list[Trajectories] = []
    n_rows = 0
    for table in tables:
        waiting.append(table)
        n_rows += len(table)
        if n_rows >= ROWS_PER_GROUP:
            yield concatenate(waiting)
            waiting, n_rows = [], 0
    if n_rows:
        yield concatenate(waiting)


def _arrow(trajectories: Trajectories, clip_id: str) -> pa.Table:
    names = pa.array([clip_id] * len(trajectories), pa.string())
    columns = [names, *to_arrow(trajectories).columns]
    return pa.Table.from_arrays(columns, schema=records.schema("dense_trajectories"))


def reduced_frames(frames: Iterable[video.Frame], size: tuple[int, int]) -> Iterator[npt.NDArray[np.uint8]]:
    """Frames as (H, W, 3) uint8 RGB arrays, reduced to ``size`` (width and height in px) where they have
    another."""
    for frame in frames:
        picture = frame.rgb()
        if frame.size != size:
            picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
        yield picture
