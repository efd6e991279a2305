"""Confidence intervals of scores from clusters of samples: whole subjects, films or clips vary, not samples.

Samples of one subject or one clip are alike, so intervals from single samples are too narrow. The variance
due to clusters is estimated by leaving out one at a time (jackknife; Efron and Stein, 1981), that due to
training from the scores of the seeds. The interval is Student's t around the score, with the degrees of
freedom of Satterthwaite (1946). With few clusters it covers where bootstrap percentiles do not (benchmark
``coverage``). With one seed the trained network is held fixed.

If all clusters agree, e.g. everything is right, they have no spread, but other clusters may still differ: up
to the share that as many clusters would miss at the level (the exact bound of Clopper and Pearson, 1934), and
those by as much as possible.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fgbench.evaluation.cluster_counts import ClusterCounts, Metric, check_clusters, count_clusters

_ALIKE = 1e-9
"""Standard error below which it is rounding alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A score and its confidence interval.

    Attributes:
        metric: ``"uar"``, ``"war"`` or ``"macro_f1"``.
        estimate: Score of all samples, the mean over the seeds.
        low: Lower end, at least 0.
        high: Upper end, at most 1.
        level: Confidence, e.g. 0.95.
        n_clusters: Number of clusters.
        n_seeds: Number of seeds; with one, the trained network is held fixed.
    """

    metric: Metric
    estimate: float
    low: float
    high: float
    level: float
    n_clusters: int
    n_seeds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Uncertainty:
    """Uncertainty of an estimate from independent sources of variance.

    Attributes:
        variances: Variance of the estimate from each source, the clusters first.
        freedoms: Degrees of freedom of each variance.
    """

    variances: tuple[float, ...]
    freedoms: tuple[int, ...]

    @property
    def error(self) -> float:
        """Standard error of the estimate."""
        return math.sqrt(sum(self.variances))

    @property
    def is_alike(self) -> bool:
        """Whether all clusters agree."""
        return math.sqrt(self.variances[0]) < _ALIKE

    @property
    def freedom(self) -> float:
        """Degrees of freedom of the sum (Satterthwaite, 1946).

        At most those of the first source, so that a further source never makes an interval narrower.
        """
        parts = sum(
            variance**2 / freedom for variance, freedom in zip(self.variances, self.freedoms, strict=True)
        )
        return float(min(self.freedoms[0], sum(self.variances) ** 2 / parts if parts else self.freedoms[0]))

    def reach(self, level: float) -> float:
        """Half the width of the interval.

        Raises:
            ValueError: If the level is not above 0 and below 1.
        """
        from scipy.special import stdtrit

        if not 0 < level < 1:
            raise ValueError(f"level {level}, expected more than 0 and less than 1")
        return float(stdtrit(self.freedom, (1 + level) / 2)) * self.error

    def ends(self, estimate: float, level: float, *, least: float) -> tuple[float, float]:
        """Ends of the interval of an estimate that lies between ``least`` and 1.

        Raises:
            ValueError: If the level is not above 0 and below 1.
        """
        reach = self.reach(level)
        low, high = estimate - reach, estimate + reach
        if self.is_alike:
            share = 1 - (1 - level) ** (1 / (self.freedoms[0] + 1))
            low = min(low, estimate - share * (estimate - least))
            high = max(high, estimate + share * (1 - estimate))
        return max(least, low), min(1.0, high)

    def p_value(self, estimate: float) -> float:
        """Two-sided p-value of the hypothesis that the true difference, from -1 to 1, is 0."""
        p = 0.0
        if self.is_alike:
            p = float((1 + abs(estimate)) ** -(self.freedoms[0] + 1))  # where `ends` meets 0
        if self.error >= _ALIKE:
            from scipy.special import stdtr

            p = max(p, float(2 * stdtr(self.freedom, -abs(estimate) / self.error)))
        return p


def cluster_interval(
    truth: npt.ArrayLike,
    predicted: npt.ArrayLike,
    *,
    clusters: Sequence[str],
    n_classes: int,
    metric: Metric = "uar",
    level: float = 0.95,
) -> Interval:
    """Interval of a score of one run.

    Args:
        truth: (N,) indices of the true classes.
        predicted: (N,) indices of the predicted classes; ``metrics.MISSING`` for none.
        clusters: N names of clusters.
        n_classes: Number of classes.
        metric: ``"uar"``, ``"war"`` or ``"macro_f1"``.
        level: Confidence, above 0 and below 1.

    Raises:
        ValueError: If lengths differ or a number is out of its range.
        DatasetError: If there are fewer than two clusters.
    """
    counts = count_clusters(truth, predicted, clusters=clusters, n_classes=n_classes)
    return seeds_interval([counts], metric=metric, level=level)


def seeds_interval(seeds: Sequence[ClusterCounts], *, metric: Metric, level: float = 0.95) -> Interval:
    """Interval of the mean score of a method over other clusters and, if it has several seeds, other seeds.

    Args:
        seeds: Counts of each seed, of the same clusters.
        metric: ``"uar"``, ``"war"`` or ``"macro_f1"``.
        level: Confidence, above 0 and below 1.

    Raises:
        ValueError: If the clusters differ or the level is out of its range.
        DatasetError: If there are fewer than two clusters with samples.
    """
    check_clusters(seeds)
    uncertainty = uncertainty_of([(seeds, 1.0)], metric=metric)
    estimate = float(np.mean([one.score(metric) for one in seeds]))
    low, high = uncertainty.ends(estimate, level, least=0.0)
    return Interval(
        metric=metric,
        estimate=estimate,
        low=low,
        high=high,
        level=level,
        n_clusters=len(seeds[0].names),
        n_seeds=len(seeds),
    )


def uncertainty_of(
    methods: Sequence[tuple[Sequence[ClusterCounts], float]], *, metric: Metric
) -> Uncertainty:
    """Variance of a weighted sum of mean scores of methods, over clusters and over seeds.

    Over clusters: of the sum, since all methods see the same ones. Over seeds: of each method that has
    several; the trained network of another is held fixed.

    Args:
        methods: Counts of each seed, and the weight of the method; all of the same clusters.
        metric: ``"uar"``, ``"war"`` or ``"macro_f1"``.
    """
    left_out = sum(
        (weight * np.mean([one.left_out(metric) for one in seeds], axis=0) for seeds, weight in methods),
        np.zeros(len(methods[0][0][0].names)),
    )
    n = left_out.size
    variances = [(n - 1) / n * float(((left_out - left_out.mean()) ** 2).sum())]
    freedoms = [n - 1]
    for seeds, weight in methods:
        if len(seeds) > 1:
            scores = np.array([one.score(metric) for one in seeds])
            variances.append(weight**2 * float(scores.var(ddof=1)) / len(seeds))
            freedoms.append(len(seeds) - 1)
    return Uncertainty(variances=tuple(variances), freedoms=tuple(freedoms))
