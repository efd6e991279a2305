"""Files of the user's own through a trained network: faces are found and aligned as in a data set.

Reads pictures and videos. Frames of a video pass a few at a time, so that memory does not grow with its
length; their probabilities go to a Parquet file, their mean is what is said of the clip.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fgbench.config import FacesConfig
from fgbench.errors import MediaError
from fgbench.faces.geometry import apply_transform, invert
from fgbench.faces.observation import Observation
from fgbench.faces.status import AS_IS, USABLE
from fgbench.faces.still import ImageFrame
from fgbench.inference.files import NO_PREDICTION, FilePrediction, Portrait, Said, frames_schema
from fgbench.inference.own_faces import everyone_own, observed_own
from fgbench.media import video
from fgbench.media.images import read_image
from fgbench.methods.protocol import Answer, FaceNetwork, Placed
from fgbench.storage import TableWriter

_BATCH = 16  # frames that are held, decoded, at a time
_NOT_FINITE = "the network's numbers for a usable face are not finite; train it again, or take other weights"

_NO_MOVEMENT = "the network tells classes by movement, and a picture has none; give it a video"

_Observed = tuple[video.Frame, Observation]


def unheeded(frame: video.Frame, found: Observation) -> None:
    """What is done with the frames of a video where nobody wants them."""


def predict_file(
    path: Path,
    network: FaceNetwork,
    faces: FacesConfig,
    *,
    frames_to: Path | None = None,
    heed: Callable[[video.Frame, Observation], None] = unheeded,
    limits: video.Limits = video.DEFAULT_LIMITS,
) -> FilePrediction:
    """Find the face in a picture or in the frames of a video, and tell its class.

    As in a data set, a face counts if its status is ``ok``: not turned too far, not one of two alike. Whether
    a file is taken as it is, see :mod:`fgbench.inference.own_faces`.

    Args:
        path: The file.
        network: What tells the class, or the action units.
        faces: How faces are found; chips have to be 224 px wide.
        frames_to: Parquet file for the frames of a video (``frames_schema``); ``None`` writes none.
        heed: Told of every frame of a video and what was found in it, in order.
        limits: What is decoded at most.

    Returns:
        Also of files that cannot be read; ``status`` and ``message`` tell why.

    Raises:
        ConfigError: If there is no such detector.
        DependencyError: If a model file is missing.
        ResourceError: If the Parquet file cannot be written.
    """
    try:
        if is_image(path):
            frame = ImageFrame(pixels=read_image(path, max_px=limits.max_picture_px))
            seen = _watch(path, "image", [frame], network, faces, keep=lambda row: None)
            if seen.statuses.get(AS_IS):
                return seen
            return replace(seen, n_people=max(seen.n_people, len(everyone_own(frame, faces))))
        with video.open_video(path, limits=limits) as reader:
            return _watch_video(path, reader, network, faces, frames_to, heed)
    except MediaError as error:
        return FilePrediction(path=path, kind="unreadable", status=error.reason, message=error.message)


def predict_everyone(
    path: Path,
    network: FaceNetwork,
    faces: FacesConfig,
    *,
    limits: video.Limits = video.DEFAULT_LIMITS,
) -> list[FilePrediction]:
    """Tell the class of every face in a picture.

    Args:
        path: The picture.
        network: What tells the class.
        faces: How faces are found; the policy has no say.
        limits: What is decoded at most.

    Returns:
        One per face, from left to right; where no face is found, or the picture is taken as it is, the one of
        :func:`predict_file`, whose errors these are too.
    """
    try:
        frame = ImageFrame(pixels=read_image(path, max_px=limits.max_picture_px))
    except MediaError as error:
        return [FilePrediction(path=path, kind="unreadable", status=error.reason, message=error.message)]
    alone = _watch(path, "image", [frame], network, faces, keep=lambda row: None)
    found = everyone_own(frame, faces, grey=network.grey)
    if not found or alone.statuses.get(AS_IS):
        return [alone]
    return [
        replace(
            _watched(path, "image", [(frame, seen)], network),
            n_people=len(found),
            face=number,
            box_xyxy=seen.box_xyxy,
        )
        for number, seen in enumerate(found, 1)
    ]


def is_image(path: Path) -> bool:
    """Whether a file is taken for a picture, by its first bytes or, where they do not tell, by its name; else
    it is tried as a video."""
    return not path.is_dir() and video.decoder_for(path) == "pictures"


def _watch_video(
    path: Path,
    reader: video.Reader,
    network: FaceNetwork,
    faces: FacesConfig,
    frames_to: Path | None,
    heed: Callable[[video.Frame, Observation], None],
) -> FilePrediction:
    if frames_to is None:
        return _watch(path, "video", reader.frames(), network, faces, keep=lambda row: None, heed=heed)
    writer = TableWriter(frames_to, frames_schema(network.classes, network.upper))
    try:
        found = _watch(path, "video", reader.frames(), network, faces, keep=writer.add, heed=heed)
    except BaseException:
        writer.discard()
        raise
    if found.n_frames:
        writer.close()
    else:
        writer.discard()
    return found


def _watch(
    path: Path,
    kind: str,
    frames: Iterable[video.Frame],
    network: FaceNetwork,
    faces: FacesConfig,
    *,
    keep: Callable[[Mapping[str, Any]], None],
    heed: Callable[[video.Frame, Observation], None] = unheeded,
) -> FilePrediction:
    """Find the face in the frames of a file, and go through them."""
    broken: list[str] = []
    seen = observed_own(
        _until_broken(frames, broken), faces, grey=network.grey, only_found=network.needs_landmarks
    )
    return _watched(path, kind, seen, network, keep=keep, heed=heed, broken=broken)


def _watched(
    path: Path,
    kind: str,
    seen: Iterable[_Observed],
    network: FaceNetwork,
    *,
    keep: Callable[[Mapping[str, Any]], None] = lambda row: None,
    heed: Callable[[video.Frame, Observation], None] = unheeded,
    broken: Sequence[str] = (),
) -> FilePrediction:
    """Go through the frames of a file with what was found in them, some at a time.

    ``broken`` is filled while the frames come.
    """
    is_still = kind == "image"
    mean = _Mean()
    statuses: Counter[str] = Counter()
    tracks: set[int] = set()
    portrait: Portrait | None = None
    n_people = 0
    for batch in _batches(seen, _BATCH):
        answers = _answers(batch, network)
        for (frame, observation), said in zip(batch, (item and item[0] for item in answers), strict=True):
            heed(frame, observation)
            n_people = max(n_people, observation.n_faces)
            is_lost = said is None and observation.status in USABLE and (network.tells_faces or is_still)
            status: str = NO_PREDICTION if is_lost else observation.status
            statuses[status] += 1
            keep(_row(frame, observation, said, status))
            if said is not None:
                mean.add(said)
                tracks.add(observation.track_id or 0)
        portrait = _surest(portrait, batch, answers, is_video=not is_still)
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
        portrait=portrait,
    )


def _unsaid(network: FaceNetwork) -> str:
    return _NOT_FINITE if network.tells_faces else _NO_MOVEMENT


def _until_broken(frames: Iterable[video.Frame], broken: list[str]) -> Iterator[video.Frame]:
    """Frames until the file breaks off; why it does is put into the list."""
    try:
        yield from frames
    except MediaError as error:
        broken.append(error.message)


_Answer = tuple[Said, npt.NDArray[np.float32]]  # with the regions in px of the face


def _batches(items: Iterable[_Observed], size: int) -> Iterator[list[_Observed]]:
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch


def _answers(batch: list[_Observed], network: FaceNetwork) -> list[_Answer | None]:
    """What the network says of the usable faces of a batch, in their places; nothing that is not finite."""
    places = [number for number, (_, found) in enumerate(batch) if found.status in USABLE]
    answers: list[_Answer | None] = [None] * len(batch)
    if places and network.tells_faces:
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


def _surest(
    best: Portrait | None, batch: list[_Observed], answers: list[_Answer | None], *, is_video: bool
) -> Portrait | None:
    """The portrait so far, or that of a frame of the batch whose class is surer."""
    chosen, most = None, -1.0 if best is None else float(best.said.fine.max())
    for number, answer in enumerate(answers):
        if answer is not None and float(answer[0].fine.max()) > most:
            chosen, most = number, float(answer[0].fine.max())
    if chosen is None:
        return best
    (frame, found), answer = batch[chosen], answers[chosen]
    assert answer is not None
    assert found.transform is not None
    assert found.chip is not None
    to_picture = invert(found.transform)
    side_px = float(found.chip.shape[0])
    whole = np.array([[0.0, 0.0, side_px, side_px]])
    return Portrait(
        picture=frame.rgb(),
        frame_index=frame.index if is_video else None,
        time_s=frame.time_s if is_video else None,
        box_xyxy=found.box_xyxy,
        landmarks=found.landmarks,
        outline=apply_transform(to_picture, corners(whole))[0],
        regions=apply_transform(to_picture, corners(answer[1])),
        said=answer[0],
    )


def corners(boxes: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Corners of boxes (n, 4) given by their edges, (n, 4, 2): clockwise from the top left, in coordinates
    whose whole numbers are centres of pixels."""
    x0, y0, x1, y1 = np.asarray(boxes, np.float64).T - 0.5
    return np.stack([np.stack(pair, 1) for pair in ((x0, y0), (x1, y0), (x1, y1), (x0, y1))], 1)


def _row(frame: video.Frame, found: Observation, said: Said | None, status: str) -> Mapping[str, Any]:
    return {
        "frame_index": frame.index,
        "time_s": frame.time_s,
        "status": status,
        "track_id": found.track_id,
        "box": None if found.box_xyxy is None else found.box_xyxy.tolist(),
        "probabilities": None if said is None else said.fine.tolist(),
        "basic": None if said is None else said.basic.tolist(),
    }
