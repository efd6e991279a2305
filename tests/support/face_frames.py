"""Frames with real faces, cut, moved and covered as a test wants it; and a plain detector on every frame."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path

import cv2
import dlib
import numpy as np

from fgbench.faces.models import find_model
from fgbench.faces.still_picture import ImageFrame
from fgbench.media.video import open_video

SIZE = (640, 360)
GREY = np.full((360, 640, 3), 90, np.uint8)


@lru_cache(maxsize=8)
def pictures(path: Path, count: int, step: int = 1) -> tuple[np.ndarray, ...]:
    """Frames 0, step, ... of a clip as (360, 640, 3) RGB."""
    with open_video(path) as reader:
        indices = range(0, min(reader.info.n_frames, count * step), step)
        return tuple(
            cv2.resize(frame.rgb(), SIZE, interpolation=cv2.INTER_AREA) for frame in reader.frames(indices)
        )


def frames(images: Iterable[np.ndarray]) -> list[ImageFrame]:
    """The pictures as the frames 0, 1, 2, ... of a clip."""
    return [ImageFrame(pixels=image, index=index, time_s=index / 25) for index, image in enumerate(images)]


def pasted(image: np.ndarray, scale: float, x: int, y: int, ground: np.ndarray = GREY) -> np.ndarray:
    """The picture at another size on a ground, its top left corner at (x, y), which may lie outside."""
    matrix = np.array([[scale, 0, x], [0, scale, y]])
    small = image if scale > 0.5 else cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    matrix[:, :2] *= image.shape[0] / small.shape[0]
    inside = cv2.warpAffine(np.full(small.shape[:2], 255, np.uint8), matrix, ground.shape[1::-1])
    moved = cv2.warpAffine(small, matrix, ground.shape[1::-1], flags=cv2.INTER_LINEAR)
    return np.where(inside[:, :, None] > 127, moved, ground)


class PlainDetector:
    """What benchmark repositories do: dlib's HOG detector on every whole frame, then 68 landmarks."""

    def __init__(self) -> None:
        self._detector = dlib.get_frontal_face_detector()
        self._predictor = dlib.shape_predictor(str(find_model("landmarks-68")))

    def landmarks(self, image: np.ndarray) -> np.ndarray | None:
        """(68, 2) of the largest face, or ``None``."""
        boxes = self._detector(image, 0)
        if not boxes:
            return None
        box = max(boxes, key=lambda rect: rect.area())
        return np.array([(part.x, part.y) for part in self._predictor(image, box).parts()], float)


def error_percent(actual: np.ndarray, expected: np.ndarray) -> float:
    """Mean distance of landmarks in percent of the distance between the outer corners of the eyes."""
    distance = np.linalg.norm(actual - expected, axis=1).mean()
    return float(100 * distance / np.linalg.norm(expected[36] - expected[45]))


def runs(values: Sequence[object]) -> list[tuple[object, int]]:
    """Runs of equal values: (value, length)."""
    actual: list[tuple[object, int]] = []
    for value in values:
        if actual and actual[-1][0] == value:
            actual[-1] = (value, actual[-1][1] + 1)
        else:
            actual.append((value, 1))
    return actual
