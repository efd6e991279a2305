"""Faces that appear in a clip only briefly, beside one that stays: they are not the clip's face.

A track *stays* if it lasts for ``faces.min_track_s``, or four times as long where its best score is below
``faces.min_track_score``. Where a clip has a track that stays, the frames of those that do not get the status
``passing``. A clip without such a track is left unchanged, and so are tracks near the position of one that
stays, of about its size: that is the same head, lost for a moment. Also left unchanged are tracks whose
beginning or end is unknown, since not every frame was sampled, and clips without times: folders of pictures.

No more than :data:`MOST_HELD` rows wait for a decision.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from fgbench.faces.geometry import box_centre, box_width
from fgbench.faces.status import LARGE_POSE, OK, PASSING, UNSURE

Row = dict[str, Any]

MOST_HELD = 500
"""Largest number of rows with their encoded faces that wait: 20 seconds. Beyond it, rows of tracks that do
not stay are passing if an earlier track stayed, else left unchanged."""

_WEAK_TIMES = 4
_NEAR_WIDTHS = 1.0
_NEAR_LOG_SCALE = 0.35


@dataclass(slots=True)
class _Track:
    """A track so far.

    Attributes:
        first_s: Time of its first frame.
        last_s: Time of its last.
        score: Its best score.
        first_box: Its first box.
        last_box: Its last box.
        is_whole: Whether the frames before and after it are known.
    """

    first_s: float
    last_s: float
    score: float
    first_box: np.ndarray
    last_box: np.ndarray
    is_whole: bool = True


def without_passers_by(
    rows: Iterable[Row], *, frame_s: float | None, n_frames: int, min_track_s: float, min_track_score: float
) -> Iterator[Row]:
    """Yield the rows of a clip, with status ``passing`` for faces that do not stay.

    Args:
        rows: Rows of ``faces`` of one clip, in order.
        frame_s: Time of a frame; ``None`` if it has none.
        n_frames: Frames of the clip, sampled or not.
        min_track_s: Least duration of a track that stays.
        min_track_score: Best score below which it has to last longer.

    Yields:
        All rows, in order.
    """
    if frame_s is None or min_track_s == 0:
        yield from rows
        return
    gate = _Gate(frame_s, min_track_s, min_track_score)
    for row in rows:
        yield from gate.feed(row)
    yield from gate.finish(n_frames)


class _Gate:
    """Holds rows until it is clear whether a track stays."""

    def __init__(self, frame_s: float, min_track_s: float, min_track_score: float) -> None:
        self._frame_s, self._least_s, self._least_score = frame_s, min_track_s, min_track_score
        self._tracks: dict[int, _Track] = {}
        self._held: list[Row] = []
        self._last: Row | None = None
        self._staying: list[np.ndarray] = []  # boxes of the last one that stays, and of the one before it

    def feed(self, row: Row) -> list[Row]:
        """Take the next row; return the rows that are decided."""
        track = self._noted(row)
        self._held.append(row)
        if track is not None and self._stays(track):
            self._staying = [*self._staying[-1:], track.first_box]
            decided = self._decide()
            self._staying = [track.last_box]
            return decided
        if track is None and not any(item["track_id"] is not None for item in self._held):
            return self._decide()
        return self._decide() if len(self._held) >= MOST_HELD else []

    def finish(self, n_frames: int) -> list[Row]:
        """Decide the rows that still wait."""
        if self._last is not None and self._last["frame_index"] != n_frames - 1:
            self._is_cut_off(self._last)
        return self._decide()

    def _noted(self, row: Row) -> _Track | None:
        """The track of a row, updated by the row."""
        before, self._last = self._last, row
        is_next = row["frame_index"] == (0 if before is None else before["frame_index"] + 1)
        if not is_next and before is not None:
            self._is_cut_off(before)
        number = row["track_id"]
        if number is None:
            return None
        box, score, time_s = np.asarray(row["box_xyxy"]), row["score"], row["time_s"]
        track = self._tracks.get(number)
        if track is None:
            track = self._tracks[number] = _Track(time_s, time_s, score, box, box)
        track.last_s, track.last_box, track.score = time_s, box, max(track.score, score)
        track.is_whole = track.is_whole and is_next
        return track

    def _is_cut_off(self, row: Row) -> None:
        """Note that the continuation after a row is unknown."""
        if row["track_id"] is not None:
            self._tracks[row["track_id"]].is_whole = False

    def _stays(self, track: _Track) -> bool:
        lasts_s = track.last_s - track.first_s + self._frame_s
        least_s = self._least_s * (1 if track.score >= self._least_score else _WEAK_TIMES)
        return lasts_s >= least_s - 1e-6

    def _decide(self) -> list[Row]:
        held, self._held = self._held, []
        return [self._settled(row) for row in held]

    def _settled(self, row: Row) -> Row:
        if row["track_id"] is None or row["status"] not in (OK, UNSURE, LARGE_POSE) or not self._staying:
            return row
        track = self._tracks[row["track_id"]]
        if self._stays(track) or not track.is_whole:
            return row
        ends = (track.first_box, track.last_box)
        is_near = any(_are_near(box, other) for box in ends for other in self._staying)
        return row if is_near else {**row, "status": PASSING}


def _are_near(first: np.ndarray, second: np.ndarray) -> bool:
    widths = [max(box_width(box), 1e-6) for box in (first, second)]
    away = float(np.linalg.norm(box_centre(first) - box_centre(second))) / max(widths)
    return away <= _NEAR_WIDTHS and abs(float(np.log(widths[0] / widths[1]))) <= _NEAR_LOG_SCALE
