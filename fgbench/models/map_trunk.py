"""Trunk of an image model that is any convolutional network, to its last map. Not stated in the paper.

Suffixes of tensors: B images, C channels, H rows, W columns.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Self

from torch import Tensor, nn

from fgbench.models.receptive_field import FACE_PX, equal_cells


class MapTrunk(nn.Module):
    """A network to its last map, in the place of :class:`fgbench.models.drml.Trunk`.

    Args:
        prepare: From faces, RGB, float (B, 3, 224, 224), 0 to 255, to the network's input.
        network: From its input to its last map, float (B, channels, cells, cells).
        channels: Channels of that map.
        cells: Its rows, and its columns.
        used: Names of the network's parameters that the map depends on; the others never train.
        identity: All that maps depend on beside the tensors, as plain values.

    Attributes:
        geometry: Cells of the last map, in face px: side by side, as
            :func:`fgbench.models.receptive_field.equal_cells` has them.
        input_px: Side of the faces that it takes.
    """

    def __init__(
        self,
        prepare: nn.Module,
        network: nn.Module,
        *,
        channels: int,
        cells: int,
        used: Collection[str],
        identity: Mapping[str, Any],
    ) -> None:
        super().__init__()
        self.prepare, self.network = prepare, network
        self.channels, self.cells = channels, cells
        self.input_px = FACE_PX
        self.geometry = equal_cells(cells)
        self.identity = dict(identity)
        self._used = frozenset(used)

    def forward(self, faces_B3HW: Tensor) -> Tensor:
        """Return the last map (B, channels, cells, cells) of faces; it may be negative.

        Args:
            faces_B3HW: RGB, float (B, 3, 224, 224), 0 to 255.

        Raises:
            ValueError: If the faces have another size.
        """
        if tuple(faces_B3HW.shape[1:]) != (3, FACE_PX, FACE_PX):
            raise ValueError(
                f"expected faces of shape (B, 3, {FACE_PX}, {FACE_PX}), got {tuple(faces_B3HW.shape)}"
            )
        # Never with channels last, where oneDNN (of torch 2.13, AVX2) does not come to an end with the
        # gradients of some narrow 1 x 1 convolutions.
        maps: Tensor = self.network(self.prepare(faces_B3HW).contiguous())
        return maps

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Let the parameters that the map depends on train, or none."""
        for name, value in self.network.named_parameters():
            value.requires_grad_(requires_grad and name in self._used)
        return self

    def trained_state(self) -> dict[str, Tensor]:
        """Return what training changes, by its names in the state: those parameters, and all buffers."""
        network = self.network
        names = {*self._used, *(name for name, _ in network.named_buffers())}
        return {f"network.{name}": value for name, value in network.state_dict().items() if name in names}
