"""Layout of OpenFace 2.2, as ``FeatureExtraction -2Dfp -pose -aus`` writes it: one table per clip.

``frame`` (from 1), ``face_id``, ``timestamp`` (s), ``confidence``, ``success``, ``pose_Tx``, ``pose_Ty``,
``pose_Tz`` (mm), ``pose_Rx``, ``pose_Ry``, ``pose_Rz`` (radians), ``x_0`` ... ``x_67``, ``y_0`` ... ``y_67``
(px), ``AU01_c``, ... (presence, 0 or 1).

OpenFace leaves out the columns of what it is not asked for, and so does this: gaze, landmarks of the eyes,
3-D landmarks, parameters of its shape model, and intensities of action units (``AU01_r``) are not known here.

Its pose is that of the head in the axes of the camera (x right, y down, z away), ``R = Rx Ry Rz`` with
left-handed positive angles (its ``RotationHelpers.h``, ``Euler2RotationMatrix``): ``pose_Rx`` > 0 looks down,
``pose_Ry`` > 0 turns to the left edge of the image, ``pose_Rz`` > 0 turns clockwise in the image. Ours is
relative to a face that looks into the camera, wherever in the frame it is; so it is turned by the direction
in which the head lies. Which tilt of the head counts as pitch 0 is a matter of each 3-D model of a face:
there the two differ by an angle that is the same for all frames.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from fgbench.faces.geometry import N_IBUG_POINTS
from fgbench.faces.pose import facing, head_position, rotation_from_pose
from fgbench.publication.face_tables.faces import ClipFacts, FrameFace, text, texts, unit_column

PRESENT_FROM = 0.5
"""Least probability of an action unit that is written as present."""


def head(units: Sequence[str]) -> list[str]:
    """Return the names of the columns.

    Args:
        units: Action units, e.g. ``"au12"``.
    """
    points = [f"{axis}_{number}" for axis in "xy" for number in range(N_IBUG_POINTS)]
    pose = [f"pose_{kind}{axis}" for kind in "TR" for axis in "xyz"]
    units = [f"{unit_column(unit)}_c" for unit in units]
    return ["frame", "face_id", "timestamp", "confidence", "success", *pose, *points, *units]


def cells(clip: ClipFacts, face: FrameFace, units: Sequence[str]) -> list[str]:
    """Return the cells of a frame; what is not known is empty.

    Args:
        clip: Its clip.
        face: Its face.
        units: Action units of the columns.
    """
    points, position, angles = face.landmarks, None, None
    if points is not None:
        position = head_position(points, clip.size)
    if position is not None and face.pose is not None:
        angles = camera_angles(facing(position).T @ rotation_from_pose(face.pose))
    confidence = 0.0 if points is None else 1.0 if face.quality is None else face.quality
    present = [face.units.get(unit) for unit in units]
    return [
        str(face.frame_index + 1),
        "0",
        text(face.time_s, 3),
        text(confidence, 3),
        str(int(face.is_sure and points is not None)),
        *texts(None if position is None else list(position), 3, 2),
        *texts(angles, 3, 5),
        *texts(None if points is None else list(points.T.ravel()), 2 * N_IBUG_POINTS, 3),
        *("" if value is None else str(int(value >= PRESENT_FROM)) for value in present),
    ]


def camera_angles(rotation: npt.NDArray[np.float64]) -> tuple[float, float, float]:
    """Return ``pose_Rx``, ``pose_Ry`` and ``pose_Rz`` in radians of a (3, 3) rotation in camera axes."""
    return (
        math.atan2(-rotation[1, 2], rotation[2, 2]),
        math.asin(min(1.0, max(-1.0, rotation[0, 2]))),
        math.atan2(-rotation[0, 1], rotation[0, 0]),
    )
