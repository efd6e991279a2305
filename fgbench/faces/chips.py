"""The aligned face chip: cut from a frame, colours converted only where the chip lies."""

from __future__ import annotations

import cv2
import numpy as np

from fgbench.faces.geometry import Transform, apply_transform, compose, invert, scale_of
from fgbench.media.video import Frame, Image

_GRID_PX = 32  # regions of few different sizes let decoders keep their buffers
_MARGIN_PX = 2


def cut_chip(frame: Frame, transform: Transform, *, size: int) -> Image:
    """Aligned chip of a face.

    As dlib does, the picture is halved (5-tap binomial filter) while the chip is less than half as fine as
    it, then sampled bilinearly. (At each halving dlib's content slips by a quarter of a pixel; here it does
    not.) Pixels outside the frame are black.

    Args:
        frame: The frame.
        transform: (2, 3) similarity from the frame to the chip; see
            :func:`fgbench.faces.geometry.chip_transform`.
        size: Side of the chip in px.

    Returns:
        (size, size, 3) uint8 RGB.
    """
    last = size - 1
    corners = apply_transform(invert(transform), np.array([[0, 0], [last, 0], [0, last], [last, last]]))
    halvings = max(0, int(np.floor(-np.log2(scale_of(transform)))))
    margin = _MARGIN_PX << (halvings + 1)
    box = _region(corners.min(axis=0) - margin, corners.max(axis=0) + margin, frame.size)
    if box is None:
        return np.zeros((size, size, 3), np.uint8)
    region = frame.rgb(box)
    to_region = np.array([[1.0, 0.0, -box[0]], [0.0, 1.0, -box[1]]])
    for _ in range(halvings):
        region = cv2.pyrDown(region)
        to_region = to_region / 2
    chip: Image = cv2.warpAffine(
        region, compose(invert(to_region), transform), (size, size), flags=cv2.INTER_LINEAR
    )
    return chip


def sharpness(chip: Image) -> float:
    """Variance of the Laplacian (4 neighbours) of the luma (BT.601) in the middle half of a chip.

    Args:
        chip: (S, S, 3) uint8 RGB.
    """
    quarter = chip.shape[0] // 4
    middle = np.ascontiguousarray(chip[quarter : chip.shape[0] - quarter, quarter : chip.shape[1] - quarter])
    edges = cv2.Laplacian(cv2.cvtColor(middle, cv2.COLOR_RGB2GRAY), cv2.CV_16S)
    return float(cv2.meanStdDev(edges)[1][0, 0]) ** 2


def _region(low: np.ndarray, high: np.ndarray, size: tuple[int, int]) -> tuple[int, int, int, int] | None:
    """Part of the frame that covers an area, on a coarse grid; ``None`` if the area lies outside."""
    starts = [max(0, int(value // _GRID_PX) * _GRID_PX) for value in low]
    ends = [
        min(limit, int(-(-(value + 1) // _GRID_PX)) * _GRID_PX)
        for value, limit in zip(high, size, strict=True)
    ]
    if starts[0] >= ends[0] or starts[1] >= ends[1]:
        return None
    return starts[0], starts[1], ends[0], ends[1]
