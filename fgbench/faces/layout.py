"""Position of the face in its aligned chip: two geometries, both dlib's similarity, shifted and scaled.

dlib fits a square of side 1, its mean face, to eyes, nose and upper lip
(:func:`fgbench.faces.geometry.chip_frame`): the brows lie at its top, the lower lip at 0.9 of its height, and
the chin at about 1.2, at 1.5 with the mouth wide open. A chip is a larger square, upright in the frame of the
first.

- ``face``, the default: side 1.85, its centre 0.2 below that of the mean face, so that it reaches from 0.225
  above the mean face to 0.625 below it. Mouths open to any degree, chin and brows lie in it with a margin of
  2 % of the side in at least 99 % of drawn frames up to 30° of yaw; up to 45°, with 20° of pitch, in at least
  99 % of those that are used (the others, one in seven, have the status ``large_pose``), and in 98 % of all.
  Most of those that fall out show the far corner of the jaw beyond the side of the chip; a chin falls below
  it where the mouth is wide open in a face that looks up. Up to 60° of yaw and 25° of pitch, which the drawn
  clips do not have, it is 98 % of those used and 83 % of all. Of the clips of real faces that were tried it
  is all frames. A margin on top also keeps most brows in the lower corner crops.
- ``dlib``: the chip of ``dlib.get_face_chip``, side 1 + 2 x padding about the centre of the mean face. With
  the padding of 0.25 the chin lies below it in most frames of people who talk.

The paper aligns by dlib to 224 x 224 px; padding and offset are not stated in the paper.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fgbench.config import FacesConfig
from fgbench.config.faces import DLIB_PADDING
from fgbench.faces.geometry import Floats, Transform, apply_transform, chip_frame, invert, scale_of


@dataclass(frozen=True, slots=True)
class Layout:
    """Position of the chip relative to the mean face.

    Attributes:
        padding: Margin on each side, as a share of the mean face's side.
        shift: Distance of the chip's centre below that of the mean face, in the same unit.
    """

    padding: float
    shift: float


FACE = Layout(padding=0.425, shift=0.2)
"""The geometry ``face``."""


def layout_of(landmarks: Floats, transform: Transform, *, size: int) -> Layout:
    """Recover the layout by which a chip was cut, from the face in the frame.

    Args:
        landmarks: (68, 2) or (5, 2) px of the frame.
        transform: (2, 3) frame to chip.
        size: Side of the chip in px.

    Returns:
        Rounded to thousandths.
    """
    to_frame = chip_frame(landmarks)
    side_px = scale_of(to_frame)  # of the mean face, in the frame
    # As in geometry.chip_transform: the centres of the corner pixels are one less apart than the side.
    padding = ((size - 1) / scale_of(transform) + 1) / side_px / 2 - 0.5
    centre = apply_transform(invert(transform), np.full((1, 2), (size - 1) / 2))
    shift = apply_transform(invert(to_frame), centre)[0, 1] - 0.5
    return Layout(padding=round(float(padding), 3), shift=round(float(shift), 3))


def mean_face_area(layout: Layout, *, size: int, margin: float) -> tuple[int, int, int, int]:
    """Area of dlib's mean face and a margin about it in a chip, clipped to the chip.

    Args:
        layout: Layout of the chip.
        size: Side of the chip in px.
        margin: Margin on each side, as a share of the mean face's side.

    Returns:
        Left, top, right and bottom in whole px; the last two are not included.
    """
    unit_px = size / (1 + 2 * layout.padding)
    half_px = (0.5 + margin) * unit_px
    across, down = size / 2, size / 2 - layout.shift * unit_px
    edges = (across - half_px, down - half_px, across + half_px, down + half_px)
    left, top, right, bottom = (min(max(round(edge), 0), size) for edge in edges)
    return left, top, right, bottom


def chip_layout(config: FacesConfig) -> Layout:
    """The layout that a recipe names."""
    if config.geometry == "face":
        return FACE
    return Layout(padding=DLIB_PADDING if config.padding is None else config.padding, shift=0.0)
