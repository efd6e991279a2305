"""Faces of a clip as values, frame by frame, and the text of their numbers in tables."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fgbench.faces.pose import Pose

COLUMNS = (
    "clip_id",
    "frame_index",
    "time_s",
    "status",
    "box_xyxy",
    "score",
    "quality",
    "landmarks",
    "yaw_deg",
    "pitch_deg",
    "roll_deg",
)
"""Columns of the table ``faces`` that are read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipFacts:
    """Facts that the frames of a clip share.

    Attributes:
        clip_id: Id of the clip.
        path: Its path in the data set, POSIX.
        size: Width and height of the upright frame in px.
    """

    clip_id: str
    path: str
    size: tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameFace:
    """The face of a frame, in px of the upright frame: x right, y down, centre of the top left pixel (0, 0).

    Attributes:
        frame_index: Number of the frame, from 0.
        time_s: Its time; ``None`` where frames have none.
        is_sure: Whether the face was found and aligned (status ``ok``).
        box_xyxy: Left, top, right, bottom; ``None`` without a face.
        score: Score of the detector, without a fixed scale; ``None`` without a face.
        quality: Reliability of the landmarks, 0 to 1; ``None`` if it was not rated.
        landmarks: (68, 2) float64 in iBUG order; ``None`` without a face.
        pose: Degrees, signs as in :mod:`fgbench.faces.pose`; ``None`` where it is not known.
        units: Action unit, e.g. ``"au12"``, to presence: 1, 0, or a probability; without those not known.
    """

    frame_index: int
    time_s: float | None
    is_sure: bool
    box_xyxy: tuple[float, float, float, float] | None
    score: float | None
    quality: float | None
    landmarks: npt.NDArray[np.float64] | None
    pose: Pose | None
    units: Mapping[str, float]


def text(value: float | None, digits: int) -> str:
    """Return a number with a fixed number of decimals; an empty text for none, and for NaN."""
    return "" if value is None or not math.isfinite(value) else f"{value:.{digits}f}"


def texts(values: Sequence[float] | None, n: int, digits: int) -> list[str]:
    """Return ``n`` numbers as :func:`text` does; empty texts where there are none."""
    return [""] * n if values is None else [text(float(value), digits) for value in values]


def unit_column(unit: str) -> str:
    """Return the name of an action unit as columns have it, e.g. ``"AU12"``."""
    return unit.upper()
