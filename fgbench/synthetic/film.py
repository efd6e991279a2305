"""Turns drawn pictures into the frames of a film: blur of the lens, grain of the sensor, YUV planes."""

from __future__ import annotations

import cv2
import numpy as np

from fgbench.synthetic.canvas import Picture
from fgbench.synthetic.scene import Scene

_SLACK = 64
"""Px by which the pattern of the grain is larger than the picture, so that it can be shifted every frame."""


class Film:
    """Frames of a clip in which only a patch changes.

    Args:
        backdrop: (H, W, 3) uint8 RGB: the picture without the patch.
        scene: Blur and grain.
    """

    def __init__(self, backdrop: Picture, scene: Scene) -> None:
        height, width = backdrop.shape[:2]
        self._height, self._width, self._scene = height, width, scene
        self._still = np.asarray(cv2.cvtColor(backdrop, cv2.COLOR_RGB2YUV_I420))
        self._still[:height] = self._blurred(self._still[:height])
        self._planes = self._still.copy()
        self._changed: tuple[int, int, int, int] | None = None
        self._plus, self._minus = _grain(scene, width + _SLACK, height + _SLACK)
        self._grained = np.empty_like(self._planes)

    def frame(self, patch: Picture, corner: tuple[int, int], number: int) -> Picture:
        """The frame with a patch.

        Args:
            patch: (h, w, 3) uint8 RGB, h and w even.
            corner: Even (x, y) of its top left pixel.
            number: Number of the frame: the grain differs from frame to frame.

        Returns:
            uint8 (H * 3 / 2, W): planes of yuv420p, valid until the next call.
        """
        height, width = patch.shape[:2]
        x, y = corner
        if self._changed is not None:
            _copy_window(self._still, self._planes, self._changed, self._height)
        packed = np.asarray(cv2.cvtColor(patch, cv2.COLOR_RGB2YUV_I420))
        self._planes[y : y + height, x : x + width] = self._blurred(packed[:height])
        chroma = packed[height:].reshape(2, height // 2, width // 2)
        for plane, part in zip(_chroma(self._planes, self._height), chroma, strict=True):
            plane[y // 2 : (y + height) // 2, x // 2 : (x + width) // 2] = part
        self._changed = (x, y, width, height)
        return self._with_grain(number)

    def _blurred(self, luma: Picture) -> Picture:
        size = 3 if self._scene.blur_px < 0.75 else 5
        return np.asarray(cv2.GaussianBlur(luma, (size, size), self._scene.blur_px))

    def _with_grain(self, number: int) -> Picture:
        x, y = (number * 37) % _SLACK, (number * 23) % _SLACK
        part = np.s_[y : y + self._height, x : x + self._width]
        luma = self._grained[: self._height]
        cv2.add(self._planes[: self._height], self._plus[part], dst=luma)
        cv2.subtract(luma, self._minus[part], dst=luma)
        self._grained[self._height :] = self._planes[self._height :]
        return self._grained


def _grain(scene: Scene, width: int, height: int) -> tuple[Picture, Picture]:
    """Patterns of the grain that are added and subtracted: two uint8 (height, width) arrays."""
    rng = np.random.default_rng(scene.seed)
    values = np.rint(rng.normal(0.0, scene.noise, 4096))
    pick = rng.integers(0, 256, (height, width), dtype=np.uint8)
    table = values[:256]
    plus, minus = (np.clip(sign * table, 0, 255).astype(np.uint8) for sign in (1.0, -1.0))
    return np.asarray(cv2.LUT(pick, plus)), np.asarray(cv2.LUT(pick, minus))


def _chroma(planes: Picture, height: int) -> tuple[Picture, Picture]:
    """Views of the U and V planes: (H / 2, W / 2) each."""
    first, second = planes[height:].reshape(2, height // 2, -1)
    return first, second


def _copy_window(
    source: Picture, target: Picture, window: tuple[int, int, int, int], picture_height: int
) -> None:
    x, y, width, height = window
    target[y : y + height, x : x + width] = source[y : y + height, x : x + width]
    half = np.s_[y // 2 : (y + height) // 2, x // 2 : (x + width) // 2]
    for before, after in zip(_chroma(source, picture_height), _chroma(target, picture_height), strict=True):
        after[half] = before[half]
