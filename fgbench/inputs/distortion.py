"""Random changes of training pictures, on the device: brightness, contrast, colour, size, rotation, position.

Not stated in the paper, which changes images before training (section V-A). Draws depend on the sample
and the epoch, not on the batch; all pictures of a clip are changed alike.

Suffixes of tensors: N samples, B pictures, C channels, S side in px.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from fgbench.config import DistortConfig
from fgbench.training.randomness import generator

_DRAWN = 12
"""Numbers per sample: brightness, contrast, saturation, gains of three channels, grey, size along and across,
rotation, shift to the right and down."""


def draw_distortions(n: int, config: DistortConfig, *, seed: int, epoch: int) -> Tensor | None:
    """Draw the changes of ``n`` samples in an epoch: (n, 12) float32 on the CPU, ``None`` for no changes.

    Args:
        n: Number of samples.
        config: Strength of the changes.
        seed: Seed of the run.
        epoch: Number of the epoch.
    """
    if config == DistortConfig():
        return None
    drawn = torch.rand((n, _DRAWN), generator=generator(seed, "distortion", epoch))
    even = 2 * drawn - 1
    colour, turn = config.colour, math.radians(config.turn_deg)
    least = max(0.0, 1 - 3 * colour)
    saturation = least + (1 + colour - least) * drawn[:, 2:3]
    size = (config.size * even[:, 7:8]).exp()
    return torch.cat(
        [
            1 + colour * even[:, :2],
            saturation,
            1 + colour / 2 * even[:, 3:6],
            (drawn[:, 6:7] < config.grey).float(),
            size,
            size * (config.size / 2 * even[:, 8:9]).exp(),
            turn * even[:, 9:10],
            config.shift * even[:, 10:],
        ],
        1,
    )


def distort(pictures_B3SS: Tensor, drawn_B: Tensor) -> Tensor:
    """Change pictures.

    Args:
        pictures_B3SS: RGB, float32 of 0 to 255.
        drawn_B: (B, 12) changes of each, see :func:`draw_distortions`, on the same device.

    Returns:
        (B, 3, S, S) float32 of 0 to 255. The border of rotated and moved pictures is continued.
    """
    moved = _moved(pictures_B3SS, *drawn_B[:, 7:].unbind(1))
    brightness, contrast, saturation = drawn_B[:, :3, None, None, None].unbind(1)
    bright = moved * brightness
    level = bright.mean((1, 2, 3), keepdim=True)
    clear = (bright - level) * contrast + level
    grey = clear.mean(1, keepdim=True)
    coloured = ((clear - grey) * saturation + grey) * drawn_B[:, 3:6, None, None]
    is_grey = drawn_B[:, 6, None, None, None] > 0
    return torch.where(is_grey, coloured.mean(1, keepdim=True), coloured).clamp(0, 255)


def _moved(
    pictures_BCSS: Tensor, along_B: Tensor, across_B: Tensor, turn_B: Tensor, right_B: Tensor, down_B: Tensor
) -> Tensor:
    """Scale, rotate and shift each picture, bilinearly."""
    cosine, sine = turn_B.cos(), turn_B.sin()
    rows = (cosine * along_B, -sine * along_B, right_B, sine * across_B, cosine * across_B, down_B)
    frame = torch.stack(rows, 1).unflatten(1, (2, 3))
    grid = functional.affine_grid(frame, list(pictures_BCSS.shape), align_corners=False)
    return functional.grid_sample(pictures_BCSS, grid, padding_mode="border", align_corners=False)
