"""Layout of py-feat 2.1 (``Fex.to_csv`` of its ``Detectorv1``): one table per clip, a row per frame.

``FaceRectX``, ``FaceRectY``, ``FaceRectWidth``, ``FaceRectHeight`` (px), ``FaceScore`` (the detector's),
``x_0`` ... ``x_67``, ``y_0`` ... ``y_67`` (px), ``Pitch``, ``Roll``, ``Yaw`` (radians), ``X``, ``Y``, ``Z``,
``AU01``, ... (probability, or 0 and 1 of labels), ``anger``, ... ``neutral``, ``input`` (path of the clip in
the data set), ``frame`` (from 0). Cells of a frame without a face are empty, as py-feat writes them.

py-feat's angles are radians since its version 2 (``feat/plotting.py``, ``draw_facepose``), with pitch up, and
yaw and roll to the subject's right as positive (``feat/detector.py``, before ``feat_poses["Pitch"]``); ours
to the subject's left. ``X``, ``Y``, ``Z`` are in units of its own network, and the probabilities of
expressions are not known of single frames: these columns are empty, and are there since its accessors
(``Fex.poses``, ``Fex.emotions``) name them. Vectors of identity and gaze are left out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from fgbench.faces.geometry import N_IBUG_POINTS
from fgbench.publication.face_tables.faces import ClipFacts, FrameFace, text, texts, unit_column

BOX = ("FaceRectX", "FaceRectY", "FaceRectWidth", "FaceRectHeight", "FaceScore")
POSE = ("Pitch", "Roll", "Yaw", "X", "Y", "Z")
EMOTIONS = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")


def head(units: Sequence[str]) -> list[str]:
    """Return the names of the columns.

    Args:
        units: Action units, e.g. ``"au12"``.
    """
    points = [f"{axis}_{number}" for axis in "xy" for number in range(N_IBUG_POINTS)]
    return [*BOX, *points, *POSE, *map(unit_column, units), *EMOTIONS, "input", "frame"]


def cells(clip: ClipFacts, face: FrameFace, units: Sequence[str]) -> list[str]:
    """Return the cells of a frame; what is not known is empty.

    Args:
        clip: Its clip.
        face: Its face.
        units: Action units of the columns.
    """
    box, points, pose = face.box_xyxy, face.landmarks, face.pose
    angles = None if pose is None else (pose.pitch_deg, -pose.roll_deg, -pose.yaw_deg)
    return [
        *texts(None if box is None else (box[0], box[1], box[2] - box[0], box[3] - box[1]), 4, 3),
        text(face.score, 5),
        *texts(None if points is None else list(points.T.ravel()), 2 * N_IBUG_POINTS, 3),
        *texts(None if angles is None else [math.radians(angle) for angle in angles], 3, 5),
        *[""] * 3,
        *(text(face.units.get(unit), 4) for unit in units),
        *[""] * len(EMOTIONS),
        clip.path,
        str(face.frame_index),
    ]
