"""Detector ``yunet``: OpenCV's small CNN (Wu, Peng & Yu 2023), from an ONNX file that the user names.

Finds faces from about 20 px on. Reads RGB. fgbench brings no model file.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from fgbench.errors import ConfigError, DependencyError
from fgbench.faces.detection import Detection
from fgbench.faces.geometry import square_box
from fgbench.faces.models import find_model
from fgbench.files.text_paths import text_path
from fgbench.media.video import Image

ACCEPTED_SCORE = 0.6
"""Of scores from 0 to 1. OpenCV's sample program takes 0.9; the tracker checks faces again."""

_MAX_OVERLAP = 0.3  # non-maximum suppression, as in OpenCV's sample program
_MAX_CANDIDATES = 5000


def open_detector(model: Path | str | None = None) -> YunetDetector:
    """Open the detector.

    Args:
        model: ONNX file of YuNet, e.g. ``face_detection_yunet_2023mar.onnx``.

    Raises:
        ConfigError: If no model file is given.
        DependencyError: If the file does not exist, OpenCV cannot read it, or OpenCV lacks the detector.
    """
    if model is None:
        raise ConfigError(
            "detector yunet needs a model file, got none",
            "set faces.detector_model to the ONNX file of YuNet from OpenCV's model zoo",
        )
    path = find_model("yunet", model)
    create = getattr(cv2, "FaceDetectorYN_create", None)
    if create is None:
        raise DependencyError(
            f"OpenCV {cv2.__version__} was built without FaceDetectorYN",
            "use the detector dlib-hog or dlib-cnn",
        )
    try:
        with text_path(path) as name:
            network = create(name, "", (320, 320), ACCEPTED_SCORE, _MAX_OVERLAP, _MAX_CANDIDATES)
    except cv2.error as error:
        raise DependencyError(
            f"OpenCV cannot read {path} as the ONNX file of YuNet ({error.err})",
            "expected a file like face_detection_yunet_2023mar.onnx; copy or download it again",
        ) from error
    return YunetDetector(network)


class YunetDetector:
    """YuNet; see :class:`fgbench.faces.detection.Detector`."""

    uses_colour = True
    smallest_face_px = 20.0
    accepted_score = ACCEPTED_SCORE
    scales = (1 / 2, 1.0)
    most_px = 8_400_000  # 3840 x 2160

    def __init__(self, network: Any) -> None:
        self._network = network
        self._in_use = threading.Lock()  # it keeps what it computes in itself

    def detect(self, image: Image, *, margin: float = 0.0) -> list[Detection]:
        """Faces of an (H, W, 3) uint8 RGB picture, the most certain first."""
        with self._in_use:
            self._network.setInputSize((image.shape[1], image.shape[0]))
            self._network.setScoreThreshold(max(0.0, self.accepted_score - margin))
            _, rows = self._network.detect(np.ascontiguousarray(image[:, :, ::-1]))
        detections = [_detection(row) for row in (rows if rows is not None else ())]
        return sorted(detections, key=lambda detection: -detection.score)


def _detection(row: np.ndarray[Any, np.dtype[np.float32]]) -> Detection:
    """Detection from YuNet's row: x, y, width, height, five points (x, y), score.

    YuNet boxes the whole head from the hair line to the chin. dlib's box is a square of the same width that
    begins at the brows: its lower edge is the same.
    """
    x, y, width, height = (float(value) for value in row[:4])
    centre = np.array([x + width / 2, y + height - width / 2])
    return Detection(square_box(centre, width), float(row[14]))
