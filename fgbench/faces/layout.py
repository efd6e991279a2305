"""Where the face lies in its aligned chip: two geometries, both dlib's similarity, moved and scaled.

dlib fits a square of side 1, its mean face, to eyes, nose and upper lip
(:func:`fgbench.geometry.chip_frame`): the brows lie at its top, the lower lip at 0.9 of its height, and the
chin at about 1.2, at 1.5 with the mouth wide open. A chip is a larger square, upright in the frame of the
first.

- ``face``, the default: side 1.85, its centre 0.2 below that of the mean face, so that it reaches from 0.225
  above the mean face to 0.625 below it. Chin and brows lie in it with a margin of 2 % of the side in at least
  99 % of drawn frames up to 30° of yaw, with mouths open to any degree (98 % up to 45°), and in all frames of
  the clips of real faces that were tried. A margin on top also keeps most brows in the lower corner crops.
- ``dlib``: the chip of ``dlib.get_face_chip``, side 1 + 2 x padding about the centre of the mean face. With
  the padding of 0.25 the chin lies below it in most frames of people who talk.

The paper aligns by dlib to 224 x 224 px; padding and offset are not stated in the paper.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fgbench.config.prepare import DLIB_PADDING

Geometry = Literal["face", "dlib"]
"""How the chip is laid out about the face."""

GEOMETRIES: tuple[Geometry, ...] = ("face", "dlib")
"""All of them."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Place of the chip about the mean face.

    Attributes:
        padding: Margin on each side, as a share of the mean face's side.
        shift: How far the chip's centre lies below that of the mean face, in the same unit.
    """

    padding: float
    shift: float


FACE = Layout(padding=0.425, shift=0.2)
"""The geometry ``face``."""


def chip_layout(geometry: Geometry, padding: float | None) -> Layout:
    """The layout that a recipe names.

    Args:
        geometry: The geometry.
        padding: Of ``dlib``; ``None`` is :data:`DLIB_PADDING`.
    """
    if geometry == "face":
        return FACE
    return Layout(padding=DLIB_PADDING if padding is None else padding, shift=0.0)
