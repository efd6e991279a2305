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
from fgbench.evaluation.cluster_counts import ClusterCounts, Metric, check_clusters, mean_counts
from fgbench.evaluation.permutation import Permutation, check_pair, permutation_test, swap
from fgbench.evaluation.significance import uncertainty_of


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
        check_pair(first[0], run)
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
    swapped = swap(parts.astype(np.float64), seed=seed, n_permutations=n_permutations)
    return McNemar(
        only_first=int(one.sum()),
        only_second=int(other.sum()),
        p=swapped.p,
        n_clusters=swapped.n_clusters,
        n_permutations=swapped.n_permutations,
        is_exact=swapped.is_exact,
    )
