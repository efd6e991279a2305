"""GoogLeNet with batch normalisation (Szegedy et al. 2015), with the layers and names of torchvision's.

Without classifiers: it returns features. torchvision's option ``transform_input``, which its published
weights expect (images in [-1, 1] instead of ImageNet's mean and deviation), is not done here: training that
starts from them normalises accordingly (:mod:`fgbench.methods.tmsau.published_scales`).

Suffixes of tensors: B images or stacks of optical flow, C channels, H rows, W columns, O output channels.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from fgbench.errors import ManifestError
from fgbench.models.weights import load_into, without

RGB_CHANNELS: Final = 3

_EPS: Final = 0.001
_CLASSIFIERS: Final = ("fc.", "aux1.", "aux2.")
_FIRST: Final = "conv1.conv.weight"
_LEAST_CHANNELS: Final = 4


class BasicConv2d(nn.Module):
    """Convolution without bias, batch normalisation, ReLU."""

    def __init__(self, before: int, after: int, kernel: int, *, stride: int = 1, padding: int = 0) -> None:
        super().__init__()
        self.conv = nn.Conv2d(before, after, kernel, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(after, eps=_EPS)

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """Return the layer's output, not negative."""
        return F.relu(self.bn(self.conv(x_BCHW)), inplace=True)


class Inception(nn.Module):
    """Four branches whose outputs are concatenated: 1 x 1; 1 x 1, 3 x 3; the same narrower; pool, 1 x 1.

    The third branch has a 3 x 3 kernel, as in torchvision, where Szegedy et al. have 5 x 5.

    Args:
        before: Channels of the input.
        ch1x1: Channels of the first branch.
        ch3x3: Channels of the second branch's two layers.
        ch5x5: Channels of the third branch's two layers.
        pooled: Channels of the fourth branch.

    Attributes:
        channels: Channels of the output.
    """

    def __init__(
        self, before: int, ch1x1: int, ch3x3: tuple[int, int], ch5x5: tuple[int, int], pooled: int
    ) -> None:
        super().__init__()
        self.channels = ch1x1 + ch3x3[1] + ch5x5[1] + pooled
        self.branch1 = BasicConv2d(before, ch1x1, 1)
        self.branch2 = nn.Sequential(BasicConv2d(before, ch3x3[0], 1), BasicConv2d(*ch3x3, 3, padding=1))
        self.branch3 = nn.Sequential(BasicConv2d(before, ch5x5[0], 1), BasicConv2d(*ch5x5, 3, padding=1))
        self.branch4 = nn.Sequential(
            nn.MaxPool2d(3, 1, padding=1, ceil_mode=True), BasicConv2d(before, pooled, 1)
        )

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """Return (B, channels, H, W)."""
        return torch.cat([branch(x_BCHW) for branch in self.children()], 1)


