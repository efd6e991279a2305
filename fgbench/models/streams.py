"""Common parts of the streams of clip networks: outputs, classifiers, and the average over snippets.

Source: temporal segment networks (Wang et al. 2016).

Suffixes of tensors: B clips, T snippets of the longest clip, V snippets of all clips without padding,
C channels, H rows, W columns, F features, N frames, K fine classes, M upper classes.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from fgbench.models.googlenet import GoogLeNet
from fgbench.models.initialisation import Head
from fgbench.models.masking import features_of, put


class StreamOutputs(NamedTuple):
    """Outputs of a stream for clips.

    Attributes:
        fine: Logits (B, K).
        basic: Logits (B, M), or ``None`` if the stream has no outputs for the upper classes.
        weights: Weights of the frames in both attention blocks (B, 2, N), float32, or ``None`` for a stream
            without attention.
    """

    fine: Tensor
    basic: Tensor | None
    weights: Tensor | None = None

    def probabilities(self) -> Tensor:
        """Return probabilities of the fine classes, float32 (B, K)."""
        return self.fine.float().softmax(1)

    def basic_probabilities(self) -> Tensor:
        """Return probabilities of the upper classes, float32 (B, M); M is 0 without such outputs."""
        if self.basic is None:
            return self.fine.new_zeros((self.fine.shape[0], 0), dtype=torch.float32)
        return self.basic.float().softmax(1)


class Heads(nn.Module):
    """Classifiers of the fine and of the upper classes, with the same dropout before both.

    Args:
        n_features: Length of the features.
        dropout: Probability that a feature is dropped in training.
        n_fine: Fine classes.
        n_basic: Upper classes; 0 builds no outputs for them.
    """

    def __init__(self, n_features: int, *, dropout: float = 0.0, n_fine: int, n_basic: int) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.fine = Head(n_features, n_fine)
        self.basic = Head(n_features, n_basic) if n_basic else None

    def forward(self, features_BF: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return logits (B, K) and (B, M)."""
        features_BF = self.dropout(features_BF)
        return self.fine(features_BF), None if self.basic is None else self.basic(features_BF)


class SnippetStream(nn.Module):
    """GoogLeNet on every snippet of a clip; the logits of its snippets are averaged.

    The average before the softmax is the segmental consensus of temporal segment networks. On stacks
    of optical flow it is the paper's temporal stream (section IV-B), on RGB a stream of the plain two-stream
    network.

    Args:
        in_channels: 2 L for flow of L frames (the x-flow and y-flow of each), 3 for RGB.
        width: Factor on the channels of the backbone.
        dropout: Probability that a feature is dropped in training; not stated in the paper.
        n_fine: Fine classes.
        n_basic: Upper classes; 0 builds no outputs for them.
    """

    def __init__(
        self,
        in_channels: int,
        *,
        width: float = 1.0,
        dropout: float = 0.0,
        n_fine: int = 33,
        n_basic: int = 6,
    ) -> None:
        super().__init__()
        self.backbone = GoogLeNet(in_channels, width=width)
        self.heads = Heads(self.backbone.n_features, dropout=dropout, n_fine=n_fine, n_basic=n_basic)

    def forward(self, snippets_BTCHW: Tensor, mask_BT: Tensor) -> StreamOutputs:
        """Predict clips.

        Args:
            snippets_BTCHW: Normalised snippets, float (B, T, C, H, W); padding is ignored.
            mask_BT: Bool (B, T), true where there is a snippet.

        Returns:
            Mean logits, float32 or finer; 0 (all classes alike) for a clip without a snippet.

        Raises:
            ValueError: If the mask is not bool or does not fit.
        """
        fine_VK, basic_VM = self.heads(features_of(self.backbone, snippets_BTCHW, mask_BT))
        return StreamOutputs(
            _consensus(fine_VK, mask_BT), None if basic_VM is None else _consensus(basic_VM, mask_BT)
        )

    def of_clip(self, snippets_TCHW: Tensor) -> StreamOutputs:
        """Predict one clip of at least one snippet, without padding: (1, K) and (1, M)."""
        fine_TK, basic_TM = self.heads(self.backbone(snippets_TCHW))
        return StreamOutputs(
            fine_TK.float().mean(0, keepdim=True),
            None if basic_TM is None else basic_TM.float().mean(0, keepdim=True),
        )


def _consensus(logits_VK: Tensor, mask_BT: Tensor) -> Tensor:
    """Return the mean over the snippets of each clip (B, K), 0 without snippets."""
    exact = torch.promote_types(logits_VK.dtype, torch.float32)
    count_B1 = mask_BT.sum(1, keepdim=True).clamp(min=1)
    return put(logits_VK.to(exact), mask_BT).sum(1) / count_B1
