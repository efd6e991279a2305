"""Track one face from frame to frame: landmarks from the last position, and checks that it still is a face.

All functions are pure but for the models that they call. A face is tracked without a search: its landmarks
in the last frame determine the patch (:mod:`fgbench.faces.placement`) in which the predictor finds them in
this one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np
import numpy.typing as npt

from fgbench.config import FacesConfig
from fgbench.faces.detection import Detection, Detector, may_check, open_detector, resized
from fgbench.faces.geometry import Transform, apply_transform, box_iou, chip_transform, compose, invert
from fgbench.faces.landmarks import LandmarkPredictor, open_predictor
from fgbench.faces.placement import (
    PATCH_BOX,
    PATCH_FACE_PX,
    Placement,
    cut_patch,
    patch_transform,
    placement_from_box,
    placement_from_landmarks,
)
from fgbench.media.video import Frame, Image

# A placement is good when the face's placement by the resulting landmarks lies within these bounds of it: the
# predictor was trained on boxes as much off.
_MAX_SHIFT = 0.08  # box widths
_MAX_LOG_SCALE = 0.10
_MAX_TURN_RAD = 0.15
_MAX_PASSES = 4

MAX_SHIFT = 0.15
"""Distance between the centres of a detection and of the landmarks' box, in widths of that box, beyond which
the landmarks are not of the detected face. Ours."""
MAX_LOG_SCALE = 0.25
"""Likewise of the logarithm of the ratio of their widths; HOG's widths go in steps of 0.18."""

_CHECK_SCALE = 0.5  # of the patch: a face of 100 px, which the detectors find at their finest scales
_CHECK_MIN_IOU = 0.4
_LOOK_PX = 48  # side of the thumbnail by which appearances are compared


@dataclass(frozen=True, slots=True)
class Models:
    """Models that are loaded once and used for all clips of a process.

    Attributes:
        detector: The detector chosen.
        checker: Detector for checks between searches: the same object if it is fast enough
            (:func:`fgbench.faces.detection.may_check`), else dlib's HOG detector.
        predictor: The landmark predictor.
    """

    detector: Detector
    checker: Detector
    predictor: LandmarkPredictor


def load_models(options: FacesConfig) -> Models:
    """Load the detectors and the predictor (about half a second; 100 MB with 68 points).

    Raises:
        ConfigError: If a name or a number of points is unknown.
        DependencyError: If a model file is missing or cannot be read.
    """
    detector = open_detector(options.detector, options.detector_model)
    return Models(
        detector=detector,
        checker=detector if may_check(detector) else open_detector("dlib-hog"),
        predictor=open_predictor(options.landmarks),
    )


@dataclass(frozen=True, slots=True)
class Located:
    """A face in one frame.

    Attributes:
        landmarks: (68, 2) or (5, 2) float64 px.
        placement: Placement at which the detector would see a face with these landmarks.
        settled: Whether the landmarks agree with the placement that they were found from.
        patch: (P, P) uint8 luma patch in which they were found.
        to_patch: (2, 3) transform from the frame to the patch.
    """

    landmarks: npt.NDArray[np.float64]
    placement: Placement
    settled: bool
    patch: Image
    to_patch: Transform


def locate(luma: Image, start: Placement, predictor: LandmarkPredictor) -> Located:
    """Find the landmarks of the face near a placement, which is corrected until they agree with it.

    Args:
        luma: (H, W) uint8.
        start: Approximate placement of the face.
        predictor: Landmark predictor.
    """
    placement = start
    for _ in range(_MAX_PASSES):
        to_patch = patch_transform(placement)
        patch = cut_patch(luma, to_patch)
        landmarks = apply_transform(invert(to_patch), predictor.predict(patch, PATCH_BOX))
        corrected = placement_from_landmarks(landmarks)
        settled = _agree(placement, corrected)
        if settled:
            break
        placement = corrected
    return Located(landmarks, corrected, settled, patch, to_patch)


def _agree(first: Placement, second: Placement) -> bool:
    shift = np.linalg.norm(first.centre - second.centre) / first.width_px
    turn = abs(np.angle(np.exp(1j * (first.roll_rad - second.roll_rad))))
    scale = abs(np.log(max(second.width_px, 1e-6) / first.width_px))
    return bool(shift <= _MAX_SHIFT and scale <= _MAX_LOG_SCALE and turn <= _MAX_TURN_RAD)


