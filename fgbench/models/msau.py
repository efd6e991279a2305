"""MSAU-Net: two scales of a face over one action-unit trunk (paper section IV-A), and its ablations.

A network runs in two steps, because the first does not change while the trunk is frozen and can be kept:
:meth:`MsauNet.see` computes the last maps of the face and of its enlarged regions, :meth:`MsauNet.classify`
classifies maps.

Suffixes of tensors: B images, R maps of an image (the whole face, then its regions, strongest first),
N regions, C channels, H rows, W columns, F features, S scales (1 or 2), K fine classes, M upper classes,
A action units.
"""

from __future__ import annotations

from typing import NamedTuple, Self

import torch
from torch import Tensor, nn

from fgbench.config import NetworkConfig, TrunkConfig
from fgbench.config.training import Frozen
from fgbench.errors import ConfigError
from fgbench.models.drml import Embedding, Trunk, reduce
from fgbench.models.initialisation import Head
from fgbench.models.map_trunk import MapTrunk
from fgbench.models.receptive_field import FACE_PX
from fgbench.models.zoom import boxes, crop, most_cells, strongest_cells


class Views(NamedTuple):
    """Maps and regions of faces.

    Attributes:
        maps: Last maps (B, R, C, h, w), of the paper's trunk 6 x 6 cells, not negative; R = 1 + zooms: the
            whole face, then its regions.
        boxes: Regions (B, N, 4): edges x0, y0, x1, y1 in face px, float32; N = zooms, strongest first.
        cells: Rows and columns of the regions' cells (B, N, 2), int64.
        strength: Strongest activation of these cells (B, N).
    """

    maps: Tensor
    boxes: Tensor
    cells: Tensor
    strength: Tensor


class Outputs(NamedTuple):
    """Logits of every scale, the whole face first.

    Attributes:
        fine: (B, S, K).
        basic: (B, S, M), or ``None`` if the network has no outputs for the upper classes.
        units: Logits (B, A) of action units by the whole face; ``None`` if it does not train on them.
    """

    fine: Tensor
    basic: Tensor | None
    units: Tensor | None = None

    def branch_probabilities(self) -> Tensor:
        """Return probabilities of the fine classes by each scale alone, float32 (B, S, K)."""
        return self.fine.float().softmax(2)

    def probabilities(self) -> Tensor:
        """Return the mean over scales, float32 (B, K); the paper does not state how scales are joined."""
        return self.branch_probabilities().mean(1)

    def basic_probabilities(self) -> Tensor:
        """Return :meth:`probabilities` of the upper classes, float32 (B, M); M is 0 without such outputs."""
        if self.basic is None:
            return self.fine.new_zeros((self.fine.shape[0], 0), dtype=torch.float32)
        return self.basic.float().softmax(2).mean(1)


