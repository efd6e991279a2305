"""Clips of different lengths in one batch: their steps as rows without padding, and back.

Networks compute on these rows only, so that padding costs nothing, enters no statistics of batch
normalisation, and may hold anything, even NaN.

Suffixes of tensors: B clips, N steps of the longest clip, V steps of all clips without padding, F features.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from fgbench.models.shared_norm import is_shared


def check_mask(steps_BN: Tensor, mask_BN: Tensor) -> None:
    """Refuse a mask that is not bool or does not fit steps (B, N, ...).

    Raises:
        ValueError: If it is such a mask.
    """
    if mask_BN.dtype != torch.bool or steps_BN.shape[:2] != mask_BN.shape:
        raise ValueError(
            f"expected a bool mask of shape {tuple(steps_BN.shape[:2])}, "
            f"got {mask_BN.dtype} of shape {tuple(mask_BN.shape)}"
        )


def take(steps_BN: Tensor, mask_BN: Tensor) -> Tensor:
    """Return the existing steps, clip after clip.

    Args:
        steps_BN: (B, N, ...) of any type; frames, snippets, windows or their features.
        mask_BN: Bool (B, N), true where there is a step.

    Returns:
        (V, ...): the steps, copied.

    Raises:
        ValueError: If the mask is not bool or does not fit.
    """
    check_mask(steps_BN, mask_BN)
    return steps_BN[mask_BN]


def features_of(backbone: nn.Module, steps_BN: Tensor, mask_BN: Tensor) -> Tensor:
    """Compute a backbone's features of the existing steps, all in one batch.

    Args:
        backbone: Returns ``backbone.n_features`` features.
        steps_BN: (B, N, ...).
        mask_BN: Bool (B, N), true where there is a step.

    Returns:
        (V, n_features). Without a step, the gradients of the backbone are 0.

    Raises:
        ValueError: If the mask is not bool or does not fit.
    """
    rows_V = take(steps_BN, mask_BN)
    if not rows_V.shape[0] and not is_shared(backbone):  # batch normalisation knows no empty batch
        # In several processes, each has to give a gradient of every parameter in each step.
        return rows_V.new_zeros((0, backbone.n_features)) + zero_of(backbone)
    return backbone(rows_V)


def zero_of(module: nn.Module) -> Tensor:
    """Return a scalar 0 that depends on all parameters that train, so that their gradients are 0."""
    first = [value.flatten()[:1].sum() for value in module.parameters() if value.requires_grad]
    return 0.0 * torch.stack(first).sum() if first else torch.zeros(())


def put(rows_VF: Tensor, mask_BN: Tensor) -> Tensor:
    """Invert :func:`take`: return (B, N, F) with the rows where the mask is true, and 0 elsewhere."""
    steps_BNF = rows_VF.new_zeros((*mask_BN.shape, *rows_VF.shape[1:]))
    steps_BNF[mask_BN] = rows_VF
    return steps_BNF


def last_state(lstm: nn.LSTM, rows_VF: Tensor, mask_BN: Tensor) -> Tensor:
    """Return the output of an LSTM after the last step of each clip.

    The steps are moved to the front first, so that padding may be anywhere and is never stepped over.

    Args:
        lstm: In one direction, with ``batch_first``.
        rows_VF: Steps without padding, as of :func:`take`.
        mask_BN: Bool (B, N), true where there is a step.

    Returns:
        (B, hidden) of the LSTM's type; 0 for clips without a step.
    """
    length_B = mask_BN.sum(1)
    # LSTMs require at least one step; it is padding if no clip has any.
    positions = torch.arange(max(mask_BN.shape[1], 1), device=mask_BN.device)
    states_BNH, _ = lstm(put(rows_VF, positions < length_B[:, None]))
    last_B11 = (length_B - 1).clamp(min=0)[:, None, None]
    last_BH = states_BNH.gather(1, last_B11.expand(-1, 1, states_BNH.shape[2]))[:, 0]
    return last_BH.masked_fill((length_B == 0)[:, None], 0.0)
