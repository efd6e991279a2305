"""Facial landmarks: dlib's regression-tree predictors with 68 points (iBUG order) or 5.

Kazemi & Sullivan 2014. The 68-point model was trained on iBUG 300-W, whose licence excludes commercial use;
the 5-point model (eye corners, base of the nose) has no such limit.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fgbench.errors import ConfigError, DependencyError
from fgbench.faces.geometry import Floats
from fgbench.faces.models import find_model
from fgbench.files.text_paths import text_path
from fgbench.media.video import Image

N_POINTS = (68, 5)
"""Numbers of points that have a predictor."""


class LandmarkPredictor:
    """Finds the landmarks of a face at a known position.

    Attributes:
        n_points: Number of points, 68 or 5.
    """

    def __init__(self, predictor: Any, n_points: int) -> None:
        self._predictor = predictor
        self.n_points = n_points

    def predict(self, luma: Image, box_xyxy: Floats) -> npt.NDArray[np.float64]:
        """Landmarks of one face.

        Args:
            luma: (H, W) uint8, contiguous.
            box_xyxy: (4,) box in px as dlib's HOG detector draws it; rounded to whole pixels.

        Returns:
            (n_points, 2) float64, whole pixels: dlib rounds them.
        """
        import dlib

        x0, y0, x1, y1 = (round(float(value) + 0.5) for value in box_xyxy)
        shape = self._predictor(luma, dlib.rectangle(x0, y0, x1 - 1, y1 - 1))
        return np.array([(part.x, part.y) for part in shape.parts()], np.float64)


def open_predictor(n_points: int = 68, model: Path | str | None = None) -> LandmarkPredictor:
    """Load a landmark predictor (68 points: 100 MB, about half a second).

    Args:
        n_points: 68 or 5.
        model: Model file in dlib's format; ``None`` takes the one of the package face-recognition-models.

    Raises:
        ConfigError: If there is no predictor with that many points.
        DependencyError: If the model file is missing, cannot be read, or has another number of points.
    """
    import dlib

    if n_points not in N_POINTS:
        raise ConfigError(f"no predictor with {n_points} points", f"known: {', '.join(map(str, N_POINTS))}")
    path = find_model(f"landmarks-{n_points}", model)
    try:
        with text_path(path) as name:
            predictor = dlib.shape_predictor(name)
    except RuntimeError as error:
        raise DependencyError(
            f"{path} is not a landmark model of dlib ({error})", "copy or download the file again"
        ) from error
    blank = np.zeros((16, 16), np.uint8)
    n_parts = predictor(blank, dlib.rectangle(0, 0, 15, 15)).num_parts
    if n_parts != n_points:
        raise DependencyError(
            f"{path} gives {n_parts} points, expected {n_points}",
            "set faces.landmarks to what the model gives",
        )
    return LandmarkPredictor(predictor, n_points)
