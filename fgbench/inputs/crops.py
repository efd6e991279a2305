"""Crops, mirroring and normalisation of a batch, on its device (paper section V-A).

Each takes a few kernel launches for the whole batch. Images are (B, 3, H, W) RGB, 0 to 255. The *views* of an
image are its crops, each plain and mirrored; view 0 is the plain centre crop, which is used in test.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from fgbench.errors import DatasetError
from fgbench.training.randomness import generator

View = tuple[int, bool]
"""Number of the crop (0 centre, 1 top left, 2 top right, 3 bottom left, 4 bottom right), and whether it is
mirrored."""

CENTRE: View = (0, False)
"""The plain centre crop."""

_FIVE = 5
# Sums of squares of 8 bits over a row of at most this many px are exact in float32: 258 * 255**2 < 2**24.
_EXACT_ROW_PX = 258
_CHUNK = 32


def view_table(crops: Literal["five", "centre"], *, flip: bool) -> tuple[View, ...]:
    """Return the views of a recipe, the plain centre crop first."""
    mirrored = (False, True) if flip else (False,)
    return tuple((choice, mirror) for choice in range(_FIVE if crops == "five" else 1) for mirror in mirrored)


def draw_views(n: int, n_views: int, *, seed: int, epoch: int) -> Tensor:
    """Draw the view of each sample in an epoch, (n,) int64 on the CPU.

    It depends on the index of the sample in the list, not on its batch.
    """
    return torch.randint(n_views, (n,), generator=generator(seed, "views", epoch))


def split_views(views: tuple[View, ...], view_N: Tensor) -> tuple[Tensor, Tensor]:
    """Return the crops (N,) int64 and mirroring (N,) bool of indices of views (N,), on their device."""
    table = _table(views, view_N.device)[view_N]
    return table[:, 0], table[:, 1].bool()


def normalise(images_B3HW: Tensor, mean: tuple[float, ...], std: tuple[float, ...]) -> Tensor:
    """Compute ``(images - mean) / std`` per channel, float32.

    Args:
        images_B3HW: uint8 or float32, 0 to 255.
        mean: Per channel, in grey levels.
        std: Per channel, in grey levels.
    """
    scale, shift = _factors(mean, std, images_B3HW.device)
    return torch.addcmul(shift, images_B3HW, scale)


# Cached on the device, because a transfer waits for all earlier work of the device.
@lru_cache(maxsize=16)
def _table(views: tuple[View, ...], device: torch.device) -> Tensor:
    return torch.tensor([[choice, int(mirror)] for choice, mirror in views], device=device)


@lru_cache(maxsize=16)
def _factors(mean: tuple[float, ...], std: tuple[float, ...], device: torch.device) -> tuple[Tensor, Tensor]:
    """Return factor and offset of each channel, (3, 1, 1) float32."""
    scale = 1.0 / torch.tensor(std, dtype=torch.float64)
    shift = -torch.tensor(mean, dtype=torch.float64) * scale
    return scale.float()[:, None, None].to(device), shift.float()[:, None, None].to(device)


def without_colour(images_B3HW: Tensor) -> Tensor:
    """Return luma (BT.601, whole numbers) in all three channels, float32; grey images do not change."""
    red, green, blue = images_B3HW.float().unbind(1)
    luma = (0.299 * red + 0.587 * green + 0.114 * blue).round()
    return luma[:, None].expand(-1, 3, -1, -1)


def enlarge(images_B3HW: Tensor, resize_px: int) -> Tensor:
    """Enlarge images bilinearly to squares of ``resize_px``, float32 of 0 to 255; pixels are areas
    (``align_corners=False``)."""
    images = images_B3HW.float()
    if images.shape[-2:] == (resize_px, resize_px):
        return images
    return functional.interpolate(images, (resize_px, resize_px), mode="bilinear", align_corners=False)


def five_crops(images_BCHW: Tensor, choice_B: Tensor, flip_B: Tensor, px: int = 224) -> Tensor:
    """Cut one of five crops of each image, mirrored or not.

    Args:
        images_BCHW: Any type, sides of at least ``px``.
        choice_B: int64: 0 centre, 1 top left, 2 top right, 3 bottom left, 4 bottom right.
        flip_B: bool: whether the crop is mirrored left to right.
        px: Side of the crops.

    Returns:
        (B, C, px, px) of the images' type. Where the margin is odd, the centre crop lies half a pixel to the
        top left.
    """
    n, channels, height, width = images_BCHW.shape
    down, right = height - px, width - px
    choice_B1, is_centre_B1 = choice_B[:, None], choice_B[:, None] == 0
    # Computed, as the transfer of a table would block the device.
    top_B1 = torch.where(is_centre_B1, down // 2, (choice_B1 > 2) * down)
    left_B1 = torch.where(is_centre_B1, right // 2, (choice_B1 % 2 == 0) * right)
    along = torch.arange(px, device=images_BCHW.device)
    rows = top_B1 + along
    columns = left_B1 + torch.where(flip_B[:, None], px - 1 - along, along)
    pixels = (rows[:, :, None] * width + columns[:, None, :]).flatten(1)
    taken = images_BCHW.flatten(2).gather(2, pixels[:, None].expand(-1, channels, -1))
    return taken.view(n, channels, px, px)


def mean_and_std(images: Tensor | Iterable[Tensor]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Compute mean and standard deviation of each channel over all pixels, in grey levels, exact but for
    roots.

    Args:
        images: (N, 3, H, W) uint8, or an iterable of such; it is read once, a few images at a time.

    Raises:
        DatasetError: If there is no pixel, or a channel has the same value everywhere.
    """
    parts = [images] if isinstance(images, Tensor) else images
    n_pixels = 0
    totals = torch.zeros(2, 3, dtype=torch.float64)  # sums and sums of squares: whole numbers below 2**53
    for part in parts:
        exact = torch.float32 if part.shape[-1] <= _EXACT_ROW_PX else torch.float64
        for chunk in part.split(_CHUNK):
            values = chunk.to(exact)
            rows = torch.stack([values.sum(-1), values.square().sum(-1)])
            totals += rows.cpu().double().sum((1, 3))
            n_pixels += values.numel() // 3
    if not n_pixels:
        raise DatasetError("there are no images to take the mean of", "check the split of the recipe")
    sums, squares = totals.tolist()
    mean = [value / n_pixels for value in sums]
    # In integers: the difference of two large numbers would lose digits.
    variance = [
        (int(square) * n_pixels - int(value) ** 2) / n_pixels**2
        for square, value in zip(squares, sums, strict=True)
    ]
    if min(variance) == 0.0:
        raise DatasetError(
            f"a colour channel has the same value in all pixels (means {mean}), expected pictures",
            "look at the images of the work folder",
        )
    return tuple(mean), tuple(value**0.5 for value in variance)
