"""Confidence intervals of scores by the cluster bootstrap: whole subjects or clips are drawn, not samples.

Samples of one person or one clip are alike, so that intervals from single samples are too narrow. Clusters
are drawn with replacement, as many as there are, and the score of their samples is taken; the interval lies
between percentiles of these scores (Davison and Hinkley, 1997, sections 3.8 and 5.3).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt

from fgbench.errors import DatasetError
from fgbench.evaluation import metrics

Metric = Literal["uar", "war", "macro_f1"]

_DRAWN_AT_ONCE = 4_000_000
"""Numbers drawn at a time (32 MB)."""

Shares = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A score and its confidence interval.

    Attributes:
        metric: ``"uar"``, ``"war"`` or ``"macro_f1"``.
        estimate: The score of all samples.
        low: Lower end.
        high: Upper end.
        level: Confidence, e.g. 0.95.
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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClusterCounts:
    """Samples counted per cluster and class; all that scores are made of.

    Attributes:
        names: G names of the clusters, sorted.
        right: (G, C) float64, samples that are right.
        true: (G, C) float64, samples of the class.
        guessed: (G, C) float64, samples taken for the class.
    """

    names: tuple[str, ...]
    right: Shares
    true: Shares
    guessed: Shares

    def score(self, metric: Metric) -> float:
        """The score of all samples; NaN without samples."""
        right, true, guessed = (kind.sum(axis=0)[None] for kind in (self.right, self.true, self.guessed))
        (found,) = _score(right, _Whole.of(true, metric), guessed, metric)
        return float(found)

    def drawn(self, metric: Metric, *, seed: int, n_resamples: int) -> Shares:
        """Scores of draws of as many clusters as there are, with replacement, (n_resamples,) float64.

        The draws depend on the seed and the number of clusters alone: two runs with the same clusters are
        drawn alike.

        Args:
            metric: Which score.
            seed: Of the draws.
            n_resamples: Number of draws.
        """
        (found,) = drawn_together([self], metric, seed=seed, n_resamples=n_resamples)
        return found


def drawn_together(
    runs: Sequence[ClusterCounts], metric: Metric, *, seed: int, n_resamples: int
) -> list[Shares]:
    """Scores of the same draws for several runs: of each what :meth:`ClusterCounts.drawn` gives, bit for bit.

    Clusters are drawn once, and what runs with the same samples share is computed once.

    Args:
        runs: Counts of the runs, of as many clusters each.
        metric: Which score.
        seed: Of the draws.
        n_resamples: Number of draws.

    Raises:
        ValueError: If the numbers of clusters differ.
    """
    if len({len(run.names) for run in runs}) > 1:
        raise ValueError("runs of different numbers of clusters, expected one number")
    found = [np.empty(n_resamples, np.float64) for _ in runs]
    begin = 0
    for times in _draws(len(runs[0].names) if runs else 1, seed=seed, n_resamples=n_resamples if runs else 0):
        rows = slice(begin, begin + len(times))
        begin = rows.stop
        whole, counted = None, None
        for run, scores in zip(runs, found, strict=True):
            if whole is None or counted is None or not np.array_equal(run.true, counted):
                whole, counted = _Whole.of(times @ run.true, metric), run.true
            guessed = times @ run.guessed if metric == "macro_f1" else None
            scores[rows] = _score(times @ run.right, whole, guessed, metric)
    return found


def _draws(n_clusters: int, *, seed: int, n_resamples: int) -> Iterator[Shares]:
    """How often each cluster is in each draw, (n, n_clusters) float64, some draws at a time."""
    generator = np.random.default_rng(seed)
    step = max(1, _DRAWN_AT_ONCE // n_clusters)
    for begin in range(0, n_resamples, step):
        n = min(step, n_resamples - begin)
        chosen = generator.integers(n_clusters, size=(n, n_clusters))
        chosen += np.arange(n)[:, None] * n_clusters
        times = np.bincount(chosen.ravel(), minlength=n * n_clusters).reshape(n, n_clusters)
        yield times.astype(np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class _Whole:
    """What scores of n draws are shares of; the same for all runs on the same samples.

    Attributes:
        true: (n, C) samples of each class.
        there: (n, C) whether there is any.
        n: (n,) of how many a score is the mean or share.
    """

    true: Shares
    there: npt.NDArray[np.bool_]
    n: npt.NDArray[Any]

    @classmethod
    def of(cls, true: Shares, metric: Metric) -> Self:
        there = true > 0
        return cls(true, there, true.sum(axis=1) if metric == "war" else there.sum(axis=1))


def count_clusters(
    truth: npt.ArrayLike, predicted: npt.ArrayLike, *, clusters: Sequence[str], n_classes: int
) -> ClusterCounts:
    """Count samples per cluster and class.

    Args:
        truth: (N,) indices of the true classes.
        predicted: (N,) indices of the predicted classes; ``metrics.MISSING`` for none.
        clusters: N names of subjects or clips.
        n_classes: Number of classes.

    Raises:
        ValueError: If lengths differ or an index is out of range.
    """
    metrics.confusion_matrix(truth, predicted, n_classes=n_classes)  # refuses what is out of range
    truth_N, predicted_N = np.asarray(truth, np.int64), np.asarray(predicted, np.int64)
    if len(clusters) != truth_N.size:
        raise ValueError(f"{len(clusters)} clusters of {truth_N.size} samples, expected one per sample")
    names, place = np.unique(np.asarray(clusters, dtype=str), return_inverse=True)

    def counted(chosen: npt.NDArray[np.bool_], classes: npt.NDArray[np.int64]) -> Shares:
        cell = place[chosen] * n_classes + classes[chosen]
        counts = np.bincount(cell, minlength=names.size * n_classes)
        return counts.reshape(names.size, n_classes).astype(np.float64)

    return ClusterCounts(
        names=tuple(names.tolist()),
        right=counted(truth_N == predicted_N, truth_N),
        true=counted(np.ones(truth_N.size, bool), truth_N),
        guessed=counted(predicted_N != metrics.MISSING, predicted_N),
    )


def cluster_bootstrap(
    truth: npt.ArrayLike,
    predicted: npt.ArrayLike,
    *,
    clusters: Sequence[str],
    n_classes: int,
    metric: Metric = "uar",
    seed: int = 0,
    n_resamples: int = 10_000,
    level: float = 0.95,
) -> Interval:
    """Percentile interval of a score.

    A class of which a draw has no sample is left out of the mean of that draw, as in
    :func:`fgbench.evaluation.metrics.uar`.

    Args:
        truth: (N,) indices of the true classes.
        predicted: (N,) indices of the predicted classes; ``metrics.MISSING`` for none.
        clusters: N names of subjects or clips.
        n_classes: Number of classes.
        metric: ``"uar"``, ``"war"`` or ``"macro_f1"``.
        seed: Of the draws.
        n_resamples: Number of draws.
        level: Confidence, above 0 and below 1.

    Raises:
        ValueError: If lengths differ or a number is out of its range.
        DatasetError: If there are fewer than two clusters.
    """
    counts = count_clusters(truth, predicted, clusters=clusters, n_classes=n_classes)
    return counts_interval(counts, metric=metric, seed=seed, n_resamples=n_resamples, level=level)


def counts_interval(
    counts: ClusterCounts, *, metric: Metric, seed: int = 0, n_resamples: int = 10_000, level: float = 0.95
) -> Interval:
    """As :func:`cluster_bootstrap`, of samples that are counted already."""
    check_draws(len(counts.names), n_resamples=n_resamples, level=level)
    drawn = counts.drawn(metric, seed=seed, n_resamples=n_resamples)
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return Interval(
        metric=metric,
        estimate=counts.score(metric),
        low=float(low),
        high=float(high),
        level=level,
        n_clusters=len(counts.names),
        n_resamples=n_resamples,
    )


def check_draws(n_clusters: int, *, n_resamples: int, level: float) -> None:
    """Refuse what gives no interval.

    Raises:
        ValueError: If the level or the number of draws is out of its range.
        DatasetError: If there are fewer than two clusters.
    """
    if not 0.0 < level < 1.0 or n_resamples < 1:
        raise ValueError(f"level {level} and {n_resamples} resamples, expected 0 to 1 and at least 1")
    if n_clusters < 2:
        raise DatasetError(
            f"{n_clusters} clusters, expected at least 2 for an interval", "test on more subjects or clips"
        )


def _score(right: Shares, whole: _Whole, guessed: Shares | None, metric: Metric) -> Shares:
    """(n,) scores of sums of counts, (n, C) each: right, and taken for the class (macro F1 alone)."""
    if metric == "war":
        return _ratio(right.sum(axis=1), whole.n)
    if metric == "macro_f1":
        assert guessed is not None
        right, wholes = 2 * right, whole.true + guessed
    else:
        wholes = whole.true
    per_class = np.divide(right, wholes, out=np.zeros_like(right), where=whole.there)
    return _ratio(per_class.sum(axis=1), whole.n)


def _ratio(part: Shares, whole: npt.NDArray[Any]) -> Shares:
    found: Shares = np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 0)
    return found
