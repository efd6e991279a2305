"""C3D on windows of frames and an LSTM over them: a temporal backbone of the paper's Table V.

Source: C3D (Tran et al. 2015); its layers have the names of common ports. The features taken from it (fc6),
the LSTM's size, and the layout of windows over a clip are not stated in the paper.

Suffixes of tensors: B clips, N windows of the longest clip, V windows of all clips without padding,
C channels, L frames of a window, H rows, W columns, F features.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from fgbench.models.masking import features_of, last_state
from fgbench.models.streams import Heads, StreamOutputs
from fgbench.models.weights import load_into, without

WINDOW_FRAMES: Final = 16
"""Frames of a window."""

INPUT_PX: Final = 112
"""Side of a window's frames in published weights."""

_LAYERS: Final = {
    "1": 64,
    "2": 128,
    "3a": 256,
    "3b": 256,
    "4a": 512,
    "4b": 512,
    "5a": 512,
    "5b": 512,
}
"""Channels of the convolutions, all 3 x 3 x 3."""

_CLASSIFIERS: Final = ("fc7.", "fc8.")
_LEAST_CHANNELS: Final = 4
_DEPTH_WITHOUT_BF16: Final = 2


class C3d(nn.Module):
    """C3D up to its first fully connected layer, fc6, with ReLU and dropout.

    Its 8 convolutions have 27.66 M parameters at full width.

    Args:
        width: Factor on the channels, each of which stays at least 4.
        fc: Units of fc6 (4096 in published weights).
        dropout: Probability that a unit is dropped in training.
        batch_norm: Batch normalisation after each convolution: small networks need it to learn from scratch.
        input_px: Side of the frames; at least 16.

    Attributes:
        n_features: As ``fc``.
        window: Shape of a window: 3, 16, ``input_px``, ``input_px``.
    """

    def __init__(self, *, width: float, fc: int, dropout: float, batch_norm: bool, input_px: int) -> None:
        super().__init__()
        self.n_features = fc
        self.window = (3, WINDOW_FRAMES, input_px, input_px)
        before = 3
        for name, channels in _LAYERS.items():
            after = max(_LEAST_CHANNELS, round(channels * width))
            self.add_module(f"conv{name}", nn.Conv3d(before, after, 3, padding=1))
            if batch_norm:
                self.add_module(f"bn{name}", nn.BatchNorm3d(after))
            before = after
        side = input_px // 16 // 2 + 1  # four pools halve it; the last pads it by 1 on each side
        self.fc6 = nn.Linear(before * side * side, fc)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x_B3LHW: Tensor) -> Tensor:
        """Return features (B, fc), not negative, of normalised RGB windows.

        Raises:
            ValueError: If the windows have another shape than ``window``.
        """
        if tuple(x_B3LHW.shape[1:]) != self.window:
            raise ValueError(
                f"expected windows of shape (B, {', '.join(map(str, self.window))}), "
                f"got {tuple(x_B3LHW.shape)}"
            )
        x = F.max_pool3d(self._convolved(x_B3LHW, "1"), (1, 2, 2))
        x = F.max_pool3d(self._convolved(x, "2"), 2)
        x = F.max_pool3d(self._convolved(x, "3a", "3b"), 2)
        x = F.max_pool3d(self._convolved(x, "4a", "4b"), 2)
        x = F.max_pool3d(self._convolved(x, "5a", "5b"), 2, padding=(0, 1, 1))
        return self.dropout(F.relu(self.fc6(x.flatten(1))))

    def _convolved(self, x_BCLHW: Tensor, *names: str) -> Tensor:
        layers = dict(self.named_children())
        for name in names:
            x_BCLHW = _convolution(layers[f"conv{name}"], x_BCLHW)
            if f"bn{name}" in layers:
                x_BCLHW = layers[f"bn{name}"](x_BCLHW)
            x_BCLHW = F.relu(x_BCLHW, inplace=True)
        return x_BCLHW


def _convolution(layer: nn.Module, x_BCLHW: Tensor) -> Tensor:
    """Compute a convolution, in the precision of its weights on a CPU if two frames are left.

    oneDNN's bfloat16 kernel for CPUs (avx512_core_bf16) leaves parts of the weights' gradient unset at just
    this depth: old values of that memory, sometimes NaN, would be trained on.
    """
    if x_BCLHW.device.type != "cpu" or x_BCLHW.shape[2] != _DEPTH_WITHOUT_BF16:
        return layer(x_BCLHW)
    with torch.autocast("cpu", enabled=False):
        return layer(x_BCLHW.to(next(layer.parameters()).dtype))


class C3dLstm(nn.Module):
    """C3D on each window, an LSTM over the windows, classifiers on its last state.

    Args:
        width: Factor on the channels of C3D.
        fc: Units of fc6.
        hidden: Units of the LSTM.
        dropout: Probability that a unit of fc6 is dropped in training.
        batch_norm: Batch normalisation in C3D; published weights have none.
        input_px: Side of the windows' frames; published weights need 112.
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
        input_px: int = INPUT_PX,
        n_fine: int = 33,
        n_basic: int = 6,
    ) -> None:
        super().__init__()
        self.backbone = C3d(width=width, fc=fc, dropout=dropout, batch_norm=batch_norm, input_px=input_px)
        self.lstm = nn.LSTM(fc, hidden, batch_first=True)
        self.heads = Heads(hidden, n_fine=n_fine, n_basic=n_basic)

    def forward(self, windows_BN3LHW: Tensor, mask_BN: Tensor) -> StreamOutputs:
        """Predict clips; all windows pass C3D as one batch.

        Args:
            windows_BN3LHW: Normalised RGB windows in their order, float (B, N, 3, 16, input_px, input_px);
                padding is ignored.
            mask_BN: Bool (B, N), true where there is a window.

        Returns:
            Logits; the classifiers' biases for a clip without a window.

        Raises:
            ValueError: If the windows have another shape, or the mask is not bool or does not fit.
        """
        rows_VF = features_of(self.backbone, windows_BN3LHW, mask_BN)
        return StreamOutputs(*self.heads(last_state(self.lstm, rows_VF, mask_BN)))

    def of_clip(self, windows_N3LHW: Tensor) -> StreamOutputs:
        """Predict one clip of at least one window, without padding: (1, K) and (1, M)."""
        return StreamOutputs(*self.heads(self.lstm(self.backbone(windows_N3LHW)[None])[0][:, -1]))


def load_c3d(model: C3dLstm, state: Mapping[str, Tensor], *, origin: str) -> None:
    """Copy the weights of C3D up to fc6.

    Args:
        model: Model of the same widths; its LSTM and classifiers keep their values.
        state: Tensors by name (``conv1.weight``, ..., ``fc6.bias``); ``fc7.*`` and ``fc8.*`` are left out.
        origin: Origin of the weights, for messages.

    Raises:
        ManifestError: If names or shapes do not fit; then nothing changes.
    """
    load_into(model.backbone, without(state, _CLASSIFIERS), origin=origin)
