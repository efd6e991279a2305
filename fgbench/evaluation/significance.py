"""Confidence intervals of scores by the cluster bootstrap: whole subjects or clips are drawn, not samples.

Samples of one person or one clip are alike, so that intervals from single samples are too narrow. Clusters
are drawn with replacement, as many as there are, and the score of their samples is taken; the interval lies
between percentiles of these scores (Davison and Hinkley, 1997, sections 3.8 and 5.3).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from fgbench.errors import DatasetError
from fgbench.evaluation import metrics

Metric = Literal["uar", "war"]

_DRAWN_AT_ONCE = 4_000_000
"""Numbers drawn at a time (32 MB)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A score and its confidence interval.

    Attributes:
        metric: ``"uar"`` or ``"war"``.
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
        metric: ``"uar"`` or ``"war"``.
        seed: Of the draws.
        n_resamples: Number of draws.
        level: Confidence, above 0 and below 1.

    Raises:
        ValueError: If lengths differ or a number is out of its range.
        DatasetError: If there are fewer than two clusters.
    """
    if not 0.0 < level < 1.0 or n_resamples < 1:
        raise ValueError(f"level {level} and {n_resamples} resamples, expected 0 to 1 and at least 1")
    confusion = metrics.confusion_matrix(truth, predicted, n_classes=n_classes)
    truth_n = np.asarray(truth, dtype=np.int64)
    if len(clusters) != truth_n.size:
        raise ValueError(f"{len(clusters)} clusters of {truth_n.size} samples, expected one per sample")
    names, place = np.unique(np.asarray(clusters, dtype=str), return_inverse=True)
    if names.size < 2:
        raise DatasetError(
            f"{names.size} clusters, expected at least 2 for an interval", "test on more subjects or clips"
        )
    size = names.size * n_classes
    cell = place * n_classes + truth_n
    total = np.bincount(cell, minlength=size).reshape(names.size, n_classes)
    right = np.bincount(cell[truth_n == np.asarray(predicted)], minlength=size).reshape(total.shape)
    drawn = _draw_scores(right, total, metric, n_resamples=n_resamples, generator=np.random.default_rng(seed))
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return Interval(
        metric=metric,
        estimate=metrics.uar(confusion) if metric == "uar" else metrics.war(confusion),
        low=float(low),
        high=float(high),
        level=level,
        n_clusters=int(names.size),
        n_resamples=n_resamples,
    )


def _draw_scores(
    right: npt.NDArray[np.int64],
    total: npt.NDArray[np.int64],
    metric: Metric,
    *,
    n_resamples: int,
    generator: np.random.Generator,
) -> npt.NDArray[np.float64]:
    """Score of each draw from the right and all samples per cluster and class, both (G, C)."""
    n_clusters = len(total)
    both = np.concatenate([right, total], axis=1).astype(np.float64)
    if metric == "war":
        both = np.stack([right.sum(axis=1), total.sum(axis=1)], axis=1).astype(np.float64)
    n_columns = both.shape[1] // 2
    result = np.empty(n_resamples, np.float64)
    step = max(1, _DRAWN_AT_ONCE // n_clusters)
    for begin in range(0, n_resamples, step):
        n = min(step, n_resamples - begin)
        chosen = generator.integers(n_clusters, size=(n, n_clusters))
        chosen += np.arange(n)[:, None] * n_clusters
        times = np.bincount(chosen.ravel(), minlength=n * n_clusters).reshape(n, n_clusters)
        sums = times.astype(np.float64) @ both
        found, there = sums[:, :n_columns], sums[:, n_columns:]
        recall = np.divide(found, there, out=np.zeros_like(found), where=there > 0)
        result[begin : begin + n] = recall.sum(axis=1) / (there > 0).sum(axis=1)
    return result
