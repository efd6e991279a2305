"""ResNet with the layers and names of torchvision's checkpoints, in which most published ones are.

Sources: He et al. 2016; torchvision/models/resnet.py, whose stride lies in the second convolution of a
bottleneck. Files of timm's ResNets have the same names.

Suffixes of tensors: B images, C channels, H rows, W columns, F features.
"""

from __future__ import annotations

from typing import Final, Literal

import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

_BLOCKS: Final = {
    18: (2, 2, 2, 2),
    34: (3, 4, 6, 3),
    50: (3, 4, 6, 3),
    101: (3, 4, 23, 3),
    152: (3, 8, 36, 3),
}
_BOTTLENECKS_FROM: Final = 50
_EXPANSION: Final = 4
_STEM: Final = 64


class Block(nn.Module):
    """Residual block of two convolutions, or of three with a bottleneck.

    Args:
        before: Channels that it takes.
        width: Channels inside.
        stride: Of its convolution of 3 x 3, and of the shortcut.
        bottleneck: Whether it gives four times its width, by convolutions of 1 x 1.
    """

    def __init__(self, before: int, width: int, *, stride: int, bottleneck: bool) -> None:
        super().__init__()
        after = width * (_EXPANSION if bottleneck else 1)
        sides = (1, 3, 1) if bottleneck else (3, 3)
        channels = (before, *(width,) * (len(sides) - 1), after)
        stride_at = 1 if bottleneck else 0
        self.depth = len(sides)
        for at, side in enumerate(sides):
            convolution = nn.Conv2d(
                channels[at],
                channels[at + 1],
                side,
                stride if at == stride_at else 1,
                padding=side // 2,
                bias=False,
            )
            self.add_module(f"conv{at + 1}", convolution)
            self.add_module(f"bn{at + 1}", nn.BatchNorm2d(channels[at + 1]))
        self.downsample = None
        if stride != 1 or before != after:
            self.downsample = nn.Sequential(
                nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after)
            )

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """Return the block's output."""
        y = x_BCHW
        for at in range(1, self.depth + 1):
            y = self.get_submodule(f"bn{at}")(self.get_submodule(f"conv{at}")(y))
            y = F.relu(y) if at < self.depth else y
        return F.relu(y + (x_BCHW if self.downsample is None else self.downsample(x_BCHW)))


class ResNet(nn.Module):
    """ResNet from pictures of any size to the mean of its last map.

    Its keys are those of torchvision without the classifier ``fc``: ``conv1.weight``, ``bn1.*``,
    ``layer{1-4}.{i}.*``.

    Args:
        depth: 18, 34, 50, 101 or 152.
        width: Factor of all numbers of channels; published checkpoints have 1.
    """

    def __init__(self, depth: Literal[18, 34, 50, 101, 152], *, width: float = 1.0) -> None:
        super().__init__()
        bottleneck = depth >= _BOTTLENECKS_FROM
        stem = max(1, round(_STEM * width))
        self.conv1 = nn.Conv2d(3, stem, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(stem)
        before = stem
        for number, count in enumerate(_BLOCKS[depth]):
            inside = stem * 2**number
            blocks = []
            for at in range(count):
                stride = 2 if number and not at else 1
                blocks.append(Block(before, inside, stride=stride, bottleneck=bottleneck))
                before = inside * (_EXPANSION if bottleneck else 1)
            self.add_module(f"layer{number + 1}", nn.Sequential(*blocks))
        self.n_features = before

    def forward(self, x_B3HW: Tensor) -> Tensor:
        """Return features (B, F) of normalised pictures, float (B, 3, H, W)."""
        return self.last_map(x_B3HW).mean(dim=(2, 3))

    def last_map(self, x_B3HW: Tensor) -> Tensor:
        """Return the last map (B, F, H / 32, W / 32), sides rounded up, not negative."""
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x_B3HW))), 3, stride=2, padding=1)
        for number in range(1, len(_BLOCKS[18]) + 1):
            x = self.get_submodule(f"layer{number}")(x)
        return x
