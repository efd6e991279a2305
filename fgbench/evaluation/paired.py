"""Tests and intervals for the difference between two runs on the same samples.

Samples of one person or clip are alike, so that whole clusters are drawn (bootstrap) or swapped (permutation
test; Pitman, 1937). McNemar's test takes samples for independent and is there because reviewers ask for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fgbench.evaluation.significance import ClusterCounts, Metric, check_draws

EXACT_UP_TO = 16
"""Clusters that differ, up to which all 2^G ways of swapping are gone through (65,536)."""

_DRAWN_AT_ONCE = 4_000_000
"""Signs drawn at a time."""
_EQUAL = 1e-9
"""Sums that are nearer than this are equal; counts of samples give steps far larger."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Difference between the scores of two runs, the first minus the second.

    Attributes:
        metric: The score.
        estimate: Over all samples.
        low: Lower end of its interval.
        high: Upper end.
        level: Confidence.
        n_clusters: Number of clusters.
        n_resamples: Number of draws.
    """

    metric: Metric
    estimate: float
    low: float
    high: float
    level: float
    n_clusters: int
    n_resamples: int


@dataclass(frozen=True, slots=True, kw_only=True)
class McNemar:
    """McNemar's test: whether two runs are right equally often.

    Attributes:
        only_first: Samples that only the first run has right.
        only_second: Samples that only the second run has right.
        p_exact: Two-sided exact binomial p-value (McNemar, 1947).
        p_mid: Two-sided mid-p value, less conservative (Fagerland, Lydersen and Laake, 2013).
    """

    only_first: int
    only_second: int
    p_exact: float
    p_mid: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Permutation:
    """Paired permutation test over clusters.

    Attributes:
        statistic: Difference of the scores, the first minus the second.
        p: Two-sided p-value.
        n_clusters: Clusters in which the runs differ; the others take no part.
        n_permutations: Ways of swapping that were looked at.
        is_exact: Whether these are all ways.
    """

    statistic: float
    p: float
    n_clusters: int
    n_permutations: int
    is_exact: bool


def paired_bootstrap(
    first: ClusterCounts,
    second: ClusterCounts,
    *,
    metric: Metric = "uar",
    seed: int = 0,
    n_resamples: int = 10_000,
    level: float = 0.95,
) -> Difference:
    """Percentile interval of the difference of two scores; each draw takes the same clusters of both runs.

    Args:
        first: Counts of the first run.
        second: Counts of the second run, of the same clusters.
        metric: ``"uar"``, ``"war"`` or ``"macro_f1"``.
        seed: Of the draws.
        n_resamples: Number of draws.
        level: Confidence, above 0 and below 1.

    Raises:
        ValueError: If the clusters are not the same, or a number is out of its range.
        DatasetError: If there are fewer than two clusters.
    """
    _check_pair(first, second)
    check_draws(len(first.names), n_resamples=n_resamples, level=level)
    drawn = first.drawn(metric, seed=seed, n_resamples=n_resamples)
    drawn -= second.drawn(metric, seed=seed, n_resamples=n_resamples)
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return Difference(
        metric=metric,
        estimate=first.score(metric) - second.score(metric),
        low=float(low),
        high=float(high),
        level=level,
        n_clusters=len(first.names),
        n_resamples=n_resamples,
    )


def mcnemar(right_first: npt.NDArray[np.bool_], right_second: npt.NDArray[np.bool_]) -> McNemar:
    """McNemar's exact and mid-p test.

    Args:
        right_first: (N,) whether the first run is right.
        right_second: (N,) likewise of the second, in the same order.

    Raises:
        ValueError: If lengths differ.
    """
    if right_first.shape != right_second.shape:
        raise ValueError(f"{right_first.size} and {right_second.size} samples, expected the same")
    one = int((right_first & ~right_second).sum())
    other = int((right_second & ~right_first).sum())
    n, fewer = one + other, min(one, other)
    ways, below = 1, 1  # ways to choose 0, and up to 0, of n; integers are exact
    for taken in range(fewer):
        ways = ways * (n - taken) // (taken + 1)
        below += ways
    return McNemar(
        only_first=one,
        only_second=other,
        p_exact=min(1.0, 2 * below / 2**n),
        p_mid=min(1.0, (2 * below - ways) / 2**n) if n else 1.0,
    )


def permutation_test(
    first: ClusterCounts,
    second: ClusterCounts,
    *,
    metric: Metric = "uar",
    seed: int = 0,
    n_permutations: int = 10_000,
) -> Permutation:
    """Whether two runs are equally good: the predictions of whole clusters are swapped between them.

    Args:
        first: Counts of the first run.
        second: Counts of the second run, of the same samples.
        metric: ``"uar"`` or ``"war"``.
        seed: Of the draws, where there are too many ways to go through all.
        n_permutations: Number of draws.

    Raises:
        ValueError: If the samples are not the same, or for another metric.
    """
    _check_samples(first, second)
    apart, true = first.right - second.right, first.true.sum(axis=0)
    if metric == "uar":
        there = true > 0
        parts = (apart[:, there] / true[there]).sum(axis=1) / max(1, int(there.sum()))
    elif metric == "war":
        parts = apart.sum(axis=1) / max(1.0, float(true.sum()))
    else:
        raise ValueError(f"metric {metric!r}, expected 'uar' or 'war': others are no sums over clusters")
    return _swap(parts, seed=seed, n_permutations=n_permutations)


def class_permutation_tests(
    first: ClusterCounts, second: ClusterCounts, *, seed: int = 0, n_permutations: int = 10_000
) -> list[Permutation | None]:
    """As :func:`permutation_test`, for the recall of each of the C classes; ``None`` without samples."""
    _check_samples(first, second)
    apart, true = first.right - second.right, first.true.sum(axis=0)
    return [
        _swap(apart[:, place] / total, seed=seed, n_permutations=n_permutations) if total else None
        for place, total in enumerate(true)
    ]


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """p-values corrected for their number (Holm, 1979).

    If those below a level are called significant, the chance of even one false call is at most that level.

    Args:
        p_values: Of all tests; ``None`` where there is none, which does not count.
    """
    known = sorted((p, place) for place, p in enumerate(p_values) if p is not None)
    found: list[float | None] = [None] * len(p_values)
    highest = 0.0
    for rank, (p, place) in enumerate(known):
        highest = max(highest, min(1.0, (len(known) - rank) * p))
        found[place] = highest
    return found


def _swap(parts: Floats, *, seed: int, n_permutations: int) -> Permutation:
    """Test of a sum of G parts, one per cluster: swapping a cluster changes the sign of its part."""
    apart = parts[np.abs(parts) > _EQUAL]
    statistic = float(parts.sum())
    least = abs(float(apart.sum())) - _EQUAL
    is_exact = apart.size <= EXACT_UP_TO
    if is_exact:
        sums = np.zeros(1)
        for part in apart:
            sums = np.concatenate([sums + part, sums - part])
        n_looked_at = int(sums.size)
        p = float((np.abs(sums) >= least).mean())
    else:
        generator = np.random.default_rng(seed)
        n_looked_at, extreme = n_permutations, 0
        step = max(1, _DRAWN_AT_ONCE // apart.size)
        for begin in range(0, n_permutations, step):
            n = min(step, n_permutations - begin)
            signs = generator.integers(0, 2, size=(n, apart.size), dtype=np.int8)
            extreme += int((np.abs((2.0 * signs - 1.0) @ apart) >= least).sum())
        p = (extreme + 1) / (n_permutations + 1)
    return Permutation(
        statistic=statistic,
        p=p,
        n_clusters=int(apart.size),
        n_permutations=n_looked_at,
        is_exact=is_exact,
    )


def _check_pair(first: ClusterCounts, second: ClusterCounts) -> None:
    if first.names != second.names or first.true.shape != second.true.shape:
        raise ValueError("runs with different clusters or classes, expected the same")


def _check_samples(first: ClusterCounts, second: ClusterCounts) -> None:
    _check_pair(first, second)
    if not np.allclose(first.true, second.true):
        raise ValueError("runs with different samples, expected the same (one seed, or means over seeds)")
