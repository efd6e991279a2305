"""Offline augmentation of aligned faces: rotation, scaling, Gaussian noise (paper section III).

Ranges are not stated in the paper. A copy is described completely by four numbers, which the manifests keep:
the same numbers on the same picture give the same copy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fgbench.files.hashing import hash_u64


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranges:
    """Largest differences between a copy and its original.

    Attributes:
        max_rotation_deg: Rotation within plus or minus this.
        max_scale_change: Scale within 1 plus or minus this.
        max_noise_sigma: Standard deviation of the noise up to this, in grey levels.
    """

    max_rotation_deg: float
    max_scale_change: float
    max_noise_sigma: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Augmentation:
    """Exact parameters of one copy.

    Attributes:
        rotation_deg: Counter-clockwise rotation about the centre of the picture.
        scale: Factor about the centre; above 1 enlarges.
        noise_sigma: Standard deviation of the added noise, in grey levels.
        noise_seed: Seed of the noise.
    """

    rotation_deg: float
    scale: float
    noise_sigma: float
    noise_seed: int


def draw(parent_id: str, copy: int, ranges: Ranges, *, seed: int) -> Augmentation:
    """Parameters of the ``copy``-th copy of a picture; they depend on nothing but the arguments.

    Values are rounded to float32, which is how manifests store them.
    """
    rng = np.random.default_rng(hash_u64("augment", seed, parent_id, copy))
    rotation = rng.uniform(-ranges.max_rotation_deg, ranges.max_rotation_deg)
    scale = rng.uniform(1 - ranges.max_scale_change, 1 + ranges.max_scale_change)
    sigma = rng.uniform(0, ranges.max_noise_sigma)
    return Augmentation(
        rotation_deg=float(np.float32(rotation)),
        scale=float(np.float32(scale)),
        noise_sigma=float(np.float32(sigma)),
        noise_seed=int(rng.integers(0, 2**63)),
    )


def movement(augmentation: Augmentation, *, width_px: int, height_px: int) -> npt.NDArray[np.float64]:
    """Affine transform from points of the original to points of its copy, (2, 3) float64.

    Args:
        augmentation: Parameters of the copy.
        width_px: Width of the picture.
        height_px: Height of the picture.
    """
    import cv2

    centre = ((width_px - 1) / 2, (height_px - 1) / 2)
    matrix: npt.NDArray[np.float64] = cv2.getRotationMatrix2D(
        centre, augmentation.rotation_deg, augmentation.scale
    )
    return matrix


def apply(image: npt.NDArray[np.uint8], augmentation: Augmentation) -> npt.NDArray[np.uint8]:
    """Make a copy of a picture.

    Args:
        image: (H, W, 3) uint8 RGB.
        augmentation: What to do. The border is filled by reflection.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    import cv2

    height, width = image.shape[:2]
    matrix = movement(augmentation, width_px=width, height_px=height)
    moved: npt.NDArray[np.uint8] = cv2.warpAffine(
        image, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
    )
    rng = np.random.default_rng(augmentation.noise_seed)
    noise = rng.standard_normal(image.shape, dtype=np.float32)
    noisy = np.rint(moved + augmentation.noise_sigma * noise)
    return np.asarray(np.clip(noisy, 0, 255), np.uint8)


def water_level(counts: Mapping[str, int], total: int) -> dict[str, int]:
    """Wanted size per class when the scarcest classes are filled first until ``total`` is reached.

    Classes above the level keep their size. Remainders go to the classes in the order of their names, so
    the sizes add up to ``max(total, sum(counts))`` exactly. Classes without any picture stay empty.

    Args:
        counts: Class to its number of pictures.
        total: Wanted number of all pictures, originals included.
    """
    filled = dict(counts)
    classes = sorted(name for name, count in counts.items() if count > 0)
    missing = total - sum(counts.values())
    if missing <= 0 or not classes:
        return filled
    by_size = sorted(classes, key=lambda name: (counts[name], name))
    pool = 0
    for reached, name in enumerate(by_size, 1):
        pool += counts[name]
        level, rest = divmod(pool + missing, reached)
        if reached == len(by_size) or level < counts[by_size[reached]]:
            lifted = sorted(by_size[:reached])
            for index, lifted_name in enumerate(lifted):
                filled[lifted_name] = level + (1 if index < rest else 0)
            break
    return filled
