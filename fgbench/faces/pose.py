"""Head pose from 68 landmarks: a rigid 3-D face seen through a pinhole camera (PnP).

Angles are in degrees, relative to a face that looks straight into the camera, wherever in the frame it is: a
face at the edge of the frame that looks into the camera has yaw 0. So a clip that was cropped gives the same.

- yaw > 0: the face turns towards the right edge of the image (the subject's left);
- pitch > 0: the face looks up;
- roll > 0: the face is turned clockwise in the image.

The head is turned by roll about its own front, then by pitch, then by yaw about the vertical.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from fgbench.faces.geometry import N_IBUG_POINTS, Floats, chip_frame, mean_face

POSE_POINTS = np.array([*range(27, 36), 36, 39, 42, 45])
"""iBUG points that expressions hardly move: ridge and base of the nose, corners of the eyes."""

_OUTER_EYE_CORNERS_MM = 90.0

# Depth in mm, larger is farther from the camera, of POSE_POINTS. Ours, after adult means of facial
# anthropometry: the tip of the nose lies 17 mm before its base, the root of the nose 10 mm before the inner
# and 21 mm before the outer corners of the eyes.
_DEPTH_MM = (2, -5, -12, -19, 4, 0, -2, 0, 4, 23, 12, 12, 23)

# Pitch at which a face shows dlib's mean face. Ours, fitted on drawn faces (seed 0, 66 clips, 198 frames),
# whose pitch came out 6.1 degrees too low without it. On as many frames of seed 7, which were not used for
# the fit, it is 1.4 degrees too high with it and was 4.7 too low. Not checked on photographs.
_MEAN_FACE_PITCH_DEG = 6.1


@dataclass(frozen=True, slots=True)
class Pose:
    """Head pose in degrees; ``nan`` is unknown. Signs: see the module's docstring."""

    yaw_deg: float
    pitch_deg: float
    roll_deg: float


def face_model_mm() -> npt.NDArray[np.float64]:
    """Rigid face, (13, 3) float64 mm: x to the right of the image, y down, z away from the camera.

    Turned up by the pitch of dlib's mean face, it shows the x and y of that face, made symmetrical, with
    90 mm between the outer corners of the eyes.
    """
    points = mean_face()[POSE_POINTS - 17]
    mirror = np.array([0, 1, 2, 3, 8, 7, 6, 5, 4, 12, 11, 10, 9])
    middle = points[:4, 0].mean()
    x = (points[:, 0] - middle - (points[mirror, 0] - middle)) / 2
    y = (points[:, 1] + points[mirror, 1]) / 2
    mm = _OUTER_EYE_CORNERS_MM / (x[-1] - x[-4])
    shown = np.column_stack([x * mm, (y - y[3]) * mm, np.array(_DEPTH_MM, float)])
    straight: npt.NDArray[np.float64] = shown @ rotation_from_pose(Pose(0.0, _MEAN_FACE_PITCH_DEG, 0.0))
    return straight


_UNKNOWN = Pose(math.nan, math.nan, math.nan)

# Mean square distance of the points from their centre, in focal lengths: below the first OpenCV's SQPnP fails
# (its own bound is 1e-5); such points are enlarged to the second.
_LEAST_VARIANCE = 1.001e-5
_NEAR_VARIANCE = 4e-5


def camera_matrix(size: tuple[int, int], focal_px: float | None = None) -> npt.NDArray[np.float64]:
    """(3, 3) pinhole camera with the principal point in the middle of the frame.

    Args:
        size: Width and height of the frame in px.
        focal_px: Focal length; ``None`` takes the width of the frame, a field of view of 53 degrees.
    """
    width, height = size
    focal = float(width) if focal_px is None else focal_px
    return np.array([[focal, 0, (width - 1) / 2], [0, focal, (height - 1) / 2], [0, 0, 1]])


def estimate_pose(landmarks: Floats, size: tuple[int, int], *, focal_px: float | None = None) -> Pose:
    """Estimate the pose of a face.

    Args:
        landmarks: (68, 2) px in iBUG order; (5, 2) only give the roll, that of the aligned chip.
        size: Width and height of the frame in px.
        focal_px: Focal length; ``None`` takes the width of the frame.
    """
    if landmarks.shape != (N_IBUG_POINTS, 2):
        to_image = chip_frame(landmarks)
        return Pose(math.nan, math.nan, math.degrees(math.atan2(to_image[1, 0], to_image[0, 0])))
    points = np.ascontiguousarray(landmarks[POSE_POINTS], np.float64)
    try:
        turn, position_mm = _solve(points, camera_matrix(size, focal_px))
    except cv2.error:  # no rigid face has such points
        return _UNKNOWN
    if not position_mm[2] > 0:  # behind the camera
        return _UNKNOWN
    return pose_from_rotation(facing(position_mm) @ cv2.Rodrigues(turn)[0])


