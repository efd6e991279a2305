"""Pictures of a photographed face that moves."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

SIDE_PX = 176


def face_pictures(number: int, n_frames: int, *, colour: int = 0) -> Iterator[np.ndarray]:
    """(176, 176, 3) uint8 RGB frames of a face that turns a little.

    Args:
        number: Another look for every number.
        n_frames: How many.
        colour: Channel (0 to 2) that is made brighter.
    """
    import cv2
    from skimage.data import astronaut

    rng = np.random.default_rng(number)
    scale, angle, light = rng.uniform(0.95, 1.15), rng.uniform(-8, 8), rng.uniform(0.85, 1.0)
    for frame in range(n_frames):
        matrix = cv2.getRotationMatrix2D((224.0, 120.0), angle + frame, scale + 0.01 * frame)
        matrix[:, 2] += SIDE_PX / 2 - np.array([224.0, 120.0])
        moved = cv2.warpAffine(astronaut(), matrix, (SIDE_PX, SIDE_PX), borderMode=cv2.BORDER_REFLECT)
        lit = moved * light
        lit[..., colour] += 18
        yield np.clip(lit, 0, 255).astype(np.uint8)
