"""Predictions of the frames of a user's file, one after another.

A few frames are processed at a time, so that memory does not grow with the length of a file. As in a data
set, a face that is only briefly visible beside one that stays does not count
(:mod:`fgbench.faces.passers_by`): predictions of faces wait until that is known, with their chips, and with
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

from fgbench.callbacks import ignore
from fgbench.faces.geometry import apply_transform, invert
from fgbench.faces.observation import Observation
from fgbench.faces.passers_by import without_passers_by
from fgbench.faces.status import USABLE
from fgbench.inference.files import NO_PREDICTION, ClassProbabilities, FilePrediction, Portrait
from fgbench.media import video
from fgbench.methods.protocol import FaceNetwork, FacePosition, FacePredictions

Observed = tuple[video.Frame, Observation]

_BATCH = 16  # frames that are held, decoded, at a time
_MOST_PICTURES = 8
"""Pictures held for tracks that may not stay; with more tracks at once, the least sure are not drawn."""

_NOT_FINITE = "the network's numbers for a usable face are not finite; train it again, or take other weights"
_NO_MOVEMENT = "the network tells classes by movement, and a picture has none; give it a video"


@dataclass(frozen=True, slots=True, kw_only=True)
class VisibleTime:
    """Time that a face has to be visible to count, see :func:`fgbench.faces.passers_by.without_passers_by`.

    Attributes:
        frame_s: Time of a frame; ``None`` if it has none.
        n_frames: Frames of the file.
        min_track_s: Least duration of a track; 0 lets all count.
        min_track_score: Best score below which it has to last longer.
    """

    frame_s: float | None = None
    n_frames: int = 1
    min_track_s: float = 0.0
    min_track_score: float = 0.0


def predict_frames(
    path: Path,
    kind: str,
    observations: Iterable[Observed],
    network: FaceNetwork,
    *,
    visible: VisibleTime | None = None,
    keep: Callable[[Mapping[str, Any]], None] = ignore,
    on_frame: Callable[[int, Observation], None] = ignore,
    broken: Sequence[str] = (),
) -> FilePrediction:
    """Predict the frames of a file from their observations, some at a time.

    Args:
        path: The file.
        kind: ``"image"`` or ``"video"``.
        observations: Its frames, each with its observation, in order.
        network: The network.
        visible: Time that a face has to be visible; by default one frame is enough.
        keep: Called with the rows of the table of frames.
        on_frame: Called with the number and the observation of every frame, in order.
        broken: Reason why the frames ended early, if they did; filled while they are read.
    """
    rule = visible or VisibleTime()
    is_still = kind == "image"
    surest = _Surest(is_video=not is_still)
    mean = _Mean()
    statuses: Counter[str] = Counter()
    tracks: set[int] = set()
    n_people = 0
    for row in without_passers_by(
        _predicted_rows(observations, network, surest),
        frame_s=rule.frame_s,
        n_frames=rule.n_frames,
        min_track_s=rule.min_track_s,
        min_track_score=rule.min_track_score,
    ):
        observation: Observation = replace(row["observation"], status=row["status"])
        is_usable = observation.status in USABLE
        probabilities: ClassProbabilities | None = row["probabilities"] if is_usable else None
        on_frame(row["frame_index"], observation)
        n_people = max(n_people, observation.n_faces)
        is_lost = is_usable and probabilities is None and (network.takes_single_faces or is_still)
        status: str = NO_PREDICTION if is_lost else observation.status
        statuses[status] += 1
        keep(_row(row, observation, probabilities, status))
        surest.decide(row["frame_index"], observation.track_id, counts=probabilities is not None)
        if probabilities is not None:
            mean.add(probabilities)
            tracks.add(observation.track_id or 0)
    n_frames = statuses.total()
    if not n_frames:
        reason = broken[0] if broken else f"{path} has no frame that can be decoded"
        return FilePrediction(path=path, kind=kind, status="no_frames", message=reason)
    usable = mean.n > 0
    return FilePrediction(
        path=path,
        kind=kind,
        status="ok" if usable else statuses.most_common(1)[0][0],
        message=broken[0] if broken else _reason(network) if statuses[NO_PREDICTION] else "",
        n_frames=n_frames,
        statuses=dict(sorted(statuses.items())),
        n_tracks=len(tracks),
        n_people=n_people,
        probabilities=mean.mean() if usable else None,
        portrait=surest.portrait(),
    )


def _reason(network: FaceNetwork) -> str:
    return _NOT_FINITE if network.takes_single_faces else _NO_MOVEMENT


def _predicted_rows(
    observations: Iterable[Observed], network: FaceNetwork, surest: _Surest
) -> Iterator[dict[str, Any]]:
    """Iterate over rows of frames for :func:`without_passers_by`, with the network's probabilities."""
    for batch in _batches(observations, _BATCH):
        for (frame, observation), result in zip(batch, _frame_results(batch, network), strict=True):
            if result is not None:
                surest.offer(frame, observation, result)
            yield {
                "frame_index": frame.index,
                "time_s": frame.time_s,
                "track_id": observation.track_id,
                "box_xyxy": observation.box_xyxy,
                "score": observation.score,
                "status": observation.status,
                "observation": observation,
                "probabilities": None if result is None else result[0],
            }


