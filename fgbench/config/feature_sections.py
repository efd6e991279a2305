"""Sections of recipes of `fgbench prepare` for features, one per stage."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import (
    Field,
)

from fgbench.config.sections import Section


class LbpConfig(Section):
    """Local binary patterns of the image set (`fgbench.features.lbp`; Shan et al. 2009)."""

    enabled: bool = True
    """Whether they are computed."""
    points: Annotated[int, Field(ge=2, le=16)] = 8
    """Neighbours on the circle."""
    margin: Annotated[float, Field(ge=0.0, le=2.0)] | None = 0.25
    """The grid covers a square about dlib's mean face, with so much on each side, as a share of the face's
    side, as far as it lies within the aligned face: whatever ``faces.geometry``, as much of the face as
    ``dlib.get_face_chip`` shows. ``null`` is all of the picture, as it is where no face was aligned. Not
    stated in the paper."""
    radius: Annotated[float, Field(ge=0.002, le=0.06)] = 0.018
    """Radius of the circle as a share of the side of that square, so that it means the same whatever
    ``faces.chip_size`` and ``faces.geometry``; in px it is rounded to a tenth (3.3 px of 224 with the
    defaults). Shan et al. take 2 px on crops 110 px wide. Not stated in the paper."""
    rows: Annotated[int, Field(ge=1, le=64)] = 7
    """Cells from top to bottom (Shan et al.: 7). Not stated in the paper."""
    columns: Annotated[int, Field(ge=1, le=64)] = 6
    """Cells from left to right (Shan et al.: 6). Not stated in the paper."""


class DenseTrajectoriesConfig(Section):
    """Dense trajectories of whole clips (`fgbench.features.dense_trajectories`; Wang et al. 2013)."""

    enabled: bool = False
    """Whether they are computed; they take longer than all the rest."""
    max_side_px: Annotated[int, Field(ge=0, le=16384)] = 320
    """Longer side that frames are reduced to; 0 leaves them as they are. Not stated in the paper."""


class OpticalFlowConfig(Section):
    """Optical flow of faces (`fgbench.features.optical_flow`), each pair of frames through one transform."""

    enabled: bool = False
    """Whether it is computed."""
    size_px: Annotated[int, Field(ge=16, le=1024)] = 112
    """Side of a field in px. Not stated in the paper."""
    method: Literal["farneback", "dis"] = "farneback"
    """``dis`` is faster and not equivalent."""
    bound_px: Annotated[float, Field(ge=0.1, le=1024.0)] = 5.0
    """Largest displacement that is stored, in px of the field per frame: a 22nd of a side of 112 px, a step
    of 0.04 px. Not stated in the paper."""


class WideFacesConfig(Section):
    """Faces of the image set with more of their surroundings, for crops that are laid out otherwise."""

    enabled: bool = False
    """Whether they are made."""
    margin: Annotated[float, Field(ge=0.0, le=2.0)] = 0.375
    """Margin on each side, as a share of the stored face's side. Not stated in the paper;
    InsightFace's crop of the mean face takes 0.18 above it and nothing beside it (of geometry ``dlib`` 0.20
    and 0.06); what is left is for faces that are turned, and for copies."""