def head_position(landmarks: Floats, size: tuple[int, int]) -> npt.NDArray[np.float64] | None:
    """Return the position of the tip of the nose of a face of mean size, in the camera's axes.

    Args:
        landmarks: (68, 2) px in iBUG order.
        size: Width and height of the frame in px; the focal length is its width.

    Returns:
        (3,) float64 mm: x to the right of the image, y down, z away from the camera; ``None`` if no rigid
        face has such points.
    """
    points = np.ascontiguousarray(landmarks[POSE_POINTS], np.float64)
    try:
        _, position_mm = _solve(points, camera_matrix(size))
    except cv2.error:
        return None
    return np.asarray(position_mm, np.float64) if position_mm[2] > 0 else None


def _solve(points: Floats, camera: Floats) -> tuple[Floats, Floats]:
    """Rotation vector (3,) and position (3,) in mm of the rigid face whose projection is nearest to the
    points.

    OpenCV's SQPnP refuses points that are too near to each other, seen from the camera (a face narrower than
    1/59 of the frame's width). Such a face is so far away that it looks the same from nearer, but larger: the
    pose is solved there, and refined at the true position.

    Raises:
        cv2.error: If there is no solution.
    """
    focal = camera[0, 0]
    centre = points.mean(axis=0)
    variance = float(((points - centre) ** 2).sum(axis=1).mean()) / focal**2
    if variance >= _LEAST_VARIANCE:
        _, turn, position = cv2.solvePnP(_FACE_MM, points, camera, None, flags=cv2.SOLVEPNP_SQPNP)
        return turn.ravel(), position.ravel()
    nearer = math.sqrt(_NEAR_VARIANCE / max(variance, 1e-12))
    enlarged = (points - centre) * nearer + centre
    _, turn, position = cv2.solvePnP(_FACE_MM, enlarged, camera, None, flags=cv2.SOLVEPNP_SQPNP)
    away = position * nearer
    away[:2, 0] = np.linalg.solve(camera, [*centre, 1.0])[:2] * away[2, 0]
    turn, position = cv2.solvePnPRefineLM(_FACE_MM, points, camera, None, turn, away)
    return turn.ravel(), position.ravel()


def facing(position_mm: Floats) -> npt.NDArray[np.float64]:
    """Smallest rotation, (3, 3) float64, that turns the direction of a position into the camera's axis.

    Args:
        position_mm: (3,) position in the camera's axes (x right, y down, z away); its z is positive.
    """
    x, y, z = position_mm / np.linalg.norm(position_mm)
    across = np.array([[0, 0, -x], [0, 0, -y], [x, y, 0]])  # cross product with the axis of the rotation
    rotation: npt.NDArray[np.float64] = np.eye(3) + across + across @ across / (1 + z)
    return rotation


def rotation_from_pose(pose: Pose) -> npt.NDArray[np.float64]:
    """(3, 3) rotation of the face; inverse of :func:`pose_from_rotation`."""
    yaw, pitch, roll = (math.radians(angle) for angle in (pose.yaw_deg, pose.pitch_deg, pose.roll_deg))
    about_vertical = np.array(
        [[math.cos(yaw), 0, -math.sin(yaw)], [0, 1, 0], [math.sin(yaw), 0, math.cos(yaw)]]
    )
    about_side = np.array(
        [[1, 0, 0], [0, math.cos(pitch), math.sin(pitch)], [0, -math.sin(pitch), math.cos(pitch)]]
    )
    about_front = np.array(
        [[math.cos(roll), -math.sin(roll), 0], [math.sin(roll), math.cos(roll), 0], [0, 0, 1]]
    )
    rotation: npt.NDArray[np.float64] = about_vertical @ about_side @ about_front
    return rotation


def pose_from_rotation(rotation: Floats) -> Pose:
    """Pose from the (3, 3) rotation of the face (axes: x right, y down, z away from the camera)."""
    front = -rotation[:, 2]  # where the face looks
    return Pose(
        yaw_deg=math.degrees(math.atan2(front[0], -front[2])),
        pitch_deg=math.degrees(math.asin(min(1.0, max(-1.0, -front[1])))),
        roll_deg=math.degrees(math.atan2(rotation[1, 0], rotation[1, 1])),
    )


_FACE_MM = face_model_mm()
