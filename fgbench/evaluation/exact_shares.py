"""Shares of counts with exact intervals."""

from __future__ import annotations

import numpy as np

from fgbench.evaluation.ballots import Floats, Indices


def exact_intervals(right: Indices, n: Indices, *, level: float = 0.95) -> tuple[Floats, Floats]:
    """Ends of the exact intervals of shares (Clopper and Pearson, 1934); NaN where ``n`` is 0.

    Args:
        right: Successes.
        n: Trials, of the same shape.
        level: Confidence, above 0 and below 1.
    """
    from scipy.stats import beta

    tail = (1 - level) / 2
    with np.errstate(invalid="ignore"):
        low = np.where(right > 0, beta.ppf(tail, right, n - right + 1), 0.0)
        high = np.where(right < n, beta.ppf(1 - tail, right + 1, n - right), 1.0)
    blank = np.asarray(n) == 0
    return np.where(blank, np.nan, low), np.where(blank, np.nan, high)
