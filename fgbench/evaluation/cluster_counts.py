"""Counts of samples per class and cluster, from which scores with their intervals follow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from fgbench.errors import DatasetError
from fgbench.evaluation import metrics

Metric = Literal["uar", "war", "macro_f1"]

Shares = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClusterCounts:
    """Samples counted per cluster and class, from which all scores follow.

    Attributes:
        names: G names of the clusters, sorted.
        right: (G, C) float64, samples that are right.
        true: (G, C) float64, samples of the class.
        guessed: (G, C) float64, samples predicted as the class.
    """

    names: tuple[str, ...]
    right: Shares
    true: Shares
    guessed: Shares

    def score(self, metric: Metric) -> float:
        """Score of all samples; NaN without samples."""
        (score,) = score_of(*(kind.sum(axis=0)[None] for kind in self._kinds()), metric=metric)
        return float(score)

    def left_out(self, metric: Metric) -> Shares:
        """Scores without one cluster each, (G,) float64; NaN where no sample remains.

        A class without remaining samples is left out of the mean, as in
        :func:`fgbench.evaluation.metrics.uar`.
        """
        return score_of(*(kind.sum(axis=0) - kind for kind in self._kinds()), metric=metric)

    def _kinds(self) -> tuple[Shares, Shares, Shares]:
        return self.right, self.true, self.guessed


def count_clusters(
    truth: npt.ArrayLike,
    predicted: npt.ArrayLike,
    *,
    clusters: Sequence[str],
    n_classes: int,
    names: Sequence[str] | None = None,
) -> ClusterCounts:
    """Count samples per cluster and class.

    Args:
        truth: (N,) indices of the true classes.
        predicted: (N,) indices of the predicted classes; ``metrics.MISSING`` for none.
        clusters: N names of clusters.
        n_classes: Number of classes.
        names: Clusters to count, including those without samples; ``None`` for those that occur.

    Raises:
        ValueError: If lengths differ, an index is out of range, or a cluster is not among ``names``.
    """
    metrics.confusion_matrix(truth, predicted, n_classes=n_classes)  # refuses indices out of range
    truth_N, predicted_N = np.asarray(truth, np.int64), np.asarray(predicted, np.int64)
    if len(clusters) != truth_N.size:
        raise ValueError(f"{len(clusters)} clusters of {truth_N.size} samples, expected one per sample")
    kept = np.unique(np.asarray(clusters if names is None else names, dtype=str))
    if strange := sorted({*clusters} - {*kept.tolist()}):
        raise ValueError(f"cluster {strange[0]!r} is not among the {kept.size} names, expected one of them")
    cluster_N = np.searchsorted(kept, np.asarray(clusters, dtype=str))

    def counted(chosen: npt.NDArray[np.bool_], classes: npt.NDArray[np.int64]) -> Shares:
        cell = cluster_N[chosen] * n_classes + classes[chosen]
        counts = np.bincount(cell, minlength=kept.size * n_classes)
        return counts.reshape(kept.size, n_classes).astype(np.float64)

    return ClusterCounts(
        names=tuple(kept.tolist()),
        right=counted(truth_N == predicted_N, truth_N),
        true=counted(np.ones(truth_N.size, bool), truth_N),
        guessed=counted(predicted_N != metrics.MISSING, predicted_N),
    )


def mean_counts(seeds: Sequence[ClusterCounts]) -> ClusterCounts:
    """Means over the seeds of one method with the same clusters."""
    n = len(seeds)
    return ClusterCounts(
        names=seeds[0].names,
        right=sum((one.right for one in seeds), np.zeros(seeds[0].right.shape)) / n,
        true=sum((one.true for one in seeds), np.zeros(seeds[0].true.shape)) / n,
        guessed=sum((one.guessed for one in seeds), np.zeros(seeds[0].guessed.shape)) / n,
    )


def check_clusters(runs: Sequence[ClusterCounts]) -> None:
    """Refuse counts that give no interval.

    Raises:
        ValueError: If runs have different clusters.
        DatasetError: If one has fewer than two clusters with samples.
    """
    if len({run.names for run in runs}) > 1:
        raise ValueError("runs of different clusters, expected the same")
    n_clusters = min(int((run.true.sum(axis=1) > 0).sum()) for run in runs)
    if n_clusters < 2:
        raise DatasetError(
            f"{n_clusters} clusters, expected at least 2 for an interval", "test on more subjects or clips"
        )


def score_of(right: Shares, true: Shares, guessed: Shares, *, metric: Metric) -> Shares:
    """(n,) scores of sums of counts, (n, C) each."""
    if metric == "war":
        return metrics.ratio(right.sum(axis=1), true.sum(axis=1))
    there = true > 0
    part, whole = (2 * right, true + guessed) if metric == "macro_f1" else (right, true)
    per_class = np.divide(part, whole, out=np.zeros_like(right), where=there)
    return metrics.ratio(per_class.sum(axis=1), there.sum(axis=1))
