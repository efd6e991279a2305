"""Detector ``dlib-cnn``: dlib's convolutional detector with max-margin loss; about 100 times slower than HOG.

Also finds turned and partly covered faces. Reads RGB, and the model ``mmod_human_face_detector.dat``.
"""

from __future__ import annotations

import threading
from pathlib import Path

import dlib
import numpy as np

from fgbench.errors import DependencyError
from fgbench.faces.detection import Detection
from fgbench.faces.models import find_model
from fgbench.files.text_paths import text_path
from fgbench.media.video import Image


def open_detector(model: Path | str | None = None) -> DlibCnnDetector:
    """Open the detector.

    Args:
        model: Model file in dlib's format; ``None`` takes the one of the package face-recognition-models.

    Raises:
        DependencyError: If the model file is missing or cannot be read.
    """
    path = find_model("dlib-cnn", model)
    try:
        with text_path(path) as name:
            network = dlib.cnn_face_detection_model_v1(name)
    except RuntimeError as error:
        raise DependencyError(
            f"{path} is not a face detection model of dlib ({error})",
            "expected a file like mmod_human_face_detector.dat; copy or download it again",
        ) from error
    return DlibCnnDetector(network)


class DlibCnnDetector:
    """dlib's CNN detector; see :class:`fgbench.faces.detection.Detector`.

    Its acceptance score is the network's own, 0; detections below it are not available.
    """

    uses_colour = True
    smallest_face_px = 80.0
    accepted_score = 0.0
    scales = (1 / 2, 1.0)
    most_px = 2_100_000  # 1920 x 1080; about 950 bytes a pixel

    def __init__(self, network: dlib.cnn_face_detection_model_v1) -> None:
        self._network = network
        self._in_use = threading.Lock()  # it keeps what it computes in itself

    def detect(self, image: Image, *, margin: float = 0.0) -> list[Detection]:
        """Faces of an (H, W, 3) uint8 RGB picture, the most certain first; ``margin`` has no effect."""
        detections = []
        with self._in_use:
            matches = self._network(image, 0)
        for match in matches:
            rect = match.rect
            corners = np.array([rect.left(), rect.top(), rect.right() + 1, rect.bottom() + 1], np.float32)
            detections.append(Detection(corners - 0.5, float(match.confidence)))
        return sorted(detections, key=lambda detection: -detection.score)
