"""Orientation of a stored picture: flips and transposition that make it upright."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from fgbench.errors import MediaError

Box = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Orientation:
    """Steps from the stored to the upright picture, in this order.

    Attributes:
        transposed: Swap rows and columns.
        flip_x: Then reverse the columns.
        flip_y: Then reverse the rows.
    """

    transposed: bool = False
    flip_x: bool = False
    flip_y: bool = False

    @property
    def mirrored(self) -> bool:
        """Whether the steps turn a left hand into a right hand."""
        return (self.transposed + self.flip_x + self.flip_y) % 2 == 1

    @property
    def rotation_deg(self) -> int:
        """Clockwise rotation: 0, 90, 180 or 270 degrees (after a left-right mirroring if ``mirrored``)."""
        if self.transposed:
            return 90 if self.flip_x else 270
        return 180 if self.flip_y else 0

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Width and height of the upright picture from those of the stored one."""
        return (height, width) if self.transposed else (width, height)

    def apply(self, image: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """View of an (H, W) or (H, W, C) stored picture as the upright one; nothing is copied."""
        if self.transposed:
            image = image.swapaxes(0, 1)
        if self.flip_x:
            image = image[:, ::-1]
        if self.flip_y:
            image = image[::-1]
        return image

    def stored_box(self, box: Box, size: tuple[int, int]) -> Box:
        """Box in the stored picture that becomes ``box`` of the upright picture.

        Args:
            box: ``(x0, y0, x1, y1)``, half open, px of the upright picture.
            size: Width and height of the upright picture in px.
        """
        x0, y0, x1, y1 = box
        width, height = size
        if self.flip_x:
            x0, x1 = width - x1, width - x0
        if self.flip_y:
            y0, y1 = height - y1, height - y0
        return (y0, x0, y1, x1) if self.transposed else (x0, y0, x1, y1)


UPRIGHT = Orientation()


def from_display_matrix(matrix: Sequence[int]) -> Orientation:
    """Orientation from a display matrix.

    Args:
        matrix: Nine numbers ``a b u c d v x y w`` of ISO/IEC 14496-12, section 8.3.2: the stored point
            (x, y) is shown at (a·x + c·y, b·x + d·y), y down, both pictures moved to the origin. The scale
            is ignored.

    Raises:
        MediaError: If it is not a rotation by a multiple of 90 degrees, mirrored or not
            (reason ``unsupported_rotation``).
    """
    a, b, c, d = matrix[0], matrix[1], matrix[3], matrix[4]
    tolerance = 0.02 * max(abs(a), abs(b), abs(c), abs(d))  # about one degree, as the ffmpeg program allows
    if min(abs(a), abs(d)) > tolerance >= max(abs(b), abs(c)):
        return Orientation(flip_x=a < 0, flip_y=d < 0)
    if min(abs(b), abs(c)) > tolerance >= max(abs(a), abs(d)):
        return Orientation(transposed=True, flip_x=c < 0, flip_y=b < 0)
    raise MediaError(
        f"display matrix {list(matrix)} is not a rotation by a multiple of 90 degrees",
        "re-encode the clip upright",
        reason="unsupported_rotation",
    )
