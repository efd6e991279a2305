"""Files of the user's own through a trained network: faces are found and aligned as in a data set.

Reads pictures and videos. The probabilities of the frames of a video go to a Parquet file, their mean is what
is said of the clip (:mod:`fgbench.inference.watching`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from fgbench.config import FacesConfig
from fgbench.errors import MediaError
from fgbench.faces.observation import Observation
from fgbench.faces.status import AS_IS
from fgbench.faces.still import ImageFrame
from fgbench.inference.files import FilePrediction, frames_schema
from fgbench.inference.own_faces import everyone_own, observed_own
from fgbench.inference.watching import Stay, unheeded, unkept, watched
from fgbench.media import video
from fgbench.media.images import read_image
from fgbench.methods.protocol import FaceNetwork
from fgbench.storage import TableWriter


def predict_file(
    path: Path,
    network: FaceNetwork,
    faces: FacesConfig,
    *,
    frames_to: Path | None = None,
    heed: Callable[[int, Observation], None] = unheeded,
    limits: video.Limits = video.DEFAULT_LIMITS,
) -> FilePrediction:
    """Find the face in a picture or in the frames of a video, and tell its class.

    As in a data set, a face counts if its status is ``ok``: not turned too far, not one of two alike, and not
    there for a moment only. Whether a file is taken as it is, see :mod:`fgbench.inference.own_faces`.

    Args:
        path: The file.
        network: What tells the class, or the action units.
        faces: How faces are found; chips have to be 224 px wide.
        frames_to: Parquet file for the frames of a video (``frames_schema``); ``None`` writes none.
        heed: Told the number of every frame of a video and what was found in it, in order.
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
            seen = _watch(path, "image", [frame], network, faces, keep=unkept)
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
    alone = _watch(path, "image", [frame], network, faces, keep=unkept)
    found = everyone_own(frame, faces, grey=network.grey)
    if not found or alone.statuses.get(AS_IS):
        return [alone]
    return [
        replace(
            watched(path, "image", [(frame, seen)], network),
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
    heed: Callable[[int, Observation], None],
) -> FilePrediction:
    fps = reader.info.fps
    stay = Stay(
        frame_s=1 / fps if fps else None,
        n_frames=reader.info.n_frames,
        min_track_s=faces.min_track_s,
        min_track_score=faces.min_track_score,
    )
    how: dict[str, Any] = {"stay": stay, "heed": heed}
    if frames_to is None:
        return _watch(path, "video", reader.frames(), network, faces, keep=unkept, **how)
    writer = TableWriter(frames_to, frames_schema(network.classes, network.upper))
    try:
        found = _watch(path, "video", reader.frames(), network, faces, keep=writer.add, **how)
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
    stay: Stay | None = None,
    heed: Callable[[int, Observation], None] = unheeded,
) -> FilePrediction:
    """Find the face in the frames of a file, and go through them."""
    broken: list[str] = []
    seen = observed_own(
        _until_broken(frames, broken), faces, grey=network.grey, only_found=network.needs_landmarks
    )
    return watched(path, kind, seen, network, stay=stay, keep=keep, heed=heed, broken=broken)


def _until_broken(frames: Iterable[video.Frame], broken: list[str]) -> Iterator[video.Frame]:
    """Frames until the file breaks off; why it does is put into the list."""
    try:
        yield from frames
    except MediaError as error:
        broken.append(error.message)
