"""A still picture in the place of a video frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fgbench.video import Image, check_box


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFrame:
    """Frame made of pixels; see :class:`fgbench.video.Frame`.

    Attributes:
        pixels: (H, W, 3) uint8 RGB.
        index: Number of the frame.
        time_s: Its time.
        is_corrupt: Whether it counts as damaged.
    """

    pixels: Image
    index: int = 0
    time_s: float = 0.0
    is_corrupt: bool = False

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in px."""
        return self.pixels.shape[1], self.pixels.shape[0]

    def gray(self) -> Image:
        """BT.601 luma, full range, (H, W) uint8."""
        import cv2

        luma: Image = cv2.cvtColor(np.ascontiguousarray(self.pixels), cv2.COLOR_RGB2GRAY)
        return luma

    def rgb(self, box: tuple[int, int, int, int] | None = None) -> Image:
        """Pixels of a region as (h, w, 3) uint8 RGB, contiguous."""
        x0, y0, x1, y1 = check_box(box, self.size)
        return np.ascontiguousarray(self.pixels[y0:y1, x0:x1])
