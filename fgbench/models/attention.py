"""Attention over the frames of a clip: two cascaded blocks (paper section IV-B, equations 3 to 5).

Source: neural aggregation network (Yang et al. 2017), whose blocks the paper takes over.

Suffixes of tensors: B clips, N frames of the longest clip, F features.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from fgbench.models.masking import check_mask


class Attended(NamedTuple):
    """Clips' features of both blocks, and the weights of the frames in them.

    Weights are not negative, sum to 1 over the frames of a clip, and are exactly 0 for padding. All are
    float32 (float64 if the features are).

    Attributes:
        first: r0 (B, F), made with the first block's kernel.
        second: r1 (B, F), which classifiers take.
        first_weights: (B, N).
        second_weights: (B, N).
    """

    first: Tensor
    second: Tensor
    first_weights: Tensor
    second_weights: Tensor


class Transfer(nn.Linear):
    """Computes the second block's kernel from the first block's result (W and b of equation 5).

    Its weights start near zero, so that the second block too starts near the mean; not stated in the paper.
    """


class CascadedAttention(nn.Module):
    """Two attention blocks: r0 by a learnt kernel q0, then r1 by the kernel q1 = tanh(W r0 + b).

    Args:
        n_features: Length F of a frame's features (paper section IV-B: 256).

    Attributes:
        q0: Kernel of the first block (F,). It starts at 0, where every frame has the same weight.
        transfer: W and b.
    """

    def __init__(self, n_features: int) -> None:
        super().__init__()
        self.q0 = nn.Parameter(torch.zeros(n_features))
        self.transfer = Transfer(n_features, n_features)

    def forward(self, features_BNF: Tensor, mask_BN: Tensor) -> Attended:
        """Aggregate the frames of each clip; their order does not matter.

        Computed in float32 also under autocast.

        Args:
            features_BNF: Features of frames, float (B, N, F); padding may hold anything.
            mask_BN: Bool (B, N), true where there is a frame.

        Returns:
            Features and weights; all 0 for a clip without a frame.

        Raises:
            ValueError: If the mask is not bool or does not fit.
        """
        check_mask(features_BNF, mask_BN)
        with torch.autocast(features_BNF.device.type, enabled=False):
            exact = torch.promote_types(features_BNF.dtype, torch.float32)
            frames_BNF = features_BNF.to(exact).masked_fill(~mask_BN[..., None], 0.0)
            q0_BF = self.q0.to(exact).expand(frames_BNF.shape[0], -1)
            first_BF, first_weights_BN = _block(frames_BNF, mask_BN, q0_BF)
            q1_BF = torch.tanh(
                F.linear(first_BF, self.transfer.weight.to(exact), self.transfer.bias.to(exact))
            )
            second_BF, second_weights_BN = _block(frames_BNF, mask_BN, q1_BF)
        return Attended(first_BF, second_BF, first_weights_BN, second_weights_BN)


def _block(frames_BNF: Tensor, mask_BN: Tensor, kernel_BF: Tensor) -> tuple[Tensor, Tensor]:
    """Compute one block: r = sum of a_k f_k with a = softmax of e_k = q . f_k (equations 3 and 4), and a."""
    scores_BN = torch.bmm(frames_BNF, kernel_BF[:, :, None])[..., 0]
    # The lowest number instead of minus infinity: a clip without a frame would become NaN.
    lowest = torch.finfo(scores_BN.dtype).min
    weights_BN = scores_BN.masked_fill(~mask_BN, lowest).softmax(1).masked_fill(~mask_BN, 0.0)
    return torch.bmm(weights_BN[:, None], frames_BNF)[:, 0], weights_BN