class MsauNet(nn.Module):
    """MSAU-Net and its ablations.

    Args:
        config: Its parts and their sizes.
        n_fine: Fine classes.
        n_basic: Upper classes; 0 builds no outputs for them.
        n_units: Action units that train along with the classes (paper section V-B); 0 builds no outputs for
            them, as the trunk is frozen then (section IV-A).
        trunk: Trunk of ``network.trunk`` backbone (not stated in the paper); ``None`` builds the paper's.

    Attributes:
        trunk: Trunk of all scales; an AU network's ``trunk`` state fits the paper's.
        scales: The whole face, and the regions together if the network zooms.

    Raises:
        ConfigError: If ``zooms`` regions do not fit with this ``suppress_radius``.
    """

    def __init__(
        self,
        config: NetworkConfig,
        *,
        n_fine: int = 33,
        n_basic: int = 6,
        n_units: int = 0,
        trunk: MapTrunk | None = None,
    ) -> None:
        super().__init__()
        self.config = config
        self.trunk: Trunk | MapTrunk
        if isinstance(config.trunk, TrunkConfig):
            assert trunk is None, "the recipe has the paper's trunk"
            self.trunk = Trunk(config.trunk)
        else:
            assert trunk is not None, "the recipe has the trunk of a network of the user's"
            self.trunk = trunk
        cells = self.trunk.cells
        most = most_cells(cells, cells, radius=config.suppress_radius)
        if config.zooms > most:
            raise ConfigError(
                f"network.zooms is {config.zooms}, but with network.suppress_radius {config.suppress_radius} "
                f"at most {most} of {cells} x {cells} cells can be chosen",
                "lower network.zooms or network.suppress_radius",
            )
        regions = (1, config.zooms) if config.zooms else (1,)
        self.scales = nn.ModuleList(
            Scale(config, n, n_fine=n_fine, n_basic=n_basic, channels=self.trunk.channels, cells=cells)
            for n in regions
        )
        self.units = Head(config.embedding, n_units) if n_units else None
        self._still: tuple[nn.Module, ...] = ()

    def see(self, images_B3HW: Tensor) -> Views:
        """Compute the last maps of faces and of the regions around their strongest cells.

        Args:
            images_B3HW: Normalised RGB faces, float (B, 3, 224, 224); of a trunk that normalises itself
                (:class:`fgbench.models.map_trunk.MapTrunk`) 0 to 255.

        Raises:
            ValueError: If the faces have another size.
        """
        if tuple(images_B3HW.shape[1:]) != (3, FACE_PX, FACE_PX):
            raise ValueError(
                f"expected faces of shape (B, 3, {FACE_PX}, {FACE_PX}), got {tuple(images_B3HW.shape)}"
            )
        n, config = self.config.zooms, self.config
        whole = self.trunk(reduce(images_B3HW, self.trunk.input_px))
        if not n:
            none = whole.new_zeros((whole.shape[0], 0, 4), dtype=torch.float32)
            return Views(whole[:, None], none, none[..., :2].long(), none[..., 0].to(whole.dtype))
        cells, strength = strongest_cells(whole, n, config.suppress_radius)
        regions_px = boxes(cells, self.trunk.geometry, config.zoom_side_px)
        enlarged = crop(images_B3HW.repeat_interleave(n, 0), regions_px.flatten(0, 1), FACE_PX)
        regions = self.trunk(reduce(enlarged, self.trunk.input_px)).unflatten(0, (-1, n))
        return Views(torch.cat((whole[:, None], regions), 1), regions_px, cells, strength)

    def classify(self, maps_BRCHW: Tensor) -> Outputs:
        """Classify last maps; of more maps than the network uses, the first are taken.

        Args:
            maps_BRCHW: ``Views.maps`` of this network, or of the same one with more regions.

        Raises:
            ValueError: If there are fewer maps than the network uses.
        """
        n = self.config.zooms
        if maps_BRCHW.shape[1] < 1 + n:
            raise ValueError(
                f"expected maps of the face and {n} regions, (B, {1 + n}, C, {self.trunk.cells}, "
                f"{self.trunk.cells}), got {tuple(maps_BRCHW.shape)}"
            )
        parts = (maps_BRCHW[:, :1], maps_BRCHW[:, 1 : 1 + n])
        features = [scale.features(part) for scale, part in zip(self.scales, parts, strict=False)]
        logits = [scale.classify(values) for scale, values in zip(self.scales, features, strict=True)]
        basic = [upper for _, upper in logits if upper is not None]
        return Outputs(
            torch.stack([fine for fine, _ in logits], 1),
            torch.stack(basic, 1) if basic else None,
            None if self.units is None else self.units(features[0][:, : self.config.embedding]),
        )

    def forward(self, images_B3HW: Tensor) -> Outputs:
        """Classify normalised RGB faces, float (B, 3, 224, 224)."""
        return self.classify(self.see(images_B3HW).maps)

    def freeze(self, part: Frozen = "trunk") -> None:
        """Freeze a part of the trunk: no gradients, its batch normalisation in evaluation mode.

        Args:
            part: The trunk, its stem (the first convolution and the region layer), or none; all other parts
                train.
        """
        self.trunk.requires_grad_(True)
        self.trunk.train(self.training)
        self._still = ()
        if part == "trunk":
            self._still = (self.trunk,)
        elif part == "stem":
            assert isinstance(self.trunk, Trunk), "no recipe freezes the stem of another"
            self._still = (self.trunk.conv1, self.trunk.region)
        for module in self._still:
            module.requires_grad_(False)
            module.eval()

    def train(self, mode: bool = True) -> Self:
        """Set training mode, except for frozen parts."""
        super().train(mode)
        for module in self._still:
            module.eval()
        return self


class Scale(nn.Module):
    """Embedding and classifiers of one scale; the features of several regions are concatenated.

    Args:
        config: Sizes of the embedding; whether maximum activations join it.
        n_regions: Maps of an image that it takes.
        n_fine: Fine classes.
        n_basic: Upper classes; 0 builds no outputs for them.
        channels: Channels of a map.
        cells: Rows, and columns, of a map.
    """

    def __init__(
        self,
        config: NetworkConfig,
        n_regions: int,
        *,
        n_fine: int,
        n_basic: int,
        channels: int,
        cells: int,
    ) -> None:
        super().__init__()
        self.embedding = Embedding(
            channels,
            fc_hidden=config.fc_hidden,
            embedding=config.embedding,
            dropout=config.dropout,
            cells=cells,
        )
        self.mac = config.mac
        self.mac_norm = nn.BatchNorm1d(channels) if config.mac and config.mac_norm else nn.Identity()
        features = n_regions * (config.embedding + (channels if config.mac else 0))
        self.fine = Head(features, n_fine)
        self.basic = Head(features, n_basic) if n_basic else None

    def forward(self, maps_BNCHW: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return logits (B, K) of the fine classes and (B, M) of the upper classes."""
        return self.classify(self.features(maps_BNCHW))

    def classify(self, features_BF: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return the logits of :meth:`features`."""
        return self.fine(features_BF), None if self.basic is None else self.basic(features_BF)

    def features(self, maps_BNCHW: Tensor) -> Tensor:
        """Return features (B, F): per region the embedding, then each channel's maximum (MAC, paper IV-A)."""
        n_images, n_regions = maps_BNCHW.shape[:2]
        maps = maps_BNCHW.flatten(0, 1)
        features = self.embedding(maps)
        if self.mac:
            features = torch.cat((features, self.mac_norm(maps.amax((2, 3)))), 1)
        return features.reshape(n_images, n_regions * features.shape[1])
