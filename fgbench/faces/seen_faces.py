"""Faces that the detector confirms, with their landmarks: near a known placement, or of a search.

The landmarks of a detection that a search gave may be turned the wrong way where the face is tilted: it is
checked upright, in a finer picture.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from fgbench.faces.detection import Detection
from fgbench.faces.fallback_search import other_turns
from fgbench.faces.locating import Located, Models, at_detection, check, distance, locate
from fgbench.faces.placement import Placement
from fgbench.faces.quality import agreement_with_detection
from fgbench.media.video import Frame, Image

KEEP_MARGIN = 0.3
"""A face that is tracked is kept this far below acceptance: score of dlib's HOG detector, ours."""


@dataclass(frozen=True, slots=True)
class SeenFace:
    """A detected face: located in that frame, with the detector's score, and the agreement of the landmarks
    with the detection."""

    face: Located
    score: float
    agreement: float


def see(frame: Frame, placement: Placement, models: Models) -> SeenFace | None:
    """Return the face near a placement, if the detector detects one there."""
    face = locate(frame.gray(), placement, models.predictor)
    detection = check(frame, face, models, margin=KEEP_MARGIN)
    return None if detection is None else seen_at(frame.gray(), detection, models, face)


def seen_at(luma: Image, detection: Detection, models: Models, located: Located | None = None) -> SeenFace:
    """Return a detected face with its landmarks, predicted anew where the given ones lie beside it.

    Args:
        luma: (H, W) uint8.
        detection: The face.
        models: Loaded models.
        located: The face as it was located before; ``None`` if it was not.
    """
    face = at_detection(luma, detection, models.predictor, located)
    return SeenFace(face, detection.score, agreement_with_detection(distance(face.placement, detection)))


def checked(frame: Frame, detection: Detection, models: Models) -> SeenFace:
    """Return a detection of a search, checked once more upright and in a finer picture.

    Where that fails, the face may be tilted, and the landmarks turned the wrong way.
    """
    luma = frame.gray()
    first = seen_at(luma, detection, models)
    seen = check(frame, first.face, models, margin=KEEP_MARGIN)
    if seen is not None:
        return replace(seen_at(luma, seen, models, first.face), score=detection.score)
    tilted = [
        seen_at(luma, replace(detection, roll_rad=detection.tilt_rad + turn, points_xy=None), models)
        for turn in other_turns(0.0)
    ]
    checks = [(check(frame, item.face, models, margin=0.0), item.face) for item in tilted]
    upright = [seen_at(luma, seen, models, face) for seen, face in checks if seen is not None]
    best = max(upright, key=lambda item: item.score, default=None)
    return first if best is None else replace(best, score=detection.score)
