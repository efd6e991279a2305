"""Searches for faces that a plain search of an upright picture misses: tilted ones, and ones that fill it.

dlib's HOG detector sees faces that are tilted by no more than about 20 degrees in the plane, and none that
touch the picture's border. Here the picture is turned, or gets a border of its mean grey level. Both are
searched with the checker, HOG unless the detector chosen checks itself.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import cv2
import numpy as np

from fgbench.faces.detection import Detection, Detector, affordable_scales, resized, search_at_scale
from fgbench.faces.geometry import (
    Transform,
    apply_transform,
    box_centre,
    box_iou,
    box_width,
    invert,
    square_box,
)
from fgbench.media.video import Image

TILT_RAD = math.radians(30)
"""Angle by which pictures are turned to either side."""

BORDER = 0.4
"""Width of the border as a share of the picture's longer side. Ours: with it, dlib's HOG detector finds the
face of a photograph in 125 of 126 crops of 0.7 to 1.1 times its box, without it in 76."""

_APART_RAD = math.radians(10)  # a turn nearer than this to one already searched is skipped
_FILLS = 0.5  # least width of faces that fill a picture, as a share of its shorter side
_SAME_FACE_IOU = 0.3


def other_turns(roll_rad: float) -> tuple[float, ...]:
    """Turns to search after an upright search without result, the likeliest first.

    Args:
        roll_rad: Tilt of the face when it was last detected.
    """
    turns: list[float] = []
    for turn in (roll_rad, roll_rad + TILT_RAD, roll_rad - TILT_RAD):
        if all(abs(turn - other) >= _APART_RAD for other in (0.0, *turns)):
            turns.append(turn)
    return tuple(turns)


def search_turned(
    luma: Image, detector: Detector, *, turns: Iterable[float], scale: float
) -> list[Detection]:
    """Detect faces in turned copies of a picture, in which tilted faces are upright.

    Args:
        luma: (H, W) uint8.
        detector: One that reads luma.
        turns: Tilts of the faces, clockwise positive.
        scale: Factor by which the picture is enlarged; less where its copy would be larger than the
            detector's bound.

    Returns:
        The detections, in px of the picture, with their turn; the most certain one of each face.
    """
    faces: list[Detection] = []
    for turn in turns:
        shape = _turned_size(luma.shape[::-1], turn)
        (most,) = affordable_scales((scale,), shape, most_px=detector.most_px)
        faces += _search_turned(resized(luma, most), detector, turn, most, (luma.shape[1], luma.shape[0]))
    kept: list[Detection] = []
    for item in sorted(faces, key=lambda item: -item.score):
        if all(box_iou(item.box_xyxy, other.box_xyxy) < _SAME_FACE_IOU for other in kept):
            kept.append(item)
    return kept


def _search_turned(
    picture: Image, detector: Detector, turn: float, scale: float, size: tuple[int, int]
) -> list[Detection]:
    width, height = _turned_size(picture.shape[::-1], turn)
    to_turned = _turn_about_middles(picture.shape[::-1], (width, height), turn)
    turned = cv2.warpAffine(
        picture, to_turned, (width, height), flags=cv2.INTER_LINEAR, borderValue=_mean(picture)
    )
    back = invert(to_turned)
    result = []
    for item in detector.detect(np.ascontiguousarray(turned, np.uint8)):
        centre = (apply_transform(back, box_centre(item.box_xyxy)) + 0.5) / scale - 0.5
        if all(0 <= value < limit for value, limit in zip(centre, size, strict=True)):
            box = square_box(centre, box_width(item.box_xyxy) / scale)
            points_xy = item.points_by(lambda points: (apply_transform(back, points) + 0.5) / scale - 0.5)
            result.append(Detection(box, item.score, turn, points_xy))
    return result


def _turned_size(size: tuple[int, ...], turn: float) -> tuple[int, int]:
    """Width and height that hold a picture when it is turned."""
    width, height = size
    cosine, sine = abs(math.cos(turn)), abs(math.sin(turn))
    return math.ceil(width * cosine + height * sine), math.ceil(width * sine + height * cosine)


def _turn_about_middles(size: tuple[int, ...], turned: tuple[int, int], turn: float) -> Transform:
    """Transform that turns counter-clockwise and maps the middle of one picture to that of another."""
    linear = np.array([[math.cos(turn), math.sin(turn)], [-math.sin(turn), math.cos(turn)]])
    middle, target = ((np.array(sides, float) - 1) / 2 for sides in (size, turned))
    return np.column_stack([linear, target - linear @ middle])


def search_bordered(luma: Image, detector: Detector) -> list[Detection]:
    """Detect faces that fill a picture, with a border around it; smaller ones are not searched for.

    Args:
        luma: (H, W) uint8.
        detector: One that reads luma.
    """
    scale = min(1.0, detector.smallest_face_px / (_FILLS * min(luma.shape)))
    picture = resized(luma, scale)
    width = round(BORDER * max(picture.shape))
    detections = search_at_scale(with_border(picture, width), detector, scale=1.0)
    return [
        Detection(
            ((item.box_xyxy - width + 0.5) / scale - 0.5).astype(np.float32),
            item.score,
            points_xy=item.points_by(lambda points: (points - width + 0.5) / scale - 0.5),
        )
        for item in detections
    ]


def with_border(luma: Image, width: int) -> Image:
    """Add a border of the mean grey level around a picture, of the given width in px."""
    result: Image = cv2.copyMakeBorder(
        luma, width, width, width, width, cv2.BORDER_CONSTANT, value=_mean(luma)
    )
    return result


def _mean(luma: Image) -> float:
    return round(float(luma.mean()))
