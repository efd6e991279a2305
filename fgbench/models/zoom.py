"""Regions to zoom into: the strongest cells of a last map, their boxes in the face, and the enlarged crops.

The choice of a cell has no gradient. Boxes are edges x0, y0, x1, y1 in face px (pixel ``k`` reaches from
``k`` to ``k + 1``), as in :mod:`fgbench.models.receptive_field`.

Suffixes of tensors: B images, C channels, H rows, W columns, N chosen cells.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from fgbench.models.receptive_field import FACE_PX, Geometry


def most_cells(height: int, width: int, *, radius: int) -> int:
    """Return the most cells of a map of which no two are within ``radius`` rows and columns of each other."""
    return -(-height // (radius + 1)) * -(-width // (radius + 1))


@torch.no_grad()
def strongest_cells(maps_BCHW: Tensor, n: int, radius: int) -> tuple[Tensor, Tensor]:
    """Choose ``n`` cells per image by their strongest channel, one after the other (paper section V-E).

    After each choice, the cell and those within ``radius`` rows and columns of it are suppressed.
    If the choices so far leave no cell (with radius 1 on 6 x 6 four choices can), the strongest cell that was
    not chosen itself is next, so that every image has ``n`` different ones. Of equal cells the first by rows
    is chosen. The first cells of a larger ``n`` are those of a smaller one.

    Args:
        maps_BCHW: Last maps, float (B, C, H, W).
        n: Number of cells; at least 1.
        radius: 0 suppresses only the chosen cell, the literal reading of the paper.

    Returns:
        Rows and columns, int64 (B, N, 2), strongest first, and the cells' strengths (B, N): the flat maximum
        over channels, of the maps' type.

    Raises:
        ValueError: If even the best choice leaves fewer than ``n`` cells.
    """
    height, width = maps_BCHW.shape[2:]
    most = most_cells(height, width, radius=radius)
    if not 1 <= n <= most:
        raise ValueError(
            f"cannot choose {n} of {height} x {width} cells with a radius of {radius}: 1 to {most}"
        )
    strength_BHW = maps_BCHW.amax(1)
    rows = torch.arange(height, device=maps_BCHW.device)[:, None]
    columns = torch.arange(width, device=maps_BCHW.device)
    chosen_BHW = suppressed_BHW = torch.zeros_like(strength_BHW, dtype=torch.bool)
    cells, strengths = [], []
    for _ in range(n):
        exhausted_B11 = suppressed_BHW.flatten(1).all(1)[:, None, None]
        barred_BHW = suppressed_BHW & (chosen_BHW | ~exhausted_B11)
        open_BP = strength_BHW.masked_fill(barred_BHW, -torch.inf).flatten(1)
        index_B1 = open_BP.argmax(1, keepdim=True)
        row_B11, column_B11 = (index_B1 // width)[..., None], (index_B1 % width)[..., None]
        distance_BHW = torch.maximum((rows - row_B11).abs(), (columns - column_B11).abs())
        chosen_BHW = chosen_BHW | (distance_BHW == 0)
        suppressed_BHW = suppressed_BHW | (distance_BHW <= radius)
        cells.append(torch.cat((row_B11[..., 0], column_B11[..., 0]), 1))
        strengths.append(strength_BHW.flatten(1).gather(1, index_B1))
    return torch.stack(cells, 1), torch.cat(strengths, 1)


def boxes(cells_BN2: Tensor, geometry: Geometry, side_px: float, *, image_px: int = FACE_PX) -> Tensor:
    """Return square boxes around the centres of cells, shifted into the image where they extend out of it.

    Args:
        cells_BN2: Rows and columns, integers (B, N, 2).
        geometry: Geometry of the cells' map.
        side_px: Side of all boxes, which is never reduced.
        image_px: Side of the image.

    Returns:
        Float32 edges (B, N, 4): x0, y0, x1, y1 in face px.

    Raises:
        ValueError: If a box is larger than the image.
    """
    if side_px > image_px:
        raise ValueError(f"boxes of {side_px} px are larger than the image of {image_px} px")
    centre_BN2 = cells_BN2.flip(2).float() * geometry.jump_px + (geometry.first_centre_px + 0.5)
    start_BN2 = (centre_BN2 - side_px / 2).clamp(0.0, float(image_px - side_px))
    return torch.cat((start_BN2, start_BN2 + side_px), 2)


def crop(images_B3HW: Tensor, boxes_B4: Tensor, out_px: int) -> Tensor:
    """Cut one box out of each image and enlarge it, bilinearly and in one launch.

    For a box on whole pixels this is slicing and ``F.interpolate(align_corners=False)``, except that pixels
    next to the box contribute at its rim.

    Args:
        images_B3HW: Float images (B, 3, H, W).
        boxes_B4: Edges x0, y0, x1, y1 in px of these images, float (B, 4).
        out_px: Side of the result.

    Returns:
        (B, 3, out_px, out_px) of the images' type.
    """
    height, width = images_B3HW.shape[-2:]
    # The grid is built axis by axis: affine_grid multiplies matrices, imprecise in reduced precision.
    steps = (torch.arange(out_px, device=images_B3HW.device, dtype=torch.float32) + 0.5) / out_px
    edges = boxes_B4.float()
    x_BO = (edges[:, 0:1] + (edges[:, 2:3] - edges[:, 0:1]) * steps) * (2.0 / width) - 1.0
    y_BO = (edges[:, 1:2] + (edges[:, 3:4] - edges[:, 1:2]) * steps) * (2.0 / height) - 1.0
    grid = torch.stack((x_BO[:, None, :].expand(-1, out_px, -1), y_BO[:, :, None].expand(-1, -1, out_px)), 3)
    # Coordinates in half precision would be off by whole pixels.
    exact = torch.promote_types(images_B3HW.dtype, torch.float32)
    sampled = F.grid_sample(
        images_B3HW.to(exact), grid.to(exact), mode="bilinear", padding_mode="border", align_corners=False
    )
    return sampled.to(images_B3HW.dtype)
