"""Losses of the image models, of the action units, of ArcFace; pure functions.

Shape suffixes: B samples of a batch, S scales (whole face, zoomed regions), K fine classes, M upper classes,
A action units. All are computed in float32, also where the network runs in bfloat16.
"""

from __future__ import annotations

import math
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional

from fgbench.config import ImageLossConfig
from fgbench.errors import ConfigError

SOFTMAX = "softmax"
"""Turn of the softmax losses."""

RANK = "rank"
"""Turn of the ranking loss."""

ALL = "all"
"""The only turn if the losses are added."""


class ScaleOutputs(Protocol):
    """Outputs of an image model: logits of every scale."""

    @property
    def fine(self) -> Tensor:
        """Logits (B, S, K) of the fine classes."""

    @property
    def basic(self) -> Tensor | None:
        """Logits (B, S, M) of the upper classes, if the model has them."""


class Shares(Protocol):
    """Shares of the votes on the samples of a batch; each row sums to 1."""

    @property
    def fine(self) -> Tensor:
        """Shares (B, K) float32 of the fine classes."""

    @property
    def basic(self) -> Tensor:
        """Shares (B, M) float32 of the upper classes."""


def softmax_losses(logits_BSK: Tensor, target_B: Tensor) -> Tensor:
    """Compute the cross entropy, mean over samples, summed over scales (paper section IV-A).

    Args:
        logits_BSK: Logits, any float type.
        target_B: int64 class numbers in [0, K), or float32 shares (B, K) of the classes, which sum to 1.

    Returns:
        A float32 scalar.
    """
    samples, scales = logits_BSK.shape[:2]
    targets = target_B.repeat_interleave(scales, dim=0)
    return functional.cross_entropy(logits_BSK.flatten(0, 1).float(), targets, reduction="sum") / samples


def ranking_loss(
    probabilities_BSK: Tensor, target_B: Tensor, *, margin: float, stop_gradient: bool
) -> Tensor:
    """Compute the hinge loss by which finer scales become surer of the true class than coarser ones (eq. 1).

    ``max(0, p1 - p2 + margin)`` on softmax probabilities of the true class, mean over samples, summed over
    pairs of neighbouring scales.

    Args:
        probabilities_BSK: Softmax probabilities (not logits), coarse scale first.
        target_B: int64 class numbers in [0, K).
        margin: Not stated in the paper; RA-CNN has 0.05.
        stop_gradient: Whether the coarser scale of each pair gets no gradient, so that it is not pushed
            down to lower the loss. Not stated in the paper.

    Returns:
        A float32 scalar.

    Raises:
        ConfigError: If there is one scale only.
    """
    if probabilities_BSK.shape[1] < 2:
        raise ConfigError(
            f"the ranking loss compares scales, but the network has {probabilities_BSK.shape[1]}",
            "set network.zooms to 1 or more, or losses.rank to 0",
        )
    true_BS = _of_the_true_class(probabilities_BSK, target_B)
    coarse, fine = true_BS[:, :-1], true_BS[:, 1:]
    if stop_gradient:
        coarse = coarse.detach()
    return (coarse - fine + margin).clamp_min(0.0).sum(1).mean()


def margin_met(probabilities_BSK: Tensor, target_B: Tensor, *, margin: float) -> Tensor:
    """Compute the share of samples whose finer scale is surer of the true class by the margin.

    The aim of the ranking loss (``p2 >= p1 + margin``), mean over samples and pairs of neighbouring scales.

    Args:
        probabilities_BSK: Softmax probabilities, coarse scale first; at least two scales.
        target_B: int64 class numbers in [0, K).
        margin: Margin of the ranking loss.

    Returns:
        A float32 scalar in [0, 1], without gradient.
    """
    true_BS = _of_the_true_class(probabilities_BSK.detach(), target_B)
    return (true_BS[:, 1:] >= true_BS[:, :-1] + margin).float().mean()


def _of_the_true_class(probabilities_BSK: Tensor, target_B: Tensor) -> Tensor:
    classes_BS1 = target_B[:, None, None].expand(-1, probabilities_BSK.shape[1], 1)
    return probabilities_BSK.float().gather(2, classes_BS1).squeeze(2)


def masked_au_loss(logits_BA: Tensor, labels_BA: Tensor) -> Tensor:
    """Compute the binary cross entropy of labelled action units (paper eq. 2; its Y hat is the sigmoid).

    Args:
        logits_BA: Logits, any float type.
        labels_BA: 1 active, -1 inactive, 0 not labelled; any number type. An unlabelled unit adds nothing
            to the loss and gets a gradient of exactly 0, whatever its logit is.

    Returns:
        A float32 scalar: the sum over units and samples, divided by the number of samples.
    """
    labelled = labels_BA != 0
    signed = logits_BA.float().masked_fill(~labelled, 0.0) * labels_BA.float()
    return -(functional.logsigmoid(signed) * labelled).sum() / logits_BA.shape[0]


