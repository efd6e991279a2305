"""Receptive fields of the units of a convolutional network in a face: pure arithmetic, no tensors.

Coordinates are *face px*: those of the 224 x 224 aligned face. A centre is given as the index of a pixel
(the first pixel's centre is 0); a box is given by its edges (pixel ``k`` reaches from ``k`` to ``k + 1``),
so that the box ``(16, 48, 176, 208)`` is columns 16 to 175 and rows 48 to 207.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

FACE_PX: Final = 224
"""Side of an aligned face (paper section III-C)."""


@dataclass(frozen=True, slots=True)
class Layer:
    """A square convolution or pooling: its kernel, stride and zero padding, in px of its input."""

    kernel: int
    stride: int
    padding: int


@dataclass(frozen=True, slots=True)
class Geometry:
    """Receptive fields of the units of a map.

    Attributes:
        field_px: Side of a unit's receptive field, in face px.
        jump_px: Distance of neighbouring units' centres, in face px.
        first_centre_px: Centre of unit 0 as the index of a pixel; it may lie between two.
    """

    field_px: float
    jump_px: float
    first_centre_px: float

    def centre_px(self, index: int) -> float:
        """Return the centre of the unit ``index`` along an axis, as the index of a face pixel."""
        return self.first_centre_px + self.jump_px * index

    def box_of(self, cell: tuple[int, int]) -> tuple[float, float, float, float]:
        """Return the receptive field of the unit in (row, column): edges x0, y0, x1, y1 in face px.

        It may extend outside the face, where the network sees padding.
        """
        row, column = cell
        half = self.field_px / 2
        x, y = self.centre_px(column) + 0.5, self.centre_px(row) + 0.5
        return x - half, y - half, x + half, y + half


def geometry(layers: Iterable[Layer], *, px_per_input_px: float = 1.0) -> Geometry:
    """Compute receptive fields after a chain of layers.

    Args:
        layers: From the input to the map, without those that change no geometry (ReLU, normalisation).
        px_per_input_px: Face px per px of the network's input: 2 if a face of 224 px is reduced to 112.

    Returns:
        The geometry in face px.
    """
    field, jump, centre = 1, 1, 0.0
    for layer in layers:
        centre += ((layer.kernel - 1) / 2 - layer.padding) * jump
        field += (layer.kernel - 1) * jump
        jump *= layer.stride
    return Geometry(
        field_px=field * px_per_input_px,
        jump_px=jump * px_per_input_px,
        first_centre_px=(centre + 0.5) * px_per_input_px - 0.5,
    )


def equal_cells(cells: int) -> Geometry:
    """Return the geometry of a map whose cells lie side by side and cover the face.

    It is taken of networks whose layers are not known; not stated in the paper. The side of their receptive
    fields is not known either: that of a cell stands for it.

    Args:
        cells: Rows, and columns, of the map.
    """
    side_px = FACE_PX / cells
    return Geometry(field_px=side_px, jump_px=side_px, first_centre_px=side_px / 2 - 0.5)