class GoogLeNet(nn.Module):
    """GoogLeNet up to its average pooling; 5.60 M parameters for RGB at full width.

    Args:
        in_channels: Channels of the input: 3 for RGB, 2 L for optical flow of L frames.
        width: Factor on all channels inside, for machines without a GPU; each stays at least 4.

    Attributes:
        in_channels: As given.
        n_features: Length of the features; 1024 at full width.
    """

    def __init__(self, in_channels: int = RGB_CHANNELS, *, width: float = 1.0) -> None:
        super().__init__()

        def scaled(channels: int) -> int:
            return max(_LEAST_CHANNELS, round(channels * width))

        def inception(
            before: int, ch1x1: int, ch3x3: tuple[int, int], ch5x5: tuple[int, int], pooled: int
        ) -> Inception:
            second = (scaled(ch3x3[0]), scaled(ch3x3[1]))
            third = (scaled(ch5x5[0]), scaled(ch5x5[1]))
            return Inception(before, scaled(ch1x1), second, third, scaled(pooled))

        self.in_channels = in_channels
        self.conv1 = BasicConv2d(in_channels, scaled(64), 7, stride=2, padding=3)
        self.maxpool1 = nn.MaxPool2d(3, 2, ceil_mode=True)
        self.conv2 = BasicConv2d(scaled(64), scaled(64), 1)
        self.conv3 = BasicConv2d(scaled(64), scaled(192), 3, padding=1)
        self.maxpool2 = nn.MaxPool2d(3, 2, ceil_mode=True)
        self.inception3a = inception(scaled(192), 64, (96, 128), (16, 32), 32)
        self.inception3b = inception(self.inception3a.channels, 128, (128, 192), (32, 96), 64)
        self.maxpool3 = nn.MaxPool2d(3, 2, ceil_mode=True)
        self.inception4a = inception(self.inception3b.channels, 192, (96, 208), (16, 48), 64)
        self.inception4b = inception(self.inception4a.channels, 160, (112, 224), (24, 64), 64)
        self.inception4c = inception(self.inception4b.channels, 128, (128, 256), (24, 64), 64)
        self.inception4d = inception(self.inception4c.channels, 112, (144, 288), (32, 64), 64)
        self.inception4e = inception(self.inception4d.channels, 256, (160, 320), (32, 128), 128)
        self.maxpool4 = nn.MaxPool2d(2, 2, ceil_mode=True)
        self.inception5a = inception(self.inception4e.channels, 256, (160, 320), (32, 128), 128)
        self.inception5b = inception(self.inception5a.channels, 384, (192, 384), (48, 128), 128)
        self.n_features = self.inception5b.channels

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """Return features (B, n_features), not negative: the mean over the last map.

        Args:
            x_BCHW: Normalised input, float (B, in_channels, H, W), 224 x 224 px by custom. In training, the
                last map (H / 32 rows) has to have two cells or the batch two images.

        Raises:
            ValueError: If the input has other channels.
        """
        if x_BCHW.ndim != 4 or x_BCHW.shape[1] != self.in_channels:
            raise ValueError(
                f"expected an input of shape (B, {self.in_channels}, H, W), got {tuple(x_BCHW.shape)}"
            )
        for layer in self.children():
            x_BCHW = layer(x_BCHW)
        return x_BCHW.mean((2, 3))


def cross_modality(weight_O3HW: Tensor, channels: int) -> Tensor:
    """Convert weights of a first convolution on RGB to other channels.

    The mean over RGB is repeated (temporal segment networks, Wang et al. 2016).

    Args:
        weight_O3HW: (O, 3, H, W).
        channels: Number of input channels.

    Returns:
        (O, channels, H, W), of the type given; all channels are equal.

    Raises:
        ValueError: If the weights are not those of a convolution on 3 channels.
    """
    if weight_O3HW.ndim != 4 or weight_O3HW.shape[1] != RGB_CHANNELS:
        raise ValueError(f"expected weights of shape (O, 3, H, W), got {tuple(weight_O3HW.shape)}")
    return weight_O3HW.mean(1, keepdim=True).repeat(1, channels, 1, 1)


def load_googlenet(model: GoogLeNet, state: Mapping[str, Tensor], *, origin: str) -> None:
    """Copy the weights of torchvision's GoogLeNet for RGB, without its classifiers.

    For a model on other channels the first convolution is converted by :func:`cross_modality`. If the weights
    do not fit, nothing changes.

    Args:
        model: Model of the same widths.
        state: Tensors by torchvision's names; ``fc.*``, ``aux1.*`` and ``aux2.*`` are left out.
        origin: Origin of the weights, for messages.

    Raises:
        ManifestError: If names or shapes do not fit, or the weights are not for RGB.
    """
    wanted = without(state, _CLASSIFIERS)
    if _FIRST in wanted and model.in_channels != RGB_CHANNELS:
        try:
            wanted[_FIRST] = cross_modality(wanted[_FIRST], model.in_channels)
        except ValueError as error:
            raise ManifestError(
                f"the weights of {origin} are not those of a network for RGB: {_FIRST}: {error}",
                "take weights that were trained on colour images",
            ) from error
    load_into(model, wanted, origin=origin)
