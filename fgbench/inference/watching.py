"""The frames of a file of the user's own, one after another, through a network.

Frames pass a few at a time, so that memory does not grow with the length of a file. As in a data set,
somebody who is there for a moment only, beside a face that stays, does not count
(:mod:`fgbench.faces.passing`): what is said of faces waits until that is known, with their chips, and with
few pictures.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fgbench.faces.geometry import apply_transform, invert
from fgbench.faces.observation import Observation
from fgbench.faces.passing import without_passers_by
from fgbench.faces.status import USABLE
from fgbench.inference.files import NO_PREDICTION, FilePrediction, Portrait, Said
from fgbench.media import video
from fgbench.methods.protocol import Answer, FaceNetwork, Placed

Observed = tuple[video.Frame, Observation]

_BATCH = 16  # frames that are held, decoded, at a time
_MOST_PICTURES = 8
"""Pictures that are held for tracks of which it is not known whether they stay; of more tracks at once, the
least sure ones are not drawn."""

_NOT_FINITE = "the network's numbers for a usable face are not finite; train it again, or take other weights"
_NO_MOVEMENT = "the network tells classes by movement, and a picture has none; give it a video"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """How long a face has to be there to count, see :func:`fgbench.faces.passing.without_passers_by`.

    Attributes:
        frame_s: Time of a frame; ``None`` if it has none.
        n_frames: Frames of the file.
        min_track_s: How long a track has to last; 0 lets all count.
        min_track_score: Best score below which it has to last longer.
    """

    frame_s: float | None = None
    n_frames: int = 1
    min_track_s: float = 0.0
    min_track_score: float = 0.0


def unheeded(index: int, found: Observation) -> None:
    """What is done with the frames of a video where nobody wants them."""


def unkept(row: Mapping[str, Any]) -> None:
    """What is done with rows of frames that go into no table."""


def watched(
    path: Path,
    kind: str,
    seen: Iterable[Observed],
    network: FaceNetwork,
    *,
    stay: Stay | None = None,
    keep: Callable[[Mapping[str, Any]], None] = unkept,
    heed: Callable[[int, Observation], None] = unheeded,
    broken: Sequence[str] = (),
) -> FilePrediction:
    """Go through the frames of a file with what was found in them, some at a time.

    Args:
        path: The file.
        kind: ``"image"`` or ``"video"``.
        seen: Its frames, each with what was found in it, in order.
        network: What tells the class, or the action units.
        stay: How long a face has to be there; by default a moment is enough.
        keep: Given the rows of the table of frames.
        heed: Told the number of every frame and what was found in it, in order.
        broken: Why the frames ended early, if they did; filled while they come.
    """
    rule = stay or Stay()
    is_still = kind == "image"
    surest = _Surest(is_video=not is_still)
    mean = _Mean()
    statuses: Counter[str] = Counter()
    tracks: set[int] = set()
    n_people = 0
    for row in without_passers_by(
        _told(seen, network, surest),
        frame_s=rule.frame_s,
        n_frames=rule.n_frames,
        min_track_s=rule.min_track_s,
        min_track_score=rule.min_track_score,
    ):
        found: Observation = replace(row["found"], status=row["status"])
        is_usable = found.status in USABLE
        said: Said | None = row["said"] if is_usable else None
        heed(row["frame_index"], found)
        n_people = max(n_people, found.n_faces)
        is_lost = is_usable and said is None and (network.takes_single_faces or is_still)
        status: str = NO_PREDICTION if is_lost else found.status
        statuses[status] += 1
        keep(_row(row, found, said, status))
        surest.decide(row["frame_index"], found.track_id, counts=said is not None)
        if said is not None:
            mean.add(said)
            tracks.add(found.track_id or 0)
    n_frames = statuses.total()
    if not n_frames:
        reason = broken[0] if broken else f"{path} has no frame that can be decoded"
        return FilePrediction(path=path, kind=kind, status="no_frames", message=reason)
    usable = mean.n > 0
    return FilePrediction(
        path=path,
        kind=kind,
        status="ok" if usable else statuses.most_common(1)[0][0],
        message=broken[0] if broken else _unsaid(network) if statuses[NO_PREDICTION] else "",
        n_frames=n_frames,
        statuses=dict(sorted(statuses.items())),
        n_tracks=len(tracks),
        n_people=n_people,
        said=mean.said() if usable else None,
        portrait=surest.portrait(),
    )


def _unsaid(network: FaceNetwork) -> str:
    return _NOT_FINITE if network.takes_single_faces else _NO_MOVEMENT


def _told(seen: Iterable[Observed], network: FaceNetwork, surest: _Surest) -> Iterator[dict[str, Any]]:
    """Rows of frames as :func:`without_passers_by` takes them, with what the network says."""
    for batch in _batches(seen, _BATCH):
        for (frame, found), answer in zip(batch, _answers(batch, network), strict=True):
            if answer is not None:
                surest.offer(frame, found, answer)
            yield {
                "frame_index": frame.index,
                "time_s": frame.time_s,
                "track_id": found.track_id,
                "box_xyxy": found.box_xyxy,
                "score": found.score,
                "status": found.status,
                "found": found,
                "said": None if answer is None else answer[0],
            }


_Answer = tuple[Said, npt.NDArray[np.float32]]  # with the regions in px of the face


def _batches(items: Iterable[Observed], size: int) -> Iterator[list[Observed]]:
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch


def _answers(batch: list[Observed], network: FaceNetwork) -> list[_Answer | None]:
    """What the network says of the usable faces of a batch, in their places; nothing that is not finite."""
    places = [number for number, (_, found) in enumerate(batch) if found.status in USABLE]
    answers: list[_Answer | None] = [None] * len(batch)
    if places and network.takes_single_faces:
        shown = [batch[number] for number in places]
        chips = [found.chip for _, found in shown if found.chip is not None]
        asked = network.ask(np.stack(chips), [_placed(frame, found) for frame, found in shown])
        for row, number in enumerate(places):
            said = _said(asked, row)
            answers[number] = (said, asked.boxes[row]) if said.is_finite else None
    return answers


def _placed(frame: video.Frame, found: Observation) -> Placed:
    assert found.transform is not None
    return Placed(frame=frame, landmarks=found.landmarks, transform=found.transform)


def _said(answer: Answer, row: int) -> Said:
    head = answer.basic_head
    return Said(
        fine=answer.fine[row],
        basic_sum=answer.basic_sum[row],
        basic_head=None if head is None else head[row],
    )


class _Mean:
    """Mean over frames, as they come."""

    def __init__(self) -> None:
        self.n = 0
        self._sums: list[npt.NDArray[np.float64]] = []

    def add(self, said: Said) -> None:
        """Add a frame."""
        parts = [said.fine, said.basic_sum, *([] if said.basic_head is None else [said.basic_head])]
        if not self._sums:
            self._sums = [np.zeros(len(part)) for part in parts]
        for total, part in zip(self._sums, parts, strict=True):
            total += part
        self.n += 1

    def said(self) -> Said:
        """The mean of at least one frame."""
        fine, basic_sum, *head = [(total / self.n).astype(np.float32) for total in self._sums]
        return Said(fine=fine, basic_sum=basic_sum, basic_head=head[0] if head else None)


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A frame that may be the one to be shown."""

    frame: video.Frame
    found: Observation
    answer: _Answer

    @property
    def sureness(self) -> float:
        """Probability of the likeliest class."""
        return float(self.answer[0].fine.max())