def distance(placement: Placement, detection: Detection) -> float:
    """Normalised distance of a detection from the assumed placement of a face.

    Args:
        placement: The assumed placement.
        detection: The detection.

    Returns:
        Length of a vector: the distance of the centres in units of :data:`MAX_SHIFT` widths, and the
        logarithm of the ratio of the widths in units of :data:`MAX_LOG_SCALE`.
    """
    seen = placement_from_box(detection.box_xyxy)
    width_px = max(placement.width_px, 1e-6)
    shift = float(np.linalg.norm(seen.centre - placement.centre)) / width_px
    log_scale = float(np.log(max(seen.width_px, 1e-6) / width_px))
    return float(np.hypot(shift / MAX_SHIFT, log_scale / MAX_LOG_SCALE))


def at_detection(
    luma: Image, detection: Detection, predictor: LandmarkPredictor, located: Located | None = None
) -> Located:
    """The detected face, with landmarks that agree with the detection.

    Args:
        luma: (H, W) uint8.
        detection: The detection.
        predictor: Landmark predictor.
        located: Unconfirmed landmarks of that face in this frame. They
            are kept unless the detection is farther away than 1 (:func:`distance`).
    """
    if located is not None and distance(located.placement, detection) <= 1:
        return located
    start = placement_from_box(detection.box_xyxy, roll_rad=detection.tilt_rad)
    return locate(luma, start, predictor)


def look(face: Located) -> Image:
    """Aligned thumbnail of a face, (48, 48) uint8 luma, cut from its patch."""
    on_patch = apply_transform(face.to_patch, face.landmarks)
    thumbnail: Image = cv2.warpAffine(
        resized(face.patch, _CHECK_SCALE),
        compose(_FROM_HALF, chip_transform(on_patch, size=_LOOK_PX, padding=0.1)),
        (_LOOK_PX, _LOOK_PX),
        flags=cv2.INTER_LINEAR,
    )
    return thumbnail


_FROM_HALF = np.array([[1 / _CHECK_SCALE, 0, 0.5], [0, 1 / _CHECK_SCALE, 0.5]])  # 2 (x + 0.5) - 0.5


def check(frame: Frame, face: Located, models: Models, *, margin: float) -> Detection | None:
    """Detect a face again at its assumed position.

    The checker looks first; if it detects nothing and another detector was chosen, that one is tried.

    Args:
        frame: The frame.
        face: The face, located in this frame.
        models: Detectors.
        margin: Amount by which the checker's score may lie below acceptance.

    Returns:
        The detection, in px of the frame (its box without the face's turn), or ``None``. The landmarks may
        lie beside it: see :func:`at_detection`.
    """
    detection = _check(resized(face.patch, _CHECK_SCALE), face, models.checker, margin=margin)
    if detection is None and models.detector is not models.checker:
        picture = face.patch
        if models.detector.uses_colour:
            picture = cv2.warpAffine(frame.rgb(), face.to_patch, picture.shape[::-1], flags=cv2.INTER_LINEAR)
        detection = _check(resized(picture, _CHECK_SCALE), face, models.detector, margin=0.0)
    return detection


def _check(picture: Image, face: Located, detector: Detector, *, margin: float) -> Detection | None:
    expected = (PATCH_BOX + 0.5) * _CHECK_SCALE - 0.5
    for detection in detector.detect(picture, margin=margin):
        if box_iou(detection.box_xyxy, expected) >= _CHECK_MIN_IOU:
            in_patch = placement_from_box((detection.box_xyxy + 0.5) / _CHECK_SCALE - 0.5)
            centre = apply_transform(invert(face.to_patch), in_patch.centre)
            scale = float(np.hypot(face.to_patch[0, 0], face.to_patch[1, 0]))
            width_px = in_patch.width_px / PATCH_FACE_PX * (PATCH_FACE_PX / scale)
            roll_rad = float(np.arctan2(face.to_patch[0, 1], face.to_patch[0, 0]))
            to_frame = compose(_FROM_HALF, invert(face.to_patch))
            points_xy = detection.points_by(partial(apply_transform, to_frame))
            return Detection(Placement(centre, width_px, 0.0).box_xyxy, detection.score, roll_rad, points_xy)
    return None
