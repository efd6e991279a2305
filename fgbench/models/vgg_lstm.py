"""VGG16 on frames and an LSTM over them: a temporal backbone of the paper's Table V.

Sources: VGG16 (Simonyan and Zisserman 2015) with the layers and names of torchvision's. The features taken
from it (fc6) and the LSTM's size are not stated in the paper.

Suffixes of tensors: B clips, T frames of the longest clip, V frames of all clips without padding, C channels,
H rows, W columns, F features.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from fgbench.models.masking import features_of, last_state
from fgbench.models.streams import Heads, StreamOutputs
from fgbench.models.weights import load_into, without

_BLOCKS: Final = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
_LAST_CELLS: Final = 7
_CLASSIFIERS: Final = ("classifier.3.", "classifier.6.")
_LEAST_CHANNELS: Final = 4


class Vgg16(nn.Module):
    """VGG16 up to its first fully connected layer, fc6, with ReLU and dropout.

    Its 13 convolutions have 14.71 M parameters at full width.

    Args:
        width: Factor on the channels, each of which stays at least 4.
        fc: Units of fc6 (4096 in published weights).
        dropout: Probability that a unit is dropped in training.
        batch_norm: Batch normalisation after each convolution (torchvision's ``vgg16_bn``): small networks
            need it to learn from scratch.

    Attributes:
        n_features: As ``fc``.
    """

    def __init__(self, *, width: float, fc: int, dropout: float, batch_norm: bool) -> None:
        super().__init__()
        self.n_features = fc
        layers: list[nn.Module] = []
        before = 3
        for block in _BLOCKS:
            for channels in block:
                after = max(_LEAST_CHANNELS, round(channels * width))
                layers.append(nn.Conv2d(before, after, 3, padding=1))
                if batch_norm:
                    layers.append(nn.BatchNorm2d(after))
                layers.append(nn.ReLU(inplace=True))
                before = after
            layers.append(nn.MaxPool2d(2, 2))
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(
            nn.Linear(before * _LAST_CELLS * _LAST_CELLS, fc), nn.ReLU(inplace=True), nn.Dropout(dropout)
        )

    def forward(self, x_B3HW: Tensor) -> Tensor:
        """Return features (B, fc), not negative, of normalised RGB images (B, 3, H, W) from 32 x 32 px on."""
        maps = F.adaptive_avg_pool2d(self.features(x_B3HW), _LAST_CELLS)  # no effect for 224 px
        return self.classifier(maps.flatten(1))


class Vgg16Lstm(nn.Module):
    """VGG16 on each frame, an LSTM over the frames, classifiers on its last state.

    Args:
        width: Factor on the channels of VGG16.
        fc: Units of fc6.
        hidden: Units of the LSTM.
        dropout: Probability that a unit of fc6 is dropped in training.
        batch_norm: Batch normalisation in VGG16; published weights of ``vgg16`` have none.
        n_fine: Fine classes.
        n_basic: Upper classes; 0 builds no outputs for them.
    """

    def __init__(
        self,
        *,
        width: float = 1.0,
        fc: int = 4096,
        hidden: int = 128,
        dropout: float = 0.5,
        batch_norm: bool = False,
        n_fine: int = 33,
        n_basic: int = 6,
    ) -> None:
        super().__init__()
        self.backbone = Vgg16(width=width, fc=fc, dropout=dropout, batch_norm=batch_norm)
        self.lstm = nn.LSTM(fc, hidden, batch_first=True)
        self.heads = Heads(hidden, n_fine=n_fine, n_basic=n_basic)

    def forward(self, frames_BT3HW: Tensor, mask_BT: Tensor) -> StreamOutputs:
        """Predict clips; all frames pass VGG16 as one batch.

        Args:
            frames_BT3HW: Normalised RGB frames in their order, float (B, T, 3, H, W); padding is ignored.
            mask_BT: Bool (B, T), true where there is a frame.

        Returns:
            Logits; the classifiers' biases for a clip without a frame.

        Raises:
            ValueError: If the mask is not bool or does not fit.
        """
        rows_VF = features_of(self.backbone, frames_BT3HW, mask_BT)
        return StreamOutputs(*self.heads(last_state(self.lstm, rows_VF, mask_BT)))

    def of_clip(self, frames_T3HW: Tensor) -> StreamOutputs:
        """Predict one clip of at least one frame, without padding: (1, K) and (1, M)."""
        return StreamOutputs(*self.heads(self.lstm(self.backbone(frames_T3HW)[None])[0][:, -1]))


def load_vgg16(model: Vgg16Lstm, state: Mapping[str, Tensor], *, origin: str) -> None:
    """Copy the weights of torchvision's VGG16 (or ``vgg16_bn``) up to fc6.

    Args:
        model: Model of the same widths; its LSTM and classifiers keep their values.
        state: Tensors by torchvision's names; ``classifier.3.*`` and ``classifier.6.*`` are left out.
        origin: Origin of the weights, for messages.

    Raises:
        ManifestError: If names or shapes do not fit; then nothing changes.
    """
    load_into(model.backbone, without(state, _CLASSIFIERS), origin=origin)
