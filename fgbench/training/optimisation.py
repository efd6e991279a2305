"""The optimiser of a recipe, with its learning rate as a function of epoch and step."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import nn

from fgbench.config import OptimiserConfig
from fgbench.errors import ConfigError

_BASE = "base_lr"

LATER = "later"
"""Key of a parameter group that, if true, keeps parameters which need no gradient yet."""


def build_optimiser(groups: Iterable[dict[str, Any]], config: OptimiserConfig) -> torch.optim.Optimizer:
    """Build SGD, AdamW or RMSProp over groups of parameters.

    Args:
        groups: Parameter groups as in torch (``"params"``, and ``"lr"`` or ``"weight_decay"`` if they differ
            from the recipe). Parameters that need no gradient are left out, except in groups with
            :data:`LATER`: they do not change until they have one.
        config: The recipe's section.

    Raises:
        ConfigError: If nothing is left to train.
    """
    kept = []
    for group in groups:
        waits = group.get(LATER, False)
        parameters = [parameter for parameter in group["params"] if waits or parameter.requires_grad]
        if parameters:
            kept.append({**group, "params": parameters, _BASE: group.get("lr", config.learning_rate)})
    if not kept:
        raise ConfigError("no parameter of the network is to be trained", "unfreeze a part of it")
    # One kernel per step if torch has one: the loop over tensors costs as much as a small network.
    fused = all(
        parameter.is_floating_point() and parameter.device.type in ("cpu", "cuda")
        for group in kept
        for parameter in group["params"]
    )
    if config.kind == "adamw":
        return torch.optim.AdamW(kept, lr=config.learning_rate, weight_decay=config.weight_decay, fused=fused)
    if config.kind == "rmsprop":
        return torch.optim.RMSprop(
            kept, lr=config.learning_rate, momentum=config.momentum, weight_decay=config.weight_decay
        )
    return torch.optim.SGD(
        kept,
        lr=config.learning_rate,
        momentum=config.momentum,
        weight_decay=config.weight_decay,
        fused=fused,
    )


def rate_factor(config: OptimiserConfig, *, epoch: int, step: int, steps: int) -> float:
    """Return the rate of a step as a fraction of the highest. Not in the paper, whose rate is constant.

    It rises linearly over ``warmup_epochs``, whose last step has the whole rate; then it is constant, or half
    a cosine that would reach 0 one step after the last epoch.

    Args:
        config: The recipe's section.
        epoch: Number of the epoch, from 0.
        step: Number of the step in the epoch, from 0.
        steps: Steps of an epoch.
    """
    gone = epoch + step / steps
    if gone < config.warmup_epochs:
        return min(1.0, (gone + 1.0 / steps) / config.warmup_epochs)
    if config.schedule == "constant":
        return 1.0
    course = (gone - config.warmup_epochs) / (config.epochs - config.warmup_epochs)
    return 0.5 * (1.0 + math.cos(math.pi * course))


def set_rate(optimiser: torch.optim.Optimizer, factor: float) -> float:
    """Set the rate of every group to its highest one times ``factor``; return that of the first."""
    for group in optimiser.param_groups:
        group["lr"] = group[_BASE] * factor
    rate: float = optimiser.param_groups[0]["lr"]
    return rate


def gradient_norm(parameters: Iterable[nn.Parameter], *, clip_norm: float) -> torch.Tensor:
    """Compute the Euclidean norm of all gradients together, and clip them to ``clip_norm`` if it is above 0.

    Returns:
        The norm before clipping, a scalar on the device, which is not waited for.
    """
    trained = list(parameters)
    norm = nn.utils.get_total_norm([parameter.grad for parameter in trained if parameter.grad is not None])
    if clip_norm > 0:
        nn.utils.clip_grads_with_norm_(trained, clip_norm, norm)
    return norm
