"""Observation of one frame."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from fgbench.config import FacesConfig
from fgbench.faces.chips import cut_chip, sharpness
from fgbench.faces.geometry import chip_transform
from fgbench.faces.layout import chip_layout
from fgbench.faces.placement import placement_from_landmarks
from fgbench.faces.pose import estimate_pose
from fgbench.faces.status import LARGE_POSE, Status
from fgbench.media.video import Frame, Image


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """Observation of one frame. Coordinates: px of the frame. ``None`` where there is no aligned face.

    Attributes:
        status: One of :data:`fgbench.faces.status.STATUSES`.
        n_faces: Number of faces: the tracked one and those of the last search. A search for
            the largest face skips much smaller ones.
        track_id: From 0; another number is another person, or the same one after a cut or a dissolve or at
            another position.
        box_xyxy: (4,) float32; average box of dlib's detector for such a face, computed from the
            landmarks.
        score: Score of the detector when it last checked this face.
        quality: Reliability of the landmarks, 0 to 1 (:mod:`fgbench.faces.quality`).
        landmarks: (68, 2) or (5, 2) float32.
        transform: (2, 3) float64, frame to chip.
        yaw_deg: See :mod:`fgbench.faces.pose`; ``nan`` with 5 points.
        pitch_deg: Likewise.
        roll_deg: See :mod:`fgbench.faces.pose`.
        sharpness: See :func:`fgbench.faces.chips.sharpness`.
        chip: (S, S, 3) uint8 RGB.
    """

    status: Status
    n_faces: int = 0
    track_id: int | None = None
    box_xyxy: npt.NDArray[np.float32] | None = None
    score: float | None = None
    quality: float | None = None
    landmarks: npt.NDArray[np.float32] | None = None
    transform: npt.NDArray[np.float64] | None = None
    yaw_deg: float | None = None
    pitch_deg: float | None = None
    roll_deg: float | None = None
    sharpness: float | None = None
    chip: Image | None = None


def aligned(frame: Frame, observation: Observation, options: FacesConfig) -> Observation:
    """Add pose and chip to an observation that has landmarks.

    Args:
        frame: The frame.
        observation: The observation; without landmarks it is returned unchanged.
        options: Settings of the stage.
    """
    if observation.landmarks is None:
        return observation
    landmarks = observation.landmarks.astype(np.float64)
    layout = chip_layout(options)
    transform = chip_transform(landmarks, size=options.chip_size, padding=layout.padding, shift=layout.shift)
    chip = cut_chip(frame, transform, size=options.chip_size)
    pose = estimate_pose(landmarks, frame.size)
    return replace(
        observation,
        status=LARGE_POSE if abs(pose.yaw_deg) > options.max_abs_yaw_deg else observation.status,
        box_xyxy=placement_from_landmarks(landmarks).box_xyxy,
        transform=transform,
        yaw_deg=pose.yaw_deg,
        pitch_deg=pose.pitch_deg,
        roll_deg=pose.roll_deg,
        sharpness=sharpness(chip),
        chip=chip,
    )
