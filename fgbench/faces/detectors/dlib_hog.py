"""Detector ``dlib-hog`` (default): dlib's frontal face detector, HOG and a linear filter (CPU, no model
file).

Finds faces from 80 px width on, 40 px in a picture enlarged twice. Reads luma.
"""

from __future__ import annotations

import threading
from pathlib import Path

import dlib
import numpy as np

from fgbench.errors import ConfigError
from fgbench.faces.detection import Detection
from fgbench.media.video import Image


def open_detector(model: Path | str | None = None) -> DlibHogDetector:
    """Open the detector; it is part of dlib and takes no model file.

    Raises:
        ConfigError: If a model file is given.
    """
    if model is not None:
        raise ConfigError(f"detector dlib-hog takes no model file, got {model}", "remove it from the recipe")
    return DlibHogDetector()


class DlibHogDetector:
    """dlib's frontal face detector; see :class:`fgbench.faces.detection.Detector`."""

    uses_colour = False
    is_quick = True
    smallest_face_px = 80.0
    accepted_score = 0.0
    scales = (1 / 3, 1 / 2, 1.0, 2.0)
    # A picture of 12 megapixels, as phones take them, enlarged twice; about 5 bytes a pixel.
    most_px = 50_000_000

    def __init__(self) -> None:
        self._detector = dlib.get_frontal_face_detector()
        self._in_use = threading.Lock()  # it keeps what it computes in itself

    def detect(self, image: Image, *, margin: float = 0.0) -> list[Detection]:
        """Faces of an (H, W) uint8 picture, the most certain first."""
        with self._in_use:
            boxes, scores, _ = self._detector.run(image, 0, self.accepted_score - margin)
        detections = [
            # dlib's right and bottom are the last pixels inside.
            Detection(
                np.array([b.left(), b.top(), b.right() + 1, b.bottom() + 1], np.float32) - 0.5, float(s)
            )
            for b, s in zip(boxes, scores, strict=True)
        ]
        return sorted(detections, key=lambda detection: -detection.score)
