"""Trunk of the image models: DRML with a last map of 6 x 6 (paper section IV-A), and its action-unit network.

The paper fixes the trunk's weights after action units (section IV-A) and also computes their loss along with
those of the classes (section V-B), which would train it further: it is frozen, except in ``msau-joint``.

Suffixes of tensors: B images of a batch, C channels, H rows, W columns, F features, A action units.
Names of layers are DRML's: conv1, region layer, pool, conv4 to conv7, fc8, fc9.
"""

from __future__ import annotations

from typing import Final

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from fgbench.config import TrunkConfig
from fgbench.models.initialisation import Head
from fgbench.models.receptive_field import FACE_PX, Geometry, Layer, geometry
from fgbench.models.shared_norm import is_shared

MAP_CELLS: Final = 6
"""Rows and columns of the last map (paper section V-E: "6 x 6 grids")."""

_CONV1: Final = Layer(11, 1, 5)
_REGION: Final = Layer(3, 1, 1)
_POOL: Final = Layer(2, 2, 0)
_CONV4_TO_7: Final = (Layer(8, 2, 3), Layer(8, 2, 3), Layer(6, 2, 3), Layer(5, 2, 0))
"""Kernels are DRML's. Strides and padding are not stated in the paper: DRML's would give 43 x 43 cells."""

_LRN_SIZE: Final = 5
_LRN_ALPHA: Final = 1e-4
"""Channels of a sum, and weight of their mean, of DRML's local response normalisation (its beta is 0.75)."""

_CACHED_BYTES: Final = 13 << 20
"""Largest map whose regions are taken all at once on a CPU; larger ones are slower than separate branches."""


