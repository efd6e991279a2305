"""Faces of users' files: always searched for, also for networks trained on unaligned crops.

For networks trained on crops without alignment, a file that is such a crop is not aligned either: a picture
or clip that its one face fills (:data:`FILLS`), or a small one (:data:`CROP_PX`) in which no face is found.
It gets the status ``as_is``. In all other files, as people take them with cameras, the detected face is
aligned, and without one there is no prediction.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain, islice
from statistics import median

import numpy as np

from fgbench.config import FacesConfig
from fgbench.faces.cropped_pictures import LOOK_FRAMES
from fgbench.faces.geometry import box_width
from fgbench.faces.observation import Observation
from fgbench.faces.status import AS_IS, OK
from fgbench.media.video import Frame, Image
from fgbench.preparation.stages.faces import as_is, everyone_in, observed

FILLS = 0.65
"""Least width of the box of a face that fills its picture, as a share of the side of a square of the
picture's area. Crops of data sets are 0.7 to 1.5 boxes wide; portraits with shoulders 2 and more. Ours."""

CROP_PX = 256
"""Longer side of the largest picture that counts as a crop if no face is found in it. Ours."""

Observed = tuple[Frame, Observation]


def observed_own(
    frames: Iterable[Frame], faces: FacesConfig, *, grey: bool = False, only_found: bool = False
) -> Iterator[Observed]:
    """Iterate over the frames of a file, in order, each with its observation.

    Args:
        frames: Frames of a video, or the one of a picture.
        faces: Settings of the faces of the network's training data.
        grey: Whether faces are made grey.
        only_found: Whether no file is taken as it is, even if training pictures were.

    Raises:
        ConfigError: If there is no such detector.
        DependencyError: If a model file is missing.
    """
    faces = _searched(faces) if only_found else faces
    observations = observed(frames, faces) if faces.align == "always" else _maybe_cropped(frames, faces)
    return ((frame, _shown(observation, grey=grey)) for frame, observation in observations)


def everyone_own(frame: Frame, faces: FacesConfig, *, grey: bool = False) -> list[Observation]:
    """Return all faces of a picture from left to right; raises the errors of :func:`observed_own`."""
    return [_shown(seen, grey=grey) for seen in everyone_in(frame, faces)]


def _maybe_cropped(frames: Iterable[Frame], faces: FacesConfig) -> Iterator[Observed]:
    observations = iter(observed(frames, faces.model_copy(update={"align": "where-found"})))
    first = list(islice(observations, LOOK_FRAMES))
    every = chain(first, observations)
    if faces.align == "never" and _is_filled(first):
        return ((frame, replace(as_is(frame, faces), n_faces=1)) for frame, _ in every)
    if any(seen.status == AS_IS for _, seen in first) and not _is_small_crop(first, faces):
        return iter(observed((frame for frame, _ in every), _searched(faces)))
    return every


def _searched(faces: FacesConfig) -> FacesConfig:
    return faces.model_copy(update={"align": "always"})


def _is_small_crop(first: list[Observed], faces: FacesConfig) -> bool:
    """Return whether a file without detected face is small, and does not show several people."""
    if any(max(frame.size) > CROP_PX for frame, _ in first):
        return False
    seen = observed([frame for frame, _ in first], _searched(faces))
    return all(observation.n_faces <= 1 for _, observation in seen)


def _is_filled(seen: list[Observed]) -> bool:
    """Return whether the one face of a file fills it."""
    shares = [
        box_width(observation.box_xyxy) / float(np.sqrt(frame.size[0] * frame.size[1]))
        for frame, observation in seen
        if observation.status == OK and observation.box_xyxy is not None
    ]
    is_alone = all(observation.n_faces <= 1 for _, observation in seen)
    return bool(shares) and is_alone and median(shares) >= FILLS


def _shown(observation: Observation, *, grey: bool) -> Observation:
    if not grey or observation.chip is None:
        return observation
    return replace(observation, chip=without_colour(observation.chip))


def without_colour(picture: Image) -> Image:
    """Return luma (BT.601) in all three channels, (H, W, 3) uint8; grey pictures do not change."""
    import cv2

    luma = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    return np.ascontiguousarray(np.broadcast_to(luma[..., None], picture.shape))
