"""Pose of the head, perspective camera, exact projection.

Signs: yaw is positive when the face turns to the person's left (to the right in the picture), pitch when it
turns up, roll when the head tilts to the person's left (clockwise in the picture).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fgbench.synthetic.action_units import Activation, channels_of

PIVOT = np.array([0.0, 0.60, -0.60])
"""Point about which the head turns, in its own frame."""

_FULL_TURN_DEG = ((51, 52, 26.0), (53, 54, 20.0), (55, 56, 22.0))
"""AUs of the head towards + and -, and their largest turn: yaw, pitch, roll; not stated in the paper."""
FULL_GAZE = ((61, 62, 0.085), (63, 64, 0.058))
"""AUs of the gaze and the largest movement of the pupil: to the person's left, up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Camera:
    """A pinhole camera in front of the head.

    Attributes:
        scale_px: Pixels per unit (distance of the outer eye corners) at the depth of the pivot's origin.
        centre_px: (x, y) of the picture at which the head's origin is seen at zero pose.
        distance: Distance of the camera in units; farther means flatter.
    """

    scale_px: float
    centre_px: tuple[float, float]
    distance: float


@dataclass(frozen=True, slots=True)
class Pose:
    """Turn of the head in degrees; see the module for the signs."""

    yaw_deg: float
    pitch_deg: float
    roll_deg: float


def head_turn(activation: Activation) -> Pose:
    """Turn of the head by AUs 51 to 56."""
    yaw, pitch, roll = (
        full * float(activation[channels_of(plus)[0]] - activation[channels_of(minus)[0]])
        for plus, minus, full in _FULL_TURN_DEG
    )
    return Pose(yaw, pitch, roll)


def rotation(pose: Pose) -> npt.NDArray[np.float64]:
    """Rotation matrix (3, 3) of head points: roll about the head's front, then pitch, then yaw."""
    yaw, pitch, roll = np.deg2rad([pose.yaw_deg, pose.pitch_deg, pose.roll_deg])
    turn = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    nod = np.array([[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]])
    tilt = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    return np.asarray(turn @ nod @ tilt)


def turned(points: npt.NDArray[np.floating], matrix: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Head points (N, 3) after the head has turned about its pivot."""
    # Written out: a BLAS would wake its threads for so small a product.
    x, y, z = (points - PIVOT).T
    return np.asarray(np.stack([row[0] * x + row[1] * y + row[2] * z for row in matrix], axis=1) + PIVOT)


def project(points: npt.NDArray[np.float64], camera: Camera) -> npt.NDArray[np.float64]:
    """Pixels (N, 2) of turned head points (N, 3); pixel centres at integers."""
    factor = camera.scale_px / (1.0 - points[:, 2] / camera.distance)
    return points[:, :2] * factor[:, None] + camera.centre_px
