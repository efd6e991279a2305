"""Predictions of users' files by a trained network: faces are detected and aligned as in a data set.

Reads pictures and videos. The probabilities of the frames of a video go to a Parquet file, their mean is the
prediction of the video (:mod:`fgbench.inference.frame_predictions`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from fgbench.callbacks import ignore
from fgbench.config import FacesConfig
from fgbench.errors import MediaError
from fgbench.faces.observation import Observation
from fgbench.faces.status import AS_IS
from fgbench.faces.still_picture import ImageFrame
from fgbench.inference.files import FilePrediction, frames_schema
from fgbench.inference.frame_predictions import VisibleTime, predict_frames
from fgbench.inference.own_faces import everyone_own, observed_own
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
    on_frame: Callable[[int, Observation], None] = ignore,
    limits: video.Limits = video.DEFAULT_LIMITS,
) -> FilePrediction:
    """Find the face in a picture or in the frames of a video, and classify it.

    As in a data set, a face counts if its status is ``ok``: not turned too far, not one of two alike, and not
    only briefly visible. On files taken as they are see :mod:`fgbench.inference.own_faces`.

    Args:
        path: The file.
        network: The network.
        faces: Settings of faces; chips have to be 224 px wide.
        frames_to: Parquet file for the frames of a video (``frames_schema``); ``None`` writes none.
        on_frame: Called with the number and the observation of every frame of a video, in order.
        limits: Limits of decoding.

    Returns:
        The prediction, also of files that cannot be read; ``status`` and ``message`` give the reason.

    Raises:
        ConfigError: If there is no such detector.
        DependencyError: If a model file is missing.
        ResourceError: If the Parquet file cannot be written.
    """
    try:
        if is_image(path):
            frame = ImageFrame(pixels=read_image(path, max_px=limits.max_picture_px))
            return predict_picture(path, frame, network, faces)
        with video.open_video(path, limits=limits) as reader:
            return _predict_video(path, reader, network, faces, frames_to, on_frame)
    except MediaError as error:
        return FilePrediction(path=path, kind="unreadable", status=error.reason, message=error.message)


def predict_picture(
    path: Path, frame: ImageFrame, network: FaceNetwork, faces: FacesConfig
) -> FilePrediction:
    """Find the face in the pixels of a picture, and classify it, as :func:`predict_file` does."""
    prediction = _predict_observed(path, "image", [frame], network, faces, keep=ignore)
    if prediction.statuses.get(AS_IS):
        return prediction
    return replace(prediction, n_people=max(prediction.n_people, len(everyone_own(frame, faces))))


def predict_everyone(
    path: Path,
    network: FaceNetwork,
    faces: FacesConfig,
    *,
    limits: video.Limits = video.DEFAULT_LIMITS,
) -> list[FilePrediction]:
    """Classify every face in a picture.

    Args:
        path: The picture.
        network: The network.
        faces: Settings of faces; the policy is ignored.
        limits: Limits of decoding.

    Returns:
        One per face, from left to right; where no face is found, or the picture is taken as it is, the one of
        :func:`predict_file`, whose errors are raised too.
    """
    try:
        frame = ImageFrame(pixels=read_image(path, max_px=limits.max_picture_px))
    except MediaError as error:
        return [FilePrediction(path=path, kind="unreadable", status=error.reason, message=error.message)]
    return predict_everyone_in(path, frame, network, faces)


def predict_everyone_in(
    path: Path, frame: ImageFrame, network: FaceNetwork, faces: FacesConfig
) -> list[FilePrediction]:
    """Classify every face in the pixels of a picture, as :func:`predict_everyone` does."""
    alone = _predict_observed(path, "image", [frame], network, faces, keep=ignore)
    everyone = everyone_own(frame, faces, grey=network.grey)
    if not everyone or alone.statuses.get(AS_IS):
        return [alone]
    return [
        replace(
            predict_frames(path, "image", [(frame, observation)], network),
            n_people=len(everyone),
            face=number,
            box_xyxy=observation.box_xyxy,
        )
        for number, observation in enumerate(everyone, 1)
    ]


def is_image(path: Path) -> bool:
    """Return whether a file is a picture, by its first bytes or else by its name."""
    return not path.is_dir() and video.decoder_for(path) == "pictures"


def _predict_video(
    path: Path,
    reader: video.Reader,
    network: FaceNetwork,
    faces: FacesConfig,
    frames_to: Path | None,
    on_frame: Callable[[int, Observation], None],
) -> FilePrediction:
    fps = reader.info.fps
    visible = VisibleTime(
        frame_s=1 / fps if fps else None,
        n_frames=reader.info.n_frames,
        min_track_s=faces.min_track_s,
        min_track_score=faces.min_track_score,
    )
    how: dict[str, Any] = {"visible": visible, "on_frame": on_frame}
    if frames_to is None:
        return _predict_observed(path, "video", reader.frames(), network, faces, keep=ignore, **how)
    writer = TableWriter(frames_to, frames_schema(network.classes, network.upper))
    try:
        prediction = _predict_observed(path, "video", reader.frames(), network, faces, keep=writer.add, **how)
    except BaseException:
        writer.discard()
        raise
    if prediction.n_frames:
        writer.close()
    else:
        writer.discard()
    return prediction


def _predict_observed(
    path: Path,
    kind: str,
    frames: Iterable[video.Frame],
    network: FaceNetwork,
    faces: FacesConfig,
    *,
    keep: Callable[[Mapping[str, Any]], None],
    visible: VisibleTime | None = None,
    on_frame: Callable[[int, Observation], None] = ignore,
) -> FilePrediction:
    """Find the face in the frames of a file, and predict them."""
    broken: list[str] = []
    observations = observed_own(
        _until_broken(frames, broken), faces, grey=network.grey, only_found=network.needs_landmarks
    )
    return predict_frames(
        path, kind, observations, network, visible=visible, keep=keep, on_frame=on_frame, broken=broken
    )


def _until_broken(frames: Iterable[video.Frame], broken: list[str]) -> Iterator[video.Frame]:
    """Iterate over frames until the file breaks off; add the reason to the list."""
    try:
        yield from frames
    except MediaError as error:
        broken.append(error.message)
