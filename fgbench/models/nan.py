"""Spatial stream of TMSAU-Net: attention over the features of a clip's frames (paper section IV-B).

The features are those of a frozen image model, computed once. Alone the stream is the row NAN of the
paper's Table II (section V-C); with ``normalise="l2"`` on 128 features it is the original neural aggregation
network (Yang et al. 2017).

Suffixes of tensors: B clips, N frames of the longest clip, V frames of all clips without padding, F features.
"""

from __future__ import annotations

from typing import Literal, get_args

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from fgbench.models.attention import CascadedAttention
from fgbench.models.masking import put, take
from fgbench.models.shared_norm import is_shared
from fgbench.models.streams import Heads, StreamOutputs

Normalisation = Literal["batch", "l2", "none"]
"""Normalisation of features before attention; not stated in the paper."""


class SpatialStream(nn.Module):
    """Projection and normalisation of frame features, two attention blocks, classifiers.

    Args:
        n_in: Length of a frame's features as given.
        n_features: Length of the attention's input (paper section IV-B: 256).
        projection: Whether a linear layer maps ``n_in`` to ``n_features``; not stated in the paper. The
            maximum activations (MAC) of an image model alone have 256 and need none.
        normalise: ``"batch"``: batch normalisation over the frames of all clips, without padding; ``"l2"``:
            unit length, as the original network; ``"none"``.
        dropout: Probability that one of a clip's features is dropped in training; not stated in the paper.
        n_fine: Fine classes.
        n_basic: Upper classes; 0 builds no outputs for them.

    Raises:
        ValueError: If the lengths differ without a projection, or the normalisation is unknown.
    """

    def __init__(
        self,
        n_in: int,
        *,
        n_features: int = 256,
        projection: bool = True,
        normalise: Normalisation = "batch",
        dropout: float = 0.0,
        n_fine: int = 33,
        n_basic: int = 6,
    ) -> None:
        super().__init__()
        if not projection and n_in != n_features:
            raise ValueError(
                f"frames have {n_in} features, but without a projection attention needs {n_features}; "
                "add the projection, or choose features of that length"
            )
        if normalise not in get_args(Normalisation):
            raise ValueError(
                f"unknown normalisation {normalise!r}, expected one of {', '.join(get_args(Normalisation))}"
            )
        self.normalise = normalise
        # Batch normalisation removes the mean, and a bias with it.
        self.projection = (
            nn.Linear(n_in, n_features, bias=normalise != "batch") if projection else nn.Identity()
        )
        self.norm = nn.BatchNorm1d(n_features) if normalise == "batch" else None
        self.attention = CascadedAttention(n_features)
        self.heads = Heads(n_features, dropout=dropout, n_fine=n_fine, n_basic=n_basic)

    def forward(self, features_BNF: Tensor, mask_BN: Tensor) -> StreamOutputs:
        """Predict clips from the features of their frames, in any order.

        Args:
            features_BNF: Float (B, N, n_in); padding is ignored.
            mask_BN: Bool (B, N), true where there is a frame.

        Returns:
            Logits and the weights of frames; for a clip without a frame, the classifiers' biases and 0.

        Raises:
            ValueError: If the mask is not bool or does not fit.
        """
        rows_VF = self._normalised(self.projection(take(features_BNF, mask_BN)))
        return self._attend(put(rows_VF, mask_BN), mask_BN)

    def of_clip(self, features_NF: Tensor) -> StreamOutputs:
        """Predict one clip of at least one frame, without padding: (1, K), (1, M) and (1, 2, N)."""
        rows_1NF = self._normalised(self.projection(features_NF))[None]
        return self._attend(rows_1NF, rows_1NF.new_ones(rows_1NF.shape[:2], dtype=torch.bool))

    def _attend(self, rows_BNF: Tensor, mask_BN: Tensor) -> StreamOutputs:
        attended = self.attention(rows_BNF, mask_BN)
        fine_BK, basic_BM = self.heads(attended.second)
        weights_B2N = torch.stack((attended.first_weights, attended.second_weights), 1)
        return StreamOutputs(fine_BK, basic_BM, weights_B2N)

    def _normalised(self, rows_VF: Tensor) -> Tensor:
        if self.normalise == "l2":
            return F.normalize(rows_VF.to(torch.promote_types(rows_VF.dtype, torch.float32)))
        norm = self.norm
        if norm is None:
            return rows_VF
        if norm.training and rows_VF.shape[0] < 2 and not is_shared(norm):  # one frame has no variance
            return F.batch_norm(
                rows_VF, norm.running_mean, norm.running_var, norm.weight, norm.bias, eps=norm.eps
            )
        return norm(rows_VF)