_FrameResult = tuple[ClassProbabilities, npt.NDArray[np.float32]]  # with the regions in px of the face


def _batches(items: Iterable[Observed], size: int) -> Iterator[list[Observed]]:
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch


def _frame_results(batch: list[Observed], network: FaceNetwork) -> list[_FrameResult | None]:
    """Return the network's result for each face of a batch; ``None`` if it is not usable or not finite."""
    usable = [number for number, (_, observation) in enumerate(batch) if observation.status in USABLE]
    results: list[_FrameResult | None] = [None] * len(batch)
    if usable and network.takes_single_faces:
        shown = [batch[number] for number in usable]
        chips = [observation.chip for _, observation in shown if observation.chip is not None]
        predicted = network.predict_faces(
            np.stack(chips), [_position(frame, observation) for frame, observation in shown]
        )
        for row, number in enumerate(usable):
            probabilities = _probabilities(predicted, row)
            results[number] = (probabilities, predicted.boxes[row]) if probabilities.is_finite else None
    return results


def _position(frame: video.Frame, observation: Observation) -> FacePosition:
    assert observation.transform is not None
    return FacePosition(frame=frame, landmarks=observation.landmarks, transform=observation.transform)


def _probabilities(result: FacePredictions, row: int) -> ClassProbabilities:
    head = result.basic_head
    return ClassProbabilities(
        fine=result.fine[row],
        basic_sum=result.basic_sum[row],
        basic_head=None if head is None else head[row],
    )


class _Mean:
    """Running mean over frames."""

    def __init__(self) -> None:
        self.n = 0
        self._sums: list[npt.NDArray[np.float64]] = []

    def add(self, probabilities: ClassProbabilities) -> None:
        """Add a frame."""
        parts = [
            probabilities.fine,
            probabilities.basic_sum,
            *([] if probabilities.basic_head is None else [probabilities.basic_head]),
        ]
        if not self._sums:
            self._sums = [np.zeros(len(part)) for part in parts]
        for total, part in zip(self._sums, parts, strict=True):
            total += part
        self.n += 1

    def mean(self) -> ClassProbabilities:
        """Return the mean of at least one frame."""
        fine, basic_sum, *head = [(total / self.n).astype(np.float32) for total in self._sums]
        return ClassProbabilities(fine=fine, basic_sum=basic_sum, basic_head=head[0] if head else None)


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A frame that may become the portrait."""

    frame: video.Frame
    observation: Observation
    result: _FrameResult

    @property
    def sureness(self) -> float:
        """Probability of the likeliest class."""
        return float(self.result[0].fine.max())


class _Surest:
    """Selects the frame with the surest class among those that count; of equal ones the first.

    Faces are offered in order, and decided later in the same order. Of each track one frame waits.
    """

    def __init__(self, *, is_video: bool) -> None:
        self._is_video = is_video
        self._best: _Candidate | None = None
        self._waiting: dict[int, _Candidate] = {}

    def offer(self, frame: video.Frame, observation: Observation, result: _FrameResult) -> None:
        """Add a face that may count."""
        offered = _Candidate(frame, observation, result)
        best = self._waiting.get(observation.track_id or 0, self._best)
        if best is not None and offered.sureness <= best.sureness:
            return
        self._waiting[observation.track_id or 0] = offered
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
        """Return the face of the surest frame that counts; ``None`` if none does."""
        if self._best is None:
            return None
        frame, observation, (probabilities, boxes) = (
            self._best.frame,
            self._best.observation,
            self._best.result,
        )
        assert observation.transform is not None
        assert observation.chip is not None
        to_picture = invert(observation.transform)
        side_px = float(observation.chip.shape[0])
        whole = np.array([[0.0, 0.0, side_px, side_px]])
        return Portrait(
            picture=frame.rgb(),
            frame_index=frame.index if self._is_video else None,
            time_s=frame.time_s if self._is_video else None,
            box_xyxy=observation.box_xyxy,
            landmarks=observation.landmarks,
            outline=apply_transform(to_picture, corners(whole))[0],
            regions=apply_transform(to_picture, corners(boxes)),
            probabilities=probabilities,
        )


def corners(boxes: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Return the corners (n, 4, 2) of boxes (n, 4) given by their edges: clockwise from the top left, with
    centres of pixels at whole numbers."""
    x0, y0, x1, y1 = np.asarray(boxes, np.float64).T - 0.5
    return np.stack([np.stack(pair, 1) for pair in ((x0, y0), (x1, y0), (x1, y1), (x0, y1))], 1)


def _row(
    frame: Mapping[str, Any], observation: Observation, probabilities: ClassProbabilities | None, status: str
) -> Mapping[str, Any]:
    return {
        "frame_index": frame["frame_index"],
        "time_s": frame["time_s"],
        "status": status,
        "track_id": observation.track_id,
        "box": None if observation.box_xyxy is None else observation.box_xyxy.tolist(),
        "probabilities": None if probabilities is None else probabilities.fine.tolist(),
        "basic": None if probabilities is None else probabilities.basic.tolist(),
    }
