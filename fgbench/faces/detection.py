"""Interface of face detectors, and the search of a picture at one or several scales.

A *detector* is a plugin ``fgbench/faces/detectors/<name>.py`` with one function ``open_detector(model)`` that
returns a :class:`Detector`. Coordinates are pixels of the given picture; x to the right, y down,
the centre of the top left pixel at (0, 0).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from fgbench import plugins
from fgbench.media.video import Image

Points = npt.NDArray[np.floating[Any]]
"""(..., 2) px."""

DEFAULT_DETECTOR = "dlib-hog"


@dataclass(frozen=True, slots=True)
class Detection:
    """A detected face.

    Attributes:
        box_xyxy: (4,) float32 ``x0, y0, x1, y1`` in px, a square from the brows to the chin as dlib's HOG
            detector draws it; it may reach beyond the picture.
        score: The detector's own score; higher is more certain.
        roll_rad: Turn of the picture in which the face was upright: about the face's turn in
            the image plane, clockwise positive.
        points_xy: (5, 2) float32 px: centres of both eyes, tip of the nose, both corners of the mouth, of
            each pair first the one that lies left in an upright picture; ``None`` if the detector gives
            none. Landmarks are searched in a patch turned so that the line of the eyes is level.
    """

    box_xyxy: npt.NDArray[np.float32]
    score: float
    roll_rad: float = 0.0
    points_xy: npt.NDArray[np.float32] | None = None

    @property
    def tilt_rad(self) -> float:
        """Turn of the face in the image plane, clockwise positive: that of the line of its eyes where the
        detector gives them, else :attr:`roll_rad`."""
        if self.points_xy is None:
            return self.roll_rad
        across_x, across_y = self.points_xy[1] - self.points_xy[0]
        return float(np.arctan2(across_y, across_x))

    def points_by(self, move: Callable[[Points], Points]) -> npt.NDArray[np.float32] | None:
        """Return the points in another picture, (5, 2) float32; ``None`` where there are none.

        Args:
            move: Maps (5, 2) px of this picture to px of the other.
        """
        return None if self.points_xy is None else move(self.points_xy).astype(np.float32)


class Detector(Protocol):
    """Finds faces in one picture at its own scale.

    A detector may also have ``is_quick``, a bool, false by default: see :func:`may_check`.
    """

    @property
    def uses_colour(self) -> bool:
        """Whether :meth:`detect` takes (H, W, 3) uint8 RGB; otherwise (H, W) uint8 luma."""

    @property
    def smallest_face_px(self) -> float:
        """Width of the smallest box that is found at scale 1."""

    @property
    def accepted_score(self) -> float:
        """Lowest score of a detection that counts as a face."""

    @property
    def scales(self) -> tuple[float, ...]:
        """Factors at which to search a whole frame, ascending, until there is a face."""

    @property
    def most_px(self) -> int:
        """Pixels of the largest picture in which a whole frame is searched: a bound of memory and time."""

    def detect(self, image: Image, *, margin: float = 0.0) -> list[Detection]:
        """Detect the faces of a picture, the most certain first.

        Args:
            image: (H, W) or (H, W, 3) uint8, contiguous; see :attr:`uses_colour`.
            margin: Amount by which the score of a detection may lie below :attr:`accepted_score`.
        """


def open_detector(name: str = DEFAULT_DETECTOR, model: Path | str | None = None) -> Detector:
    """Open a detector.

    Args:
        name: Plugin in ``fgbench/detectors``: ``"dlib-hog"``, ``"dlib-cnn"`` or ``"yunet"``.
        model: The user's own model file; ``yunet`` needs one.

    Raises:
        ConfigError: If there is no such detector, or it needs a model file and none was given, or takes none.
        DependencyError: If the model file is missing or cannot be read.
    """
    detector: Detector = plugins.load("detectors", name).open_detector(model)
    return detector


def may_check(detector: Detector) -> bool:
    """Return whether a detector itself checks, every few frames, that the tracked region is still a face.

    It declares so by ``is_quick = True``: a picture of 140 x 140 px takes it a few milliseconds, and it
    gives detections below its accepted score where ``margin`` asks for them; those 0.4 below are candidates
    for faces. Checks see luma: the flag has no effect for a detector that takes colour. Where the detector
    chosen may not check, dlib's HOG detector does.

    Args:
        detector: The detector chosen.
    """
    return bool(getattr(detector, "is_quick", False)) and not detector.uses_colour


def resized(image: Image, scale: float) -> Image:
    """Enlarge (bilinear) or reduce (mean of areas) a picture by a factor; the result is contiguous."""
    import cv2

    if scale == 1:
        return np.ascontiguousarray(image)
    height, width = image.shape[:2]
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    result: Image = cv2.resize(image, size, interpolation=method)
    return result


def search_at_scale(
    image: Image, detector: Detector, *, scale: float, margin: float = 0.0
) -> list[Detection]:
    """Detect faces in an enlarged or reduced copy of a picture; boxes in px of the picture."""
    scaled = resized(image, scale)
    # Outer edges of the pictures coincide: pixel centres lie half a pixel inside.
    x_factor, y_factor = image.shape[1] / scaled.shape[1], image.shape[0] / scaled.shape[0]
    factors = np.array([x_factor, y_factor, x_factor, y_factor])
    return [
        Detection(
            ((detection.box_xyxy + 0.5) * factors - 0.5).astype(np.float32),
            detection.score,
            points_xy=detection.points_by(lambda points: (points + 0.5) * factors[:2] - 0.5),
        )
        for detection in detector.detect(scaled, margin=margin)
    ]


def search_scales(detector: Detector, *, smallest_face_px: float) -> tuple[float, ...]:
    """The detector's scales, without those that only serve faces smaller than wanted.

    Args:
        detector: The detector.
        smallest_face_px: Width of the smallest face wanted.
    """
    scales = detector.scales
    enough = [scale for scale in scales if detector.smallest_face_px / scale <= smallest_face_px]
    return tuple(scale for scale in scales if not enough or scale <= enough[0])


def affordable_scales(scales: Sequence[float], shape: tuple[int, ...], *, most_px: int) -> tuple[float, ...]:
    """Scales at which a picture has no more pixels than a bound; the largest such one replaces larger ones.

    Args:
        scales: Ascending.
        shape: Height and width of the picture in px, and more.
        most_px: The bound, :attr:`Detector.most_px`.
    """
    largest = (most_px / (shape[0] * shape[1])) ** 0.5
    return tuple(dict.fromkeys(min(scale, largest) for scale in scales))
