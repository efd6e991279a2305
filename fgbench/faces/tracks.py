"""Track of a face, as it was in its last frame, and whether a face of another frame belongs to it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fgbench.faces import scene
from fgbench.faces.locating import Located
from fgbench.faces.placement import Placement
from fgbench.media.video import Image

SAME_LOOK = 0.85
"""Correlation of aligned thumbnails above which a face is not checked early; ours."""

_SAME_PERSON_LOOK = 0.5  # correlation of thumbnails below which a face is another person's; ours
# Movement from one frame to the next, in widths and radians, beyond which the detector checks the face at
# once: half of the movement that the predictor tolerates.
_FAST_WIDTHS = 0.08
_FAST_TURN_RAD = 0.15
# How far a face moves, in its widths, and grows between two checks: the range of the local search.
_SAME_FACE_WIDTHS = 1.0
_SAME_FACE_LOG_SCALE = 0.35


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """The tracked face, as it was in the last frame.

    Attributes:
        track_id: Its number.
        began_at: Number of its first frame.
        face: Its landmarks and placement.
        score: Of the last check.
        agreement: Of its landmarks with the detection in the last frame; 1 without a detection.
        appearance: Thumbnail at the last check.
        checked_at: Frame of the last check.
        portrait: Thumbnail at the check with the highest score.
        portrait_score: That score.
    """

    track_id: int
    began_at: int
    face: Located
    score: float
    agreement: float
    appearance: Image
    checked_at: int
    portrait: Image
    portrait_score: float


def has_jumped(before: Placement, after: Placement) -> bool:
    """Return whether a face moved so far between two frames that its landmarks may have been left behind."""
    moved = float(np.linalg.norm(after.centre - before.centre)) / before.width_px
    turned = abs(float(np.angle(np.exp(1j * (after.roll_rad - before.roll_rad)))))
    return moved > _FAST_WIDTHS or turned > _FAST_TURN_RAD


def is_same(track: Track, face: Located, appearance: Image, least: float = _SAME_PERSON_LOOK) -> bool:
    """Return whether a face is near a track's, about as large, and looks like it (correlation)."""
    placement, last = face.placement, track.face.placement
    away = float(np.linalg.norm(placement.centre - last.centre)) / max(placement.width_px, last.width_px)
    grown = abs(float(np.log(max(placement.width_px, 1e-6) / max(last.width_px, 1e-6))))
    return (
        away <= _SAME_FACE_WIDTHS
        and grown <= _SAME_FACE_LOG_SCALE
        and any(scene.correlation(appearance, other) >= least for other in (track.portrait, track.appearance))
    )
