"""Section of recipes of `fgbench prepare` for faces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import (
    Field,
    field_validator,
    model_validator,
)

from fgbench.config.sections import Fraction, Positive, Section

DLIB_PADDING = 0.25
"""Padding of ``dlib.get_face_chip`` where none is given."""


class FacesConfig(Section):
    """Detection, tracking and alignment of faces."""

    detector: str = "dlib-hog"
    """Plugin in ``fgbench/detectors``."""
    detector_model: str | None = None
    """Model file of the detector, where it needs one that fgbench does not bring (``yunet``)."""
    landmarks: Literal[68, 5] = 68
    """Points of the predictor. The 5-point model has the more permissive licence, and gives no pose."""
    policy: Literal["largest", "central", "track"] = "largest"
    """Choice among several faces. ``largest``: a face that is followed is left for another
    only if that is clearly larger. ``central``: the nearest to the middle of the frame, likewise. ``track``:
    the largest at the start, and that one for as long as it can be followed."""
    align: Literal["always", "never", "where-found"] = "always"
    """Whether faces are searched and aligned. ``never`` takes frames that are cropped already as they are;
    ``where-found`` aligns those of pictures and clips in which the face is found, and takes the others as
    they are. ``true`` and ``false`` of older recipes are read as ``always`` and ``never``."""
    ambiguity: Annotated[float, Field(ge=0.0, le=0.9)] = 0.1
    """Two faces count as equal if their areas differ by no more than this share of the larger one, or with
    ``central`` their distances from the middle of the frame by no more than this share of half its shorter
    side."""
    min_face_px: Annotated[float, Field(ge=1.0, le=16384.0)] = 40.0
    """Narrower faces (width of the detector's box, px) are not looked for, and not taken."""
    geometry: Literal["face", "dlib"] = "face"
    """Layout of the aligned face. ``face`` holds chin and brows, mouth open too; ``dlib`` is
    ``dlib.get_face_chip``, which cuts most chins off. Not stated in the paper, which aligns by dlib."""
    padding: Annotated[float, Field(ge=0.0, le=2.0)] | None = None
    """Margin around the face in geometry ``dlib``, as ``get_face_chip`` counts it (0.25 where none is given).
    A recipe that names it and no geometry means ``dlib``, as those of earlier versions do. Not stated in the
    paper."""
    chip_size: Annotated[int, Field(ge=32, le=1024)] = 224
    """Side of the aligned face in px (paper section III: 224)."""
    max_abs_yaw_deg: Annotated[float, Field(gt=0.0, le=180.0)] = 45.0
    """A face turned further gets the status ``large_pose``. Not stated in the paper."""
    min_quality: Fraction = 0.5
    """A face whose landmarks are less sure gets the status ``unsure`` (`fgbench.faces.quality`): they agree
    neither with what the detector saw nor with the frames around. 0 takes every face. Not stated in the
    paper."""
    smooth: bool = True
    """Whether landmarks are steadied by those of the frame before and of the frame after, where that does not
    lag (`fgbench.faces.smoothing`). Not stated in the paper."""
    min_track_s: Annotated[float, Field(ge=0.0, le=3600.0)] = 0.4
    """Frames of faces that are followed for less than so many seconds get the status ``passing``, in clips
    that have a face that stays; 0 takes them all. Not stated in the paper."""
    min_track_score: Annotated[float, Field(ge=-1e6, le=1e6)] = 0.3
    """A face whose best score (the detector's own) is lower has to stay four times as long."""
    redetect_every: Positive = 24
    """Frames between two searches for other faces while a face is followed; and, while there is none, before
    the second search of the enlarged picture for small ones (later ones are rarer)."""
    search_every: Positive = 6
    """While there is no face, a frame is searched at the latest this many frames after the last; a face found
    there is followed back through the frames between. 1 searches every frame."""
    check_every: Positive = 2
    """Frames between two checks by the detector that what is followed is still a face."""
    max_seconds: Annotated[float, Field(gt=0.0, le=1e9)] = 21600.0
    """Seconds that the faces of one clip may take; beyond them the clip is rejected. A safety net: which clip
    meets it depends on the machine."""
    format: Literal["jpeg", "png"] = "jpeg"
    """Encoding of the stored faces."""
    jpeg_quality: Annotated[int, Field(ge=1, le=100)] = 95
    """Quality of JPEG."""

    @field_validator("align", mode="before")
    @classmethod
    def _switch(cls, value: object) -> object:
        return ("always" if value else "never") if isinstance(value, bool) else value

    @model_validator(mode="before")
    @classmethod
    def _padding_is_dlibs(cls, value: object) -> object:
        if not isinstance(value, Mapping):
            return value
        if value.get("padding") is not None and "geometry" not in value:
            return {**value, "geometry": "dlib"}
        if value.get("geometry") == "dlib" and value.get("padding") is None:
            return {**value, "padding": DLIB_PADDING}
        return value

    @model_validator(mode="after")
    def _padding_has_its_geometry(self) -> Self:
        if self.geometry != "dlib" and self.padding is not None:
            raise ValueError(
                f"padding is of geometry dlib, and geometry is {self.geometry}; take it out, or set "
                "geometry: dlib"
            )
        return self
