"""``fgbench.align``: aligned faces of single pictures."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fgbench.api.arguments import path_of
from fgbench.api.sections import section
from fgbench.config import FacesConfig
from fgbench.errors import ConfigError
from fgbench.faces.observation import Observation
from fgbench.faces.still_picture import ImageFrame
from fgbench.media.images import encode, from_pillow, read_image

Picture = str | os.PathLike[str] | npt.NDArray[np.uint8] | Any
"""Path of a picture; or its pixels, (H, W, 3) uint8 RGB or (H, W) uint8 grey, as an array; or a picture
of Pillow, which is taken as its file is: upright, transparent parts white, 16 bits scaled."""

_AS_PIXELS = "give a path, or pixels from 0 to 255 in the order red, green, blue"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Face:
    """A face of a picture. Coordinates are px of the upright picture, centre of the top left pixel at (0, 0).

    Attributes:
        chip: (S, S, 3) uint8 RGB, the aligned face.
        landmarks: (68, 2) or (5, 2) float32.
        box_xyxy: (4,) float32, where dlib's detector sees such a face on average.
        transform: (2, 3) float64, picture to chip.
        score: Score of the detector.
        quality: How sure the landmarks are, 0 to 1.
        yaw_deg: Turn to the side; NaN with 5 landmarks.
        pitch_deg: Turn up and down; likewise.
        roll_deg: Tilt in the plane of the picture.
        status: ``ok``, ``large_pose`` or ``unsure``, as in the table ``faces`` of a work folder.
        n_faces: Faces that were found in the picture.
    """

    chip: npt.NDArray[np.uint8]
    landmarks: npt.NDArray[np.float32]
    box_xyxy: npt.NDArray[np.float32]
    transform: npt.NDArray[np.float64]
    score: float
    quality: float
    yaw_deg: float
    pitch_deg: float
    roll_deg: float
    status: str
    n_faces: int

    def __repr__(self) -> str:
        x0, y0, x1, y1 = (round(float(edge)) for edge in self.box_xyxy)
        side_px = len(self.chip)
        box = f"box ({x0}, {y0}, {x1}, {y1})"
        return f"<Face {side_px} x {side_px} px, {self.status}, {box}, score {self.score:.2f}>"

    def _repr_png_(self) -> bytes:
        return encode(self.chip, "png", jpeg_quality=0)

    def _repr_html_(self) -> str:
        from fgbench.api.showing import paragraph, picture

        return paragraph(repr(self)[1:-1]) + picture(self.chip, side_px=len(self.chip))


def align(picture: Picture, *, settings: FacesConfig | Mapping[str, Any] | None = None) -> Face | None:
    """Return the aligned face of a picture, as ``fgbench prepare`` makes it.

    Args:
        picture: Its path or pixels.
        settings: Section ``faces`` of a recipe, or a dict of what differs from its defaults; ``None`` has the
            defaults (224 px, the face in the middle of the largest, chin and brows inside).

    Returns:
        The face that the policy of the settings chooses; ``None`` where none is found, or where it cannot
        choose.

    Raises:
        ConfigError: If it is no picture, a setting is not valid, or there is no such detector.
        DependencyError: If a model file is missing.
        MediaError: If the file cannot be read.
    """
    from fgbench.preparation.stages.faces import observed

    config = _searching(settings)
    ((_, observation),) = observed([as_frame(picture)], config)
    return None if observation.chip is None else _face(observation)


def align_all(picture: Picture, *, settings: FacesConfig | Mapping[str, Any] | None = None) -> list[Face]:
    """Return all faces of a picture from left to right; arguments and errors as of :func:`align`."""
    from fgbench.preparation.stages.faces import everyone_in

    return [
        _face(observation)
        for observation in everyone_in(as_frame(picture), _searching(settings))
        if observation.chip is not None
    ]


def as_frame(picture: Picture) -> ImageFrame:
    """Return a picture as the frames of clips are taken.

    Raises:
        ConfigError: If it is none.
        MediaError: If the file cannot be read.
    """
    if isinstance(picture, str | os.PathLike):
        return ImageFrame(pixels=read_image(path_of("picture", picture, example="'photo.jpg'")))
    given: Any = picture
    is_pillows = hasattr(given, "getexif")
    pixels = from_pillow(given) if is_pillows else _pixels(given)
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[..., None], 3, axis=2)
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or 0 in pixels.shape:
        raise ConfigError(
            f"a picture of shape {pixels.shape} and type {pixels.dtype}, expected uint8, (H, W, 3) or (H, W)",
            _AS_PIXELS,
        )
    return ImageFrame(pixels=np.ascontiguousarray(pixels))


def _pixels(given: Any) -> npt.NDArray[Any]:
    """Return what stands for pixels as an array.

    Raises:
        ConfigError: If it is nothing like pixels.
    """
    if isinstance(given, Face):
        return given.chip
    if not isinstance(given, np.ndarray | Sequence) and not hasattr(given, "__array__"):
        raise ConfigError(
            f"a picture of type {type(given).__name__}, expected a path, pixels or a picture of Pillow",
            _AS_PIXELS,
        )
    try:
        return np.asarray(given)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ConfigError(
            f"a picture that is no array of pixels: {error}",
            _AS_PIXELS,
        ) from error


def _searching(settings: FacesConfig | Mapping[str, Any] | None) -> FacesConfig:
    return section("faces", settings, FacesConfig).model_copy(update={"align": "always"})


def _face(observation: Observation) -> Face:
    assert observation.chip is not None
    assert observation.landmarks is not None
    assert observation.box_xyxy is not None
    assert observation.transform is not None
    return Face(
        chip=observation.chip,
        landmarks=observation.landmarks,
        box_xyxy=observation.box_xyxy,
        transform=observation.transform,
        score=_number(observation.score),
        quality=_number(observation.quality),
        yaw_deg=_number(observation.yaw_deg),
        pitch_deg=_number(observation.pitch_deg),
        roll_deg=_number(observation.roll_deg),
        status=observation.status,
        n_faces=max(observation.n_faces, 1),
    )


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)
