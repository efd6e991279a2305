"""Frames: pixels of one picture of a clip, as decoders give them.

Coordinates are pixels of the upright frame; x to the right, y down, the centre of the top left pixel at
(0, 0). Colour is RGB.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]
"""uint8 image: (H, W) luma or (H, W, 3) RGB."""


class Frame(Protocol):
    """One decoded frame. Colours are converted only on request."""

    @property
    def index(self) -> int:
        """Number of the frame, from 0, in presentation order."""

    @property
    def time_s(self) -> float:
        """Presentation time in seconds, from the stream's start."""

    @property
    def is_corrupt(self) -> bool:
        """Whether the frame may show damage.

        That is, errors were found in it, or in a frame since the last key frame from which it may be
        predicted. Some damage cannot be detected, and decord reports none.
        """

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the upright frame in px: those of
        :class:`fgbench.media.video.VideoInfo`."""

    @property
    def resized_from(self) -> tuple[int, int] | None:
        """Width and height in px, upright and with square pixels, of a frame that differed from the clip's
        size and was fitted into it; ``None`` for all others."""

    def gray(self) -> Image:
        """Luma of the whole upright frame, (H, W) uint8, contiguous, as stored (no change of range).

        For a video with a high dynamic range, luma of a grey of this luma, converted to SDR.

        The array may be a read-only view that keeps the decoded frame in memory: copy it to change it.
        """

    def rgb(self, box: tuple[int, int, int, int] | None = None) -> Image:
        """Pixels of the upright frame as (h, w, 3) uint8 RGB, contiguous.

        A region has the pixels of the whole frame's conversion. Matrix and range of the colours
        are those that the file states, else BT.601 with limited range (full range
        for the ``yuvj`` formats), which is FFmpeg's rule.

        Args:
            box: ``(x0, y0, x1, y1)``, half open, inside the frame; ``None`` is the whole frame.

        Raises:
            ValueError: If the box is empty or not inside the frame.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFrame:
    """Frame made of pixels, e.g. of a still picture; see :class:`Frame`.

    Attributes:
        pixels: (H, W, 3) uint8 RGB.
        index: Number of the frame.
        time_s: Its time.
        is_corrupt: Whether it counts as damaged.
        resized_from: Original size in px of a picture that was fitted into the clip's, if another.
    """

    pixels: Image
    index: int = 0
    time_s: float = 0.0
    is_corrupt: bool = False
    resized_from: tuple[int, int] | None = None

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


def check_box(box: tuple[int, int, int, int] | None, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Check a box and return it; the whole frame for ``None``.

    Args:
        box: ``(x0, y0, x1, y1)`` in px, half open.
        size: Width and height of the frame in px.

    Raises:
        ValueError: If the box is empty or not inside the frame.
    """
    width, height = size
    x0, y0, x1, y1 = box or (0, 0, width, height)
    if not (0 <= x0 < x1 <= width and 0 <= y0 < y1 <= height):
        raise ValueError(f"box {box} is empty or not inside the frame of {width} x {height} px")
    return x0, y0, x1, y1
