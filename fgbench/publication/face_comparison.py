"""Comparison of the faces of one clip in two data sets, frame by frame. Reads no file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fgbench.publication.layout import PIXELS

if TYPE_CHECKING:
    import pyarrow as pa

COLUMNS = ("clip_id", "frame_index", "status", "box_xyxy", "landmarks", "transform", PIXELS)
"""Columns that are compared; the last one only if both data sets have it."""

MOVED_PX = 0.5
"""Landmarks count as moved, and faces as laid out otherwise, beyond this many px of frame or aligned face."""

_ANYWHERE = np.array([[0.0, 0.0], [100.0, 0.0], [0.0, 100.0]])
"""Points (px of the frame) by which layouts are compared where there is no box."""

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceChange:
    """Differences between the faces of a clip in two data sets, as numbers of frames.

    Attributes:
        frames: Frames that both have.
        gone: Frames that only the first has.
        added: Frames that only the second has.
        statuses: Frames with another status.
        unequal: Frames whose landmarks are not equal to the last bit, or that only one has landmarks of.
        moved: Those of them whose landmarks moved by more than :data:`MOVED_PX`, or that only one has.
        laid_out: Frames whose landmarks did not move, but whose aligned face is laid out otherwise.
        pixels: Frames whose aligned face has other pixels; 0 without digests of them.
        most_px: Farthest that a landmark moved, px of the frame; 0 if none did.
    """

    frames: int = 0
    gone: int = 0
    added: int = 0
    statuses: int = 0
    unequal: int = 0
    moved: int = 0
    laid_out: int = 0
    pixels: int = 0
    most_px: float = 0.0

    @property
    def is_same(self) -> bool:
        """Whether everything is equal to the last bit."""
        return not (self.gone or self.added or self.statuses or self.unequal or self.laid_out or self.pixels)


NO_CHANGE = FaceChange()
"""Change of a clip whose faces are the same, or that has none."""


def compare_faces(first: pa.Table | None, second: pa.Table | None) -> FaceChange:
    """Compare the rows of a clip.

    Args:
        first: Its rows in the first data set, with :data:`COLUMNS`; ``None`` if there are none.
        second: Its rows in the second one.
    """
    import pyarrow as pa

    if first is None and second is None:
        return NO_CHANGE
    if first is None or second is None:
        gone, added = (0 if rows is None else rows.num_rows for rows in (first, second))
        return FaceChange(gone=gone, added=added)
    rows_of = [
        {frame: row for row, frame in enumerate(rows["frame_index"].to_pylist())} for rows in (first, second)
    ]
    both = sorted(rows_of[0].keys() & rows_of[1].keys())
    one, other = (
        table.take(pa.array([rows[frame] for frame in both], pa.int64()))
        for table, rows in zip((first, second), rows_of, strict=True)
    )
    landmarks = [_numbers(rows, "landmarks", 136).reshape(len(both), 68, 2) for rows in (one, other)]
    has_landmarks = [~np.isnan(points).all(axis=(1, 2)) for points in landmarks]
    distances = np.nan_to_num(np.hypot(*np.moveaxis(landmarks[0] - landmarks[1], -1, 0)))
    most = distances.max(axis=1, initial=0.0)
    in_one = has_landmarks[0] != has_landmarks[1]
    is_moved = (most > MOVED_PX) | in_one
    is_same = np.array(
        [np.array_equal(a, b, equal_nan=True) for a, b in zip(*landmarks, strict=True)], dtype=bool
    )
    return FaceChange(
        frames=len(both),
        gone=len(rows_of[0]) - len(both),
        added=len(rows_of[1]) - len(both),
        statuses=_unlike(one, other, "status"),
        unequal=int((~is_same).sum()),
        moved=int(is_moved.sum()),
        laid_out=int((_layout_px(one, other) > MOVED_PX)[~is_moved].sum()),
        pixels=_unlike(one, other, PIXELS),
        most_px=float(most[~in_one].max(initial=0.0)),
    )


def _unlike(one: pa.Table, other: pa.Table, column: str) -> int:
    """Return the number of rows whose values differ; 0 if one of the tables lacks the column."""
    if column not in one.column_names or column not in other.column_names:
        return 0
    return sum(a != b for a, b in zip(one[column].to_pylist(), other[column].to_pylist(), strict=True))


def _layout_px(one: pa.Table, other: pa.Table) -> Numbers:
    """Return the distances (N,) between corners of a face under two transforms, px of the aligned face.

    The largest of each row; infinite where only one of the tables has a transform.
    """
    transforms = [_numbers(rows, "transform", 6).reshape(-1, 2, 3) for rows in (one, other)]
    boxes = _numbers(one, "box_xyxy", 4)
    corners = np.stack([boxes[:, [0, 1]], boxes[:, [2, 1]], boxes[:, [0, 3]]], axis=1)
    corners = np.where(np.isnan(corners), _ANYWHERE, corners)
    difference = transforms[0] - transforms[1]
    apart = np.einsum("nij,nkj->nki", difference[:, :, :2], corners) + difference[:, None, :, 2]
    px: Numbers = np.nan_to_num(np.hypot(apart[..., 0], apart[..., 1])).max(axis=1, initial=0.0)
    has_transform = [~np.isnan(values).any(axis=(1, 2)) for values in transforms]
    return np.where(has_transform[0] != has_transform[1], np.inf, px)


def _numbers(rows: pa.Table, column: str, width: int) -> Numbers:
    """Return a column of lists as (N, width) float64; NaN where there is none."""
    numbers = np.full((rows.num_rows, width), np.nan)
    if not rows.num_rows:
        return numbers
    values: Any = rows[column].combine_chunks()
    flat = values.drop_null().flatten().to_numpy(zero_copy_only=False)
    numbers[values.is_valid().to_numpy(zero_copy_only=False)] = flat.reshape(-1, width)
    return numbers