def turns_of(config: ImageLossConfig) -> tuple[str, ...]:
    """Return the losses of each turn, in order: :data:`SOFTMAX`, :data:`RANK`, or :data:`ALL` together."""
    if not config.alternate:
        return (ALL,)
    weights = {SOFTMAX: config.fine + config.basic, RANK: config.rank}
    return tuple(turn for turn, weight in weights.items() if weight) or (ALL,)


def image_loss(
    outputs: ScaleOutputs,
    fine_B: Tensor,
    basic_B: Tensor,
    config: ImageLossConfig,
    *,
    epoch: int,
    soft: Shares | None = None,
) -> tuple[Tensor, dict[str, Tensor]]:
    """Compute the loss of an image model in an epoch (section IV-A: 0.5 each, "alternatively optimized").

    The multi-label loss over action units is not part of it: section IV-A trains the trunk on them first and
    then fixes its weights, while section V-B says that "two softmax losses and multi-label loss are
    calculated at the same time". Recipes follow section IV-A, except ``msau-joint`` (``losses.units``).

    With ``config.alternate`` even epochs (from 0) train the softmax losses and odd epochs the ranking loss
    (:data:`SOFTMAX`, :data:`RANK`); that the turns are epochs is not stated in the paper. A turn whose
    weights are all 0 is left out (:func:`turns_of`).

    Args:
        outputs: Logits of the scales.
        fine_B: int64 fine classes.
        basic_B: int64 upper classes; ignored if their weight is 0.
        config: Weights, margin, schedule.
        epoch: Number of the epoch, from 0.
        soft: Shares of the votes, for the softmax losses in place of the classes; the ranking loss compares
            probabilities of the settled class always. ``None``: the classes.

    Returns:
        The total to minimise, and every loss of a weight above 0 before weighting (``"fine"``, ``"basic"``,
        ``"rank"``), detached; the same keys in every epoch.

    Raises:
        ConfigError: If a loss has a weight but the network has no outputs for it, or no loss has a weight.
    """
    softmax: dict[str, tuple[float, Tensor]] = {}
    rank: dict[str, tuple[float, Tensor]] = {}
    if config.fine:
        target = fine_B if soft is None else soft.fine
        softmax["fine"] = config.fine, softmax_losses(outputs.fine, target)
    if config.basic:
        if outputs.basic is None:
            raise ConfigError(
                "losses.basic has a weight, but the network has no outputs for the upper classes",
                "set losses.basic to 0, or build the network with them",
            )
        target = basic_B if soft is None else soft.basic
        softmax["basic"] = config.basic, softmax_losses(outputs.basic, target)
    if config.rank:
        probabilities = outputs.fine.float().softmax(2)
        loss = ranking_loss(probabilities, fine_B, margin=config.margin, stop_gradient=config.stop_gradient)
        rank["rank"] = config.rank, loss
    if not softmax | rank:
        raise ConfigError(
            "no loss has a weight above 0", "set losses.fine, losses.basic or losses.rank, e.g. to 0.5"
        )
    turns = turns_of(config)
    terms = {SOFTMAX: softmax, RANK: rank, ALL: softmax | rank}[turns[epoch % len(turns)]]
    total = torch.stack([weight * loss for weight, loss in terms.values()]).sum()
    return total, {name: loss.detach() for name, (_, loss) in (softmax | rank).items()}


def arcface_logits(cosines_BK: Tensor, target_B: Tensor, *, scale: float, margin: float) -> Tensor:
    """Compute the logits of ArcFace, with an angular margin for the true class (Deng et al. 2019, eq. 3).

    If the angle plus the margin exceeds pi, the cosine falls linearly instead (``cos - m sin m``), as in the
    authors' code, so that it keeps falling with the angle.

    Args:
        cosines_BK: Cosines between features and class centres, in [-1, 1].
        target_B: int64 class numbers in [0, K).
        scale: Factor s of all logits.
        margin: Margin m in radians.

    Returns:
        float32 logits (B, K) for a cross entropy.
    """
    cosines_BK = cosines_BK.float()
    true_B1 = cosines_BK.gather(1, target_B[:, None])
    # The floor keeps the gradient of the root finite at an angle of 0.
    sines_B1 = (1.0 - true_B1.square()).clamp_min(1e-12).sqrt()
    shifted_B1 = true_B1 * math.cos(margin) - sines_B1 * math.sin(margin)
    fallen_B1 = true_B1 - margin * math.sin(margin)
    moved_B1 = torch.where(true_B1 > math.cos(math.pi - margin), shifted_B1, fallen_B1)
    return scale * cosines_BK.scatter(1, target_B[:, None], moved_B1)