class _Surest:
    """Finds the frame with the surest class among those that count; of equal ones the first.

    Faces are offered as they come, and decided later, in that order. Of each track one frame waits.
    """

    def __init__(self, *, is_video: bool) -> None:
        self._is_video = is_video
        self._best: _Candidate | None = None
        self._waiting: dict[int, _Candidate] = {}

    def offer(self, frame: video.Frame, found: Observation, answer: _Answer) -> None:
        """Tell of a face that may count."""
        offered = _Candidate(frame, found, answer)
        known = self._waiting.get(found.track_id or 0, self._best)
        if known is not None and offered.sureness <= known.sureness:
            return
        self._waiting[found.track_id or 0] = offered
        if len(self._waiting) > _MOST_PICTURES:
            del self._waiting[min(self._waiting, key=lambda track: self._waiting[track].sureness)]

    def decide(self, index: int, track_id: int | None, *, counts: bool) -> None:
        """Note whether the face of a frame counts."""
        waiting = self._waiting.get(track_id or 0)
        if waiting is None or waiting.frame.index != index:
            return
        del self._waiting[track_id or 0]
        if counts and (self._best is None or waiting.sureness > self._best.sureness):
            self._best = waiting

    def portrait(self) -> Portrait | None:
        """The face of the surest frame that counts; ``None`` if none does."""
        if self._best is None:
            return None
        frame, found, (said, boxes) = self._best.frame, self._best.found, self._best.answer
        assert found.transform is not None
        assert found.chip is not None
        to_picture = invert(found.transform)
        side_px = float(found.chip.shape[0])
        whole = np.array([[0.0, 0.0, side_px, side_px]])
        return Portrait(
            picture=frame.rgb(),
            frame_index=frame.index if self._is_video else None,
            time_s=frame.time_s if self._is_video else None,
            box_xyxy=found.box_xyxy,
            landmarks=found.landmarks,
            outline=apply_transform(to_picture, corners(whole))[0],
            regions=apply_transform(to_picture, corners(boxes)),
            said=said,
        )


def corners(boxes: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Corners of boxes (n, 4) given by their edges, (n, 4, 2): clockwise from the top left, in coordinates
    whose whole numbers are centres of pixels."""
    x0, y0, x1, y1 = np.asarray(boxes, np.float64).T - 0.5
    return np.stack([np.stack(pair, 1) for pair in ((x0, y0), (x1, y0), (x1, y1), (x0, y1))], 1)


def _row(told: Mapping[str, Any], found: Observation, said: Said | None, status: str) -> Mapping[str, Any]:
    return {
        "frame_index": told["frame_index"],
        "time_s": told["time_s"],
        "status": status,
        "track_id": found.track_id,
        "box": None if found.box_xyxy is None else found.box_xyxy.tolist(),
        "probabilities": None if said is None else said.fine.tolist(),
        "basic": None if said is None else said.basic.tolist(),
    }
