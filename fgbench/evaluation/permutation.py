"""Permutation tests of two runs on the same samples, with the correction of Holm for several."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fgbench.evaluation.cluster_counts import ClusterCounts, Metric

EXACT_UP_TO = 16
"""Largest number of differing clusters G for which all 2^G swaps are tried (65,536)."""

_DRAWN_AT_ONCE = 4_000_000
"""Signs drawn at once."""

_EQUAL = 1e-9
"""Distance below which sums are equal; counts of samples give far larger steps."""

Floats = npt.NDArray[np.float64]


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
    check_samples(first, second)
    apart, true = first.right - second.right, first.true.sum(axis=0)
    if metric == "uar":
        there = true > 0
        parts = (apart[:, there] / true[there]).sum(axis=1) / max(1, int(there.sum()))
    elif metric == "war":
        parts = apart.sum(axis=1) / max(1.0, float(true.sum()))
    else:
        raise ValueError(f"metric {metric!r}, expected 'uar' or 'war': others are no sums over clusters")
    return swap(parts, seed=seed, n_permutations=n_permutations)


def class_permutation_tests(
    first: ClusterCounts, second: ClusterCounts, *, seed: int = 0, n_permutations: int = 10_000
) -> list[Permutation | None]:
    """Permutation tests of the recall of each of the C classes; ``None`` without samples."""
    check_samples(first, second)
    apart, true = first.right - second.right, first.true.sum(axis=0)
    return [
        swap(apart[:, column] / total, seed=seed, n_permutations=n_permutations) if total else None
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


def swap(parts: Floats, *, seed: int, n_permutations: int) -> Permutation:
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


def check_pair(first: ClusterCounts, second: ClusterCounts) -> None:
    """Refuse runs with different clusters or classes."""
    if first.names != second.names or first.true.shape != second.true.shape:
        raise ValueError("runs with different clusters or classes, expected the same")


def check_samples(first: ClusterCounts, second: ClusterCounts) -> None:
    """Refuse runs with different samples."""
    check_pair(first, second)
    if not np.allclose(first.true, second.true):
        raise ValueError("runs with different samples, expected the same (one seed, or means over seeds)")
