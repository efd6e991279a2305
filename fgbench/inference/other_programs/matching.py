"""Rows of another program's file by the samples that they predict. Pure functions of what was read."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from typing import Any

from fgbench.errors import DatasetError
from fgbench.inference.other_programs.prediction_table import PredictionRow
from fgbench.inference.other_programs.samples import Clips
from fgbench.naming import counted

_SHOWN = 5

Key = tuple[str, int | None]
"""Clip, and frame of an image or a labelled frame."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Matched:
    """Rows by their samples.

    Attributes:
        rows: Sample to the indices of its rows in the file; several only where the rows are of frames and the
            sample is a clip.
        n_rows: Rows of the file.
        n_other: Rows of known clips that are no test samples: of other parts, or of frames that are none.
        n_lost: Rows of clips that could not be read here, which count as wrong for everybody.
        unmatched: Clips and frames of the rows without a sample, in the order of the file.
    """

    rows: dict[Key, list[int]]
    n_rows: int
    n_other: int
    n_lost: int
    unmatched: Sequence[str]

    def to_json(self) -> dict[str, Any]:
        """Return plain values to keep with a result."""
        return {
            "rows": self.n_rows,
            "rows_matched": sum(map(len, self.rows.values())),
            "rows_unmatched": len(self.unmatched),
            "unmatched": list(self.unmatched[:_SHOWN]),
        }

    def notes(self) -> list[str]:
        """Return sentences on rows that match no sample."""
        if not self.unmatched:
            return []
        other = f", {self.n_other:,} of them of other parts or frames" if self.n_other else ""
        lost = f", {self.n_lost:,} of clips that could not be read here" if self.n_lost else ""
        more = ", ..." if len(self.unmatched) > _SHOWN else ""
        return [
            f"{counted(len(self.unmatched), 'row')} of {self.n_rows:,} match no test sample{other}{lost}: "
            f"{', '.join(self.unmatched[:_SHOWN])}{more}"
        ]


def match_rows(
    rows: Sequence[PredictionRow],
    clips: Clips,
    keys: Container[Key],
    *,
    by_clip: bool,
    example: Callable[[], str],
) -> Matched:
    """Find the sample of every row.

    Args:
        rows: The rows.
        clips: The clips of the work folder.
        keys: The samples.
        by_clip: Whether samples are whole clips, which rows of frames are put together for.
        example: Gives the id of a sample, for messages.

    Raises:
        DatasetError: If two rows are of one sample (or of one frame), a name may mean several clips, or no
            row has a sample.
    """
    matched: dict[Key, list[int]] = {}
    seen: dict[Key, PredictionRow] = {}
    unmatched, n_other, n_lost = [], 0, 0
    for index, row in enumerate(rows):
        meant = clips.names.find(row.name)
        if meant is None:
            unmatched.append(row.shown)
            continue
        clip, named = meant
        frame = named if named is not None else row.frame
        if clip in clips.pictures:
            frame = 0
        key = (clip, None) if by_clip else (clip, frame)
        if key not in keys:
            unmatched.append(row.shown)
            n_lost += clip in clips.lost
            n_other += clip not in clips.lost
            continue
        if (clip, frame) in seen:
            raise _twice(seen[clip, frame], row)
        if key in matched and None in (frame, rows[matched[key][0]].frame):
            raise _twice(rows[matched[key][0]], row)
        seen[clip, frame] = row
        matched.setdefault(key, []).append(index)
    if not matched:
        raise DatasetError(
            f"none of the {counted(len(rows), 'row')} is of a test sample: the file has e.g. "
            f"{rows[0].shown!r}, the work folder {example()!r}",
            "name clips by their ids (clip_id) or files, and pictures of a clip by the frame too, from 0"
            if n_other < len(rows)
            else "they are of clips of other parts, or of frames that are no samples: predict the test "
            "part, and name the frame where pictures or action units are scored, from 0",
        )
    return Matched(rows=matched, n_rows=len(rows), n_other=n_other, n_lost=n_lost, unmatched=unmatched)


def _twice(first: PredictionRow, second: PredictionRow) -> DatasetError:
    return DatasetError(
        f"two rows are of one sample: {first.where} ({first.shown}) and {second.where} ({second.shown})",
        "keep one row of each sample (one face of each picture), or one row for every frame",
    )


def without_notes(without: Sequence[str], of: str, meaning: str) -> list[str]:
    """Return a sentence on samples or frames without a prediction; none where all have one.

    Args:
        without: Their ids.
        of: Number of all, with their kind.
        meaning: How those without a prediction count.
    """
    if not without:
        return []
    more = ", ..." if len(without) > _SHOWN else ""
    shown = ", ".join(without[:_SHOWN])
    return [f"{len(without):,} of {of} have no prediction, and {meaning}: {shown}{more}"]
