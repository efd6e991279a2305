"""The common coordinate frame of a clip: upright, square pixels, the size of its first frame.

- **Pixel aspect.** Where stored pixels are not square (DVD, DV, HDV), the side along which they are longer is
  enlarged and the other is kept, so that no sample is lost: 720 x 576 with 64:45 becomes 1024 x 576,
  720 x 480 with 8:9 becomes 720 x 540. The aspect is that of the container, else of the codec, and holds for
  the whole clip. An aspect beyond 1:8 or 8:1, or with a 0, is taken for a fault of the file and ignored.
- **Other sizes.** A later frame of another size is scaled to fit inside the first one's size, its aspect kept
  and centred; the rest is black.

Enlarging is bilinear, reducing takes the mean of areas; outer edges coincide.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import cv2
import numpy as np

from fgbench.media.decoders._orientation import Orientation
from fgbench.media.video import Image

_MOST = 8
SQUARE = Fraction(1)
"""Aspect of square pixels."""

Size = tuple[int, int]


def usable_aspect(stated: Fraction | None) -> Fraction:
    """Pixel aspect (width over height) to apply for the one stated by a file; see the module's docstring."""
    if not stated or not Fraction(1, _MOST) <= stated <= _MOST:
        return SQUARE
    return stated


def square_size(stored: Size, pixel_aspect: Fraction) -> Size:
    """Width and height in square px of a stored picture; neither is less than the stored one."""
    width, height = stored
    if pixel_aspect >= 1:
        return round(width * pixel_aspect), height
    return width, round(height / pixel_aspect)


@dataclass(frozen=True, slots=True, kw_only=True)
class Canvas:
    """Conversion of a clip's stored pictures into frames.

    Attributes:
        size: Width and height of all frames in px.
        pixel_aspect: Width over height of a stored pixel.
        orientation: Steps that make the stored picture upright.
    """

    size: Size
    pixel_aspect: Fraction
    orientation: Orientation

    def upright_size(self, stored: Size) -> Size:
        """Width and height of a stored picture, upright and with square pixels."""
        return self.orientation.size(*square_size(stored, self.pixel_aspect))

    def resized_from(self, stored: Size) -> Size | None:
        """Upright size in square px of a picture that differs from the clip's size; ``None`` for others."""
        upright = self.upright_size(stored)
        return None if upright == self.size else upright

    def is_plain(self, stored: Size) -> bool:
        """Return whether pixels of a stored picture, once upright, are pixels of the frame."""
        return self.orientation.size(*stored) == self.size == self.upright_size(stored)

    def placed(self, image: Image, stored: Size) -> Image:
        """Fit an upright picture with stored pixels into a frame of the canvas's size.

        Args:
            image: (H, W) or (H, W, 3) uint8.
            stored: Width and height of the stored picture in px, before it was made upright.
        """
        width, height = self.upright_size(stored)
        scale = 1.0 if (width, height) == self.size else min(self.size[0] / width, self.size[1] / height)
        target = (max(1, round(width * scale)), max(1, round(height * scale)))
        is_reduced = target[0] <= image.shape[1] and target[1] <= image.shape[0]
        method = cv2.INTER_AREA if is_reduced else cv2.INTER_LINEAR
        scaled: Image = cv2.resize(np.ascontiguousarray(image), target, interpolation=method)
        if target == self.size:
            return scaled
        frame = np.zeros((self.size[1], self.size[0], *image.shape[2:]), np.uint8)
        x, y = (self.size[0] - target[0]) // 2, (self.size[1] - target[1]) // 2
        frame[y : y + target[1], x : x + target[0]] = scaled
        return frame
