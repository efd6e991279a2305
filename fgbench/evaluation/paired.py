"""Tests and intervals for the difference between two runs on the same samples.

Samples of one subject or clip are alike, so whole clusters are left out (intervals) or swapped between the
runs (permutation test; Pitman, 1937; also instead of McNemar's binomial test, which assumes independent
samples). For methods with several seeds, intervals and p-values cover other clusters and other seeds; for
single runs the trained networks are held fixed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fgbench.errors import DatasetError
from fgbench.evaluation.significance import ClusterCounts, Metric, check_clusters, mean_counts, uncertainty_of

EXACT_UP_TO = 16
"""Largest number of differing clusters G for which all 2^G swaps are tried (65,536)."""

_DRAWN_AT_ONCE = 4_000_000
"""Signs drawn at once."""
_EQUAL = 1e-9
"""Distance below which sums are equal; counts of samples give far larger steps."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Difference between the scores of two methods, the first minus the second.

    Attributes:
        metric: The score.
        estimate: Difference over all samples, of the means over the seeds.
        low: Lower end of its interval, at least -1.
        high: Upper end, at most 1.
        level: Confidence.
        p: Two-sided p-value of no difference that goes with the interval.
        n_clusters: Number of clusters.
        n_seeds: Seeds of each method; with one, the trained network is held fixed.
    """

    metric: Metric
    estimate: float
    low: float
    high: float
    level: float
    p: float
    n_clusters: int
    n_seeds: tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Permutation:
    """Paired permutation test over clusters.

    Attributes:
        statistic: Difference of the scores, the first minus the second.
        p: Two-sided p-value.
        n_clusters: Clusters in which the runs differ; the others have no influence.
        n_permutations: Number of swaps that were tried.
        is_exact: Whether these are all swaps.
    """

    statistic: float
    p: float
    n_clusters: int
    n_permutations: int
    is_exact: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class McNemar:
    """McNemar's test, whether two runs are right equally often, over whole clusters.

    Attributes:
        only_first: Samples that only the first run has right.
        only_second: Samples that only the second run has right.
        p: Two-sided p-value: the discordant samples of whole clusters change sides.
        n_clusters: Clusters in which one run has more right than the other; the others have no influence.
        n_permutations: Number of swaps that were tried.
        is_exact: Whether these are all swaps.
    """

    only_first: int
    only_second: int
    p: float
    n_clusters: int
    n_permutations: int
    is_exact: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodTest:
    """Test whether the UAR of two methods differs.

    Attributes:
        p: Two-sided p-value: of the permutation test of two single runs; that of the interval, over clusters
            and seeds, where a method has several seeds.
        is_over_seeds: Whether it takes other seeds into account.
        permutation: Permutation test, the trained networks held fixed.
    """

    p: float
    is_over_seeds: bool
    permutation: Permutation


def paired_interval(
    first: Sequence[ClusterCounts],
    second: Sequence[ClusterCounts],
    *,
    metric: Metric = "uar",
    level: float = 0.95,
) -> Difference:
    """Interval of the difference of two mean scores on the same clusters.

    Args:
        first: Counts of each seed of the first method.
        second: Counts of each seed of the second, of the same clusters.
        metric: ``"uar"``, ``"war"`` or ``"macro_f1"``.
        level: Confidence, above 0 and below 1.

    Raises:
        ValueError: If the clusters are not the same, or the level is out of its range.
        DatasetError: If there are fewer than two clusters.
    """
    for run in (*first, *second):
        _check_pair(first[0], run)
    check_clusters([*first, *second])
    uncertainty = uncertainty_of([(first, 1.0), (second, -1.0)], metric=metric)
    one, other = (float(np.mean([run.score(metric) for run in seeds])) for seeds in (first, second))
    low, high = uncertainty.ends(one - other, level, least=-1.0)
    return Difference(
        metric=metric,
        estimate=one - other,
        low=low,
        high=high,
        level=level,
        p=uncertainty.p_value(one - other),
        n_clusters=len(first[0].names),
        n_seeds=(len(first), len(second)),
    )


def method_test(first: Sequence[ClusterCounts], second: Sequence[ClusterCounts]) -> MethodTest:
    """Test of the difference in UAR of two methods on the same samples.

    Args:
        first: Counts of each seed of the first method.
        second: Counts of each seed of the second.

    Raises:
        ValueError: If the samples are not the same.
    """
    permutation = permutation_test(mean_counts(first), mean_counts(second))
    is_over_seeds = max(len(first), len(second)) > 1
    p = permutation.p
    if is_over_seeds:
        try:
            p = paired_interval(first, second).p
        except DatasetError:
            p = 1.0  # one cluster alone carries no information
    return MethodTest(p=p, is_over_seeds=is_over_seeds, permutation=permutation)


def mcnemar(
    right_first: npt.NDArray[np.bool_],
    right_second: npt.NDArray[np.bool_],
    *,
    clusters: Sequence[str],
    seed: int = 0,
    n_permutations: int = 10_000,
) -> McNemar:
    """Test whether two runs are right equally often, by swapping whole clusters between them.

    With every sample a cluster of its own this is the exact binomial test of McNemar (1947).

    Args:
        right_first: (N,) whether the first run is right.
        right_second: (N,) likewise of the second, in the same order.
        clusters: N names of clusters.
        seed: Seed of the draws, where there are too many swaps to try all.
        n_permutations: Number of draws.

    Raises:
        ValueError: If lengths differ.
    """
    if not right_first.shape == right_second.shape == (len(clusters),):
        raise ValueError(
            f"{right_first.size} and {right_second.size} samples, {len(clusters)} clusters, expected the same"
        )
    one, other = right_first & ~right_second, right_second & ~right_first
    names, cluster_N = np.unique(np.asarray(clusters, dtype=str), return_inverse=True)
    parts = np.bincount(
        cluster_N, weights=one.astype(np.float64) - other.astype(np.float64), minlength=names.size
    )
    swapped = _swap(parts.astype(np.float64), seed=seed, n_permutations=n_permutations)
    return McNemar(
        only_first=int(one.sum()),
        only_second=int(other.sum()),
        p=swapped.p,
        n_clusters=swapped.n_clusters,
        n_permutations=swapped.n_permutations,
        is_exact=swapped.is_exact,
    )


def permutation_test(
    first: ClusterCounts,
    second: ClusterCounts,
    *,
    metric: Metric = "uar",
    seed: int = 0,
    n_permutations: int = 10_000,
) -> Permutation:
    """Test whether two runs are equally good by swapping the predictions of whole clusters between them.

    Args:
        first: Counts of the first run.
        second: Counts of the second run, of the same samples.
        metric: ``"uar"`` or ``"war"``.
        seed: Seed of the draws, where there are too many swaps to try all.
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
    """Permutation tests of the recall of each of the C classes; ``None`` without samples."""
    _check_samples(first, second)
    apart, true = first.right - second.right, first.true.sum(axis=0)
    return [
        _swap(apart[:, column] / total, seed=seed, n_permutations=n_permutations) if total else None
        for column, total in enumerate(true)
    ]


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """p-values corrected for their number (Holm, 1979).

    If those below a level are called significant, the chance of any false one is at most that level.

    Args:
        p_values: p-values of all tests; ``None`` for tests without one, which do not count.
    """
    ordered = sorted((p, index) for index, p in enumerate(p_values) if p is not None)
    corrected: list[float | None] = [None] * len(p_values)
    highest = 0.0
    for rank, (p, index) in enumerate(ordered):
        highest = max(highest, min(1.0, (len(ordered) - rank) * p))
        corrected[index] = highest
    return corrected


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
