"""Faces of the user's own files: always searched, also for networks that saw crops as they were.

What was never aligned in a data set of crops is not aligned here either, but only where the file is such a
crop: a picture or clip that its one face fills (:data:`FILLS`), or a small one (:data:`CROP_PX`) in which no
face is found. It gets the status ``as_is``. All other files are what people take with cameras: the face that
is found is aligned, and where there is none, nothing is said.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain, islice
from statistics import median

import numpy as np

from fgbench.config import FacesConfig
from fgbench.faces.geometry import box_width
from fgbench.faces.observation import Observation
from fgbench.faces.status import AS_IS, OK
from fgbench.faces.where_found import LOOK_FRAMES
from fgbench.media.video import Frame, Image
from fgbench.preparation.stages.faces import as_is, everyone_in, observed

FILLS = 0.65
"""Least width of a face's box, as a share of the side of a square of the picture's area, from which on the
face fills it. Crops of data sets are 0.7 to 1.5 boxes wide; portraits with shoulders 2 and more. Ours."""

CROP_PX = 256
"""Longer side of the largest picture that counts as a crop though no face is found in it. Ours."""

Observed = tuple[Frame, Observation]


def observed_own(
    frames: Iterable[Frame], faces: FacesConfig, *, grey: bool = False, only_found: bool = False
) -> Iterator[Observed]:
    """The frames of a file, in order, each with what was found in it.

    Args:
        frames: Of a clip, or one of a picture.
        faces: How the faces of the data set were found that the network was trained on.
        grey: Whether faces are shown without colour.
        only_found: Whether no file is taken as it is, also where those that were trained on were.

    Raises:
        ConfigError: If there is no such detector.
        DependencyError: If a model file is missing.
    """
    faces = _searched(faces) if only_found else faces
    found = observed(frames, faces) if faces.align == "always" else _maybe_cropped(frames, faces)
    return ((frame, _shown(seen, grey=grey)) for frame, seen in found)


def everyone_own(frame: Frame, faces: FacesConfig, *, grey: bool = False) -> list[Observation]:
    """All faces of a picture from left to right; errors as of :func:`observed_own`."""
    return [_shown(seen, grey=grey) for seen in everyone_in(frame, faces)]


def _maybe_cropped(frames: Iterable[Frame], faces: FacesConfig) -> Iterator[Observed]:
    found = iter(observed(frames, faces.model_copy(update={"align": "where-found"})))
    first = list(islice(found, LOOK_FRAMES))
    every = chain(first, found)
    if faces.align == "never" and _is_filled(first):
        return ((frame, replace(as_is(frame, faces), n_faces=1)) for frame, _ in every)
    if any(seen.status == AS_IS for _, seen in first) and not _is_small_crop(first, faces):
        return iter(observed((frame for frame, _ in every), _searched(faces)))
    return every


def _searched(faces: FacesConfig) -> FacesConfig:
    return faces.model_copy(update={"align": "always"})


def _is_small_crop(first: list[Observed], faces: FacesConfig) -> bool:
    """Whether a file in which the face is not found is small, and does not show several people."""
    if any(max(frame.size) > CROP_PX for frame, _ in first):
        return False
    seen = observed([frame for frame, _ in first], _searched(faces))
    return all(found.n_faces <= 1 for _, found in seen)


def _is_filled(seen: list[Observed]) -> bool:
    """Whether the one face of a file fills it."""
    shares = [
        box_width(found.box_xyxy) / float(np.sqrt(frame.size[0] * frame.size[1]))
        for frame, found in seen
        if found.status == OK and found.box_xyxy is not None
    ]
    is_alone = all(found.n_faces <= 1 for _, found in seen)
    return bool(shares) and is_alone and median(shares) >= FILLS


def _shown(found: Observation, *, grey: bool) -> Observation:
    if not grey or found.chip is None:
        return found
    return replace(found, chip=without_colour(found.chip))


def without_colour(picture: Image) -> Image:
    """Luma (BT.601) in all three channels, (H, W, 3) uint8; grey pictures stay what they are."""
    import cv2

    luma = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    return np.ascontiguousarray(np.broadcast_to(luma[..., None], picture.shape))