class RegionLayer(nn.Module):
    """Region layer of DRML: every cell of a grid has its own branch, which is added to its input.

    A branch is batch normalisation without scale and shift, ReLU and a 3 x 3 convolution that pads its region
    with zeros. All branches are one grouped convolution: region (i, j) is folded into the channels from
    ``(i * grid + j) * channels`` on, which gives the values of separate branches in one launch. On a CPU
    large maps are taken some rows of the grid at a time: the same values, but memory that fits its caches.

    Args:
        channels: Channels of the input and of the output.
        grid: Regions per row and per column (DRML: 8).
    """

    def __init__(self, channels: int, grid: int = 8) -> None:
        super().__init__()
        folded = grid * grid * channels
        self.grid = grid
        self.norm = nn.BatchNorm2d(folded, affine=False)
        self.conv = nn.Conv2d(folded, folded, _REGION.kernel, padding=_REGION.padding, groups=grid * grid)

    def start_without_effect(self) -> None:
        """Set every branch to 0, so that the layer is the identity until it trains."""
        assert self.conv.bias is not None
        nn.init.zeros_(self.conv.weight)
        nn.init.zeros_(self.conv.bias)

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """Add the output of its branch to every region; (B, C, H, W) float as given.

        Raises:
            ValueError: If the height or the width cannot be divided by the grid.
        """
        grid, (height, width) = self.grid, x_BCHW.shape[2:]
        if height % grid or width % grid:
            raise ValueError(
                f"a map of {height} x {width} cannot be divided into {grid} x {grid} equal regions; "
                f"its height and width have to be multiples of {grid}"
            )
        rows, columns = height // grid, width // grid
        at_once = self._rows_at_once(x_BCHW)
        if at_once == grid:
            made = self.conv(F.relu(self.norm(_fold(x_BCHW, rows, columns))))
            return x_BCHW + _unfold(made, grid, grid)
        if self.training:
            self.norm.num_batches_tracked.add_(1)
        assert self.conv.bias is not None
        n_folded = at_once * grid * x_BCHW.shape[1]
        pieces = zip(
            x_BCHW.split(at_once * rows, 2),
            self.norm.running_mean.split(n_folded),
            self.norm.running_var.split(n_folded),
            self.conv.weight.split(n_folded),
            self.conv.bias.split(n_folded),
            strict=True,
        )
        bands = []
        for band, mean, var, weight, bias in pieces:
            made = F.batch_norm(
                _fold(band, rows, columns),
                mean,
                var,
                training=self.training,
                momentum=self.norm.momentum,
                eps=self.norm.eps,
            )
            made = F.conv2d(F.relu(made), weight, bias, padding=_REGION.padding, groups=at_once * grid)
            bands.append(band + _unfold(made, at_once, grid))
        return torch.cat(bands, 2)

    def _rows_at_once(self, x_BCHW: Tensor) -> int:
        """Return the number of rows of the grid that are computed together."""
        if x_BCHW.device.type != "cpu" or torch.compiler.is_compiling() or is_shared(self.norm):
            return self.grid
        row_bytes = x_BCHW.numel() * x_BCHW.element_size() // self.grid
        most = max(1, _CACHED_BYTES // max(1, row_bytes))
        return max(n for n in range(1, self.grid + 1) if n <= most and self.grid % n == 0)


def _fold(x_BCHW: Tensor, rows: int, columns: int) -> Tensor:
    """Fold regions of ``rows`` x ``columns`` px into the channels."""
    n_images, channels, height, width = x_BCHW.shape
    down, across = height // rows, width // columns
    regions = x_BCHW.reshape(n_images, channels, down, rows, across, columns).permute(0, 2, 4, 1, 3, 5)
    return regions.reshape(n_images, down * across * channels, rows, columns)


def _unfold(folded_BCHW: Tensor, down: int, across: int) -> Tensor:
    """Invert :func:`_fold`: put ``down`` x ``across`` regions back in position."""
    n_images, folded, rows, columns = folded_BCHW.shape
    channels = folded // (down * across)
    regions = folded_BCHW.reshape(n_images, down, across, channels, rows, columns).permute(0, 3, 1, 4, 2, 5)
    return regions.reshape(n_images, channels, down * rows, across * columns)


class Trunk(nn.Module):
    """Convolutions from a face to the last map, conv7.

    With ``config.input_px`` 112 the pooling is left out, so that a unit has the same centre in the face.

    Args:
        config: Input side, kernels, region layer and normalisation.

    Attributes:
        geometry: Receptive fields of the cells of the last map, in face px.
        channels: Channels of the last map.
        cells: Its rows, and its columns.
    """

    def __init__(self, config: TrunkConfig) -> None:
        super().__init__()
        self.cells = MAP_CELLS
        pooled = config.input_px == FACE_PX
        region = (_REGION,) if config.region_layer else ()
        pool = (_POOL,) if pooled else ()
        self.input_px = config.input_px
        self.channels = config.widths[-1]
        self.geometry: Geometry = geometry(
            (_CONV1, *region, *pool, *_CONV4_TO_7), px_per_input_px=FACE_PX / config.input_px
        )
        self.conv1 = _convolution(3, config.stem, _CONV1)
        self.region = RegionLayer(config.stem) if config.region_layer else nn.Identity()
        self.pool = nn.MaxPool2d(_POOL.kernel, _POOL.stride) if pooled else nn.Identity()
        self.norm = LocalResponseNorm() if config.norm == "lrn" else nn.Identity()
        inputs = (config.stem, *config.widths[:-1])
        self.conv4, self.conv5, self.conv6, self.conv7 = (
            _convolution(before, after, layer)
            for before, after, layer in zip(inputs, config.widths, _CONV4_TO_7, strict=True)
        )

    def forward(self, x_B3HW: Tensor) -> Tensor:
        """Return the last map after ReLU.

        Args:
            x_B3HW: Normalised RGB faces, float (B, 3, input_px, input_px).

        Returns:
            (B, channels, 6, 6), not negative.

        Raises:
            ValueError: If the faces have another size.
        """
        if tuple(x_B3HW.shape[1:]) != (3, self.input_px, self.input_px):
            raise ValueError(
                f"expected faces of shape (B, 3, {self.input_px}, {self.input_px}), got {tuple(x_B3HW.shape)}"
            )
        x = self.norm(self.pool(F.relu(self.region(self.conv1(x_B3HW)))))
        for conv in (self.conv4, self.conv5, self.conv6, self.conv7):
            x = F.relu(conv(x))
        return x


class LocalResponseNorm(nn.Module):
    """Normalisation across neighbouring channels (AlexNet; Caffe's ``LRN``) with DRML's constants.

    ``x_c / (1 + alpha / size * sum over the size channels around c of x^2) ^ 0.75``. The values are those of
    ``torch.nn.LocalResponseNorm``, whose pooling over a fifth dimension takes several times longer.
    """

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """Return normalised values, of the shape given."""
        reach, channels = _LRN_SIZE // 2, x_BCHW.shape[1]
        squares = F.pad(x_BCHW * x_BCHW, (0, 0, 0, 0, reach, reach))
        total = squares[:, :channels]
        for shift in range(1, _LRN_SIZE):
            total = total + squares[:, shift : shift + channels]
        root = torch.rsqrt(1.0 + _LRN_ALPHA / _LRN_SIZE * total)
        return x_BCHW * (root * torch.sqrt(root))  # the power -0.75 without the slow pow


class Embedding(nn.Module):
    """Fully connected layers from the last map to an embedding: fc8 and fc9, each with ReLU and dropout.

    Args:
        channels: Channels of the last map.
        fc_hidden: Units of fc8; ``None`` leaves it out.
        embedding: Units of fc9 (paper section IV-A: 2048).
        dropout: Probability that a unit is dropped in training.
        cells: Rows, and columns, of the last map.

    Attributes:
        features: Length of the embedding.
    """

    def __init__(
        self,
        channels: int,
        *,
        fc_hidden: int | None,
        embedding: int,
        dropout: float,
        cells: int = MAP_CELLS,
    ) -> None:
        super().__init__()
        flat = channels * cells * cells
        self.features = embedding
        self.fc8 = None if fc_hidden is None else nn.Linear(flat, fc_hidden)
        self.fc9 = nn.Linear(flat if fc_hidden is None else fc_hidden, embedding)
        self.dropout = nn.Dropout(dropout)

    def forward(self, maps_BCHW: Tensor) -> Tensor:
        """Return embeddings (B, F), not negative, of last maps (B, C, cells, cells)."""
        x = maps_BCHW.flatten(1)
        if self.fc8 is not None:
            x = self.dropout(F.relu(self.fc8(x)))
        return self.dropout(F.relu(self.fc9(x)))


class AuNet(nn.Module):
    """Detector of action units that pretrains a trunk (paper section IV-A, equation 2).

    Args:
        trunk: Its parameters are shared, not copied.
        embedding: Embedding of the trunk's last map.
        n_action_units: Number of units.
    """

    def __init__(self, trunk: Trunk, embedding: Embedding, *, n_action_units: int) -> None:
        super().__init__()
        self.trunk = trunk
        self.embedding = embedding
        self.head = Head(embedding.features, n_action_units)

    def forward(self, images_B3HW: Tensor) -> Tensor:
        """Return logits (B, A) of normalised RGB faces, float (B, 3, 224, 224)."""
        return self.head(self.embedding(self.trunk(reduce(images_B3HW, self.trunk.input_px))))


def reduce(images_B3HW: Tensor, input_px: int) -> Tensor:
    """Reduce square images to a network's side by the mean over areas; identity for images of that side.

    Args:
        images_B3HW: Float images (B, 3, side, side).
        input_px: Side of the result; it divides the images' own.

    Raises:
        ValueError: If the images are not square, or their side is no multiple of ``input_px``.
    """
    height, width = images_B3HW.shape[-2:]
    if height != width or height % input_px:
        raise ValueError(f"cannot reduce images of {height} x {width} px to {input_px} x {input_px} px")
    factor = height // input_px
    return images_B3HW if factor == 1 else F.avg_pool2d(images_B3HW, factor)


def _convolution(before: int, after: int, layer: Layer) -> nn.Conv2d:
    return nn.Conv2d(before, after, layer.kernel, layer.stride, layer.padding)
