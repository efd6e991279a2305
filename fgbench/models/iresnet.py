"""IResNet, the backbone of InsightFace, with the layers and names of its published checkpoints.

Source: insightface/recognition/arcface_torch. Faces are RGB, 112 x 112 px, in [-1, 1]:
``(x / 255 - 0.5) / 0.5``.

Suffixes of tensors: B images, C channels, H rows, W columns, F features, K classes.
"""

from __future__ import annotations

from typing import Final, Literal

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from fgbench.models.initialisation import Head

INPUT_PX: Final = 112
"""Side of InsightFace's aligned faces."""

FEATURES: Final = 512
"""Length of a face's embedding."""

_EPS: Final = 1e-5
_BLOCKS: Final = {18: (2, 2, 2, 2), 50: (3, 4, 14, 3), 100: (3, 13, 30, 3)}
_WIDTHS: Final = (64, 128, 256, 512)
_LAST_CELLS: Final = 7


class Block(nn.Module):
    """Residual block: norm, convolution, norm, PReLU, convolution with the stride, norm."""

    def __init__(self, before: int, after: int, *, stride: int) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(before, eps=_EPS)
        self.conv1 = nn.Conv2d(before, after, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(after, eps=_EPS)
        self.prelu = nn.PReLU(after)
        self.conv2 = nn.Conv2d(after, after, 3, stride, padding=1, bias=False)
        self.bn3 = nn.BatchNorm2d(after, eps=_EPS)
        self.downsample = None
        if stride != 1 or before != after:
            self.downsample = nn.Sequential(
                nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after, eps=_EPS)
            )

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """Return the block's output; half the height and width with a stride of 2."""
        y = self.prelu(self.bn2(self.conv1(self.bn1(x_BCHW))))
        shortcut = x_BCHW if self.downsample is None else self.downsample(x_BCHW)
        return self.bn3(self.conv2(y)) + shortcut


class IResNet(nn.Module):
    """IResNet for faces of 112 x 112 px; see :func:`iresnet`.

    Args:
        blocks: Residual blocks of the four layers; the first of each halves the height and width.
        widths: Channels of the four layers; published checkpoints have the default.
    """

    def __init__(
        self, blocks: tuple[int, int, int, int], *, widths: tuple[int, int, int, int] = _WIDTHS
    ) -> None:
        super().__init__()
        stem, last = widths[0], widths[-1]
        self.conv1 = nn.Conv2d(3, stem, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(stem, eps=_EPS)
        self.prelu = nn.PReLU(stem)
        self.layer1, self.layer2, self.layer3, self.layer4 = (
            nn.Sequential(
                Block(before, after, stride=2), *(Block(after, after, stride=1) for _ in range(count - 1))
            )
            for before, after, count in zip((stem, *widths), widths, blocks, strict=False)
        )
        self.bn2 = nn.BatchNorm2d(last, eps=_EPS)
        self.fc = nn.Linear(last * _LAST_CELLS * _LAST_CELLS, FEATURES)
        self.features = nn.BatchNorm1d(FEATURES, eps=_EPS)
        # The scale of the features is fixed, as in the source: ArcFace uses only their angles.
        nn.init.ones_(self.features.weight)
        self.features.weight.requires_grad_(False)

    def forward(self, x_B3HW: Tensor) -> Tensor:
        """Return features (B, 512), not of unit length.

        Args:
            x_B3HW: RGB faces in [-1, 1], float (B, 3, 112, 112).

        Raises:
            ValueError: If the faces have another size.
        """
        if tuple(x_B3HW.shape[1:]) != (3, INPUT_PX, INPUT_PX):
            raise ValueError(
                f"expected faces of shape (B, 3, {INPUT_PX}, {INPUT_PX}), got {tuple(x_B3HW.shape)}"
            )
        return self.features(self.fc(self.bn2(self.last_map(x_B3HW)).flatten(1)))

    def last_map(self, x_B3HW: Tensor) -> Tensor:
        """Return the last map (B, C, 7, 7) of RGB faces in [-1, 1], float (B, 3, 112, 112)."""
        x = self.prelu(self.bn1(self.conv1(x_B3HW)))
        maps: Tensor = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return maps


class FaceHead(Head):
    """Classes on a face's features: one linear layer, or ArcFace's scaled cosines.

    The angular margin of ArcFace belongs to its loss, which knows the true class; predictions have none.

    Args:
        n_classes: Number of classes.
        kind: ``"softmax"`` or ``"arcface"``; not stated in the paper.
        scale: Factor s of ArcFace's cosines.
        margin: Angular margin m of ArcFace in radians, kept for the loss.
    """

    def __init__(
        self,
        n_classes: int,
        *,
        kind: Literal["softmax", "arcface"] = "softmax",
        scale: float = 64.0,
        margin: float = 0.5,
    ) -> None:
        super().__init__(FEATURES, n_classes, bias=kind == "softmax")
        self.kind = kind
        self.scale = scale
        self.margin = margin

    def forward(self, features_BF: Tensor) -> Tensor:
        """Return logits (B, K) of features (B, 512), for predictions."""
        if self.kind == "softmax":
            return super().forward(features_BF)
        return self.scale * self.cosines(features_BF)

    def cosines(self, features_BF: Tensor) -> Tensor:
        """Return cosines (B, K) of features and class centres, float32 in [-1, 1], for ArcFace's loss."""
        with torch.autocast(features_BF.device.type, enabled=False):
            features = F.normalize(features_BF.float())
            cosines = F.linear(features, F.normalize(self.weight.float()))
        return cosines.clamp(-1.0, 1.0)


class IResNetClassifier(nn.Module):
    """A backbone and a head.

    Args:
        backbone: Computes the features.
        head: Classifies them.
    """

    def __init__(self, backbone: IResNet, head: FaceHead) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = head

    def forward(self, x_B3HW: Tensor) -> Tensor:
        """Return logits (B, K) of RGB faces in [-1, 1], float (B, 3, 112, 112)."""
        return self.head(self.backbone(x_B3HW))


def iresnet(depth: Literal[18, 50, 100], width: float = 1.0) -> IResNet:
    """Build IResNet-18 (24.03 M parameters), -50 (43.59 M) or -100 (65.16 M), as in arcface_torch.

    Args:
        depth: Layers.
        width: Factor of all numbers of channels; published checkpoints have 1.

    Its keys are those of published checkpoints: ``conv1.weight``, ``bn1.*``, ``prelu.weight``,
    ``layer{1-4}.{i}.*``, ``bn2.*``, ``fc.*``, ``features.*``.
    """
    first, second, third, fourth = (max(1, round(width * channels)) for channels in _WIDTHS)
    return IResNet(_BLOCKS[depth], widths=(first, second, third, fourth))
