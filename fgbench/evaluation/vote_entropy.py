"""Probabilities against the shares of annotators' votes. Not stated in the paper, whose labels are hard."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

LEAST_PROBABILITY = float(np.finfo(np.float32).eps)
"""Smaller probabilities are taken for this one (1.2e-7), so that one certain error is not infinite; ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VoteEntropy:
    """Cross-entropy of predictions against votes, in nats.

    Attributes:
        n: Samples with both.
        cross: Mean of - sum over classes of share times logarithm of the probability.
        lower: Mean entropy of the shares: the cross-entropy of probabilities equal to them, its least value.
    """

    n: int
    cross: float
    lower: float


def vote_entropy(shares: Floats, probabilities: Floats) -> VoteEntropy | None:
    """Compare probabilities with shares of votes; ``None`` where no sample has both.

    Args:
        shares: (N, C) shares of the votes, each row adding up to 1; a row of NaN without votes.
        probabilities: (N, C) probabilities; a row of NaN without a prediction.

    Raises:
        ValueError: If shapes differ.
    """
    if shares.shape != probabilities.shape:
        raise ValueError(f"shares {shares.shape} and probabilities {probabilities.shape}, expected one shape")
    both = np.isfinite(shares).all(axis=1) & np.isfinite(probabilities).all(axis=1)
    if not both.any():
        return None
    cast = shares[both].astype(np.float64)
    logarithm = np.log(np.maximum(probabilities[both].astype(np.float64), LEAST_PROBABILITY))
    own = np.log(cast, out=np.zeros_like(cast), where=cast > 0)
    return VoteEntropy(
        n=int(both.sum()),
        cross=float(-(cast * logarithm).sum(axis=1).mean()),
        lower=max(0.0, float(-(cast * own).sum(axis=1).mean())),
    )
