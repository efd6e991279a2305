"""Agreement of annotators corrected for chance: Krippendorff's alpha with a bootstrap interval.

Alpha is 1 - (observed disagreement) / (disagreement expected by chance): 1 where all agree, 0 where they
agree as often as random values, below 0 where less. Any number of annotators may leave out units; a unit with
fewer than two values carries no information and is skipped (Krippendorff, Computing Krippendorff's
Alpha-Reliability, 2011). Labels are compared by the nominal difference (0 or 1), numbers by the interval
difference (their squared distance).

Intervals draw whole clusters of units, e.g. all clips of one subject, as many as there are, with replacement,
and lie between expanded percentiles. More than :data:`MOST_DRAWN` clusters are first joined at random into
groups of equal size, so that time and memory do not grow with the number of clips. The paper reports no
agreement: all of this is not stated in the paper.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fgbench.evaluation.unit_values import UnitValues, cluster_sums, comparable, of_lists

Floats = npt.NDArray[np.float64]

N_RESAMPLES = 2_000
"""Draws per interval."""
LEVEL = 0.95
"""Confidence of intervals."""
_DRAWN_AT_ONCE = 4_000_000
"""Numbers drawn at once (32 MB)."""
MOST_DRAWN = 2_000
"""Clusters that are drawn one by one; of more, as many groups of whole clusters are drawn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """Krippendorff's alpha of some units.

    Attributes:
        alpha: At most 1; ``None`` if undefined: no unit has two values, or all values are the same.
        low: Lower end of its interval; ``None`` if fewer than two clusters have comparable values.
        high: Upper end.
        n_units: Number of units with at least two values.
        n_values: Number of their values.
        n_clusters: Number of their clusters.
    """

    alpha: float | None
    low: float | None
    high: float | None
    n_units: int
    n_values: int
    n_clusters: int


def nominal_agreement(units: Sequence[Sequence[str]], *, clusters: Sequence[str], seed: int = 0) -> Agreement:
    """Agreement on labels.

    Args:
        units: Labels that annotators gave each unit.
        clusters: Cluster of each unit.
        seed: Seed of the draws.

    Raises:
        ValueError: If there are not as many clusters as units.
    """
    ((agreement, *_),) = agreements_of([LabelMeasure(units, clusters)], seed=seed)
    return agreement


def class_agreement(
    units: Sequence[Sequence[str]], *, clusters: Sequence[str], seed: int = 0
) -> dict[str, Agreement]:
    """Agreement on each label against all others together; by name.

    Args:
        units: Labels that annotators gave each unit.
        clusters: Cluster of each unit.
        seed: Seed of the draws.

    Raises:
        ValueError: If there are not as many clusters as units.
    """
    measure = LabelMeasure(units, clusters)
    ((_, *agreements),) = agreements_of([measure], seed=seed)
    return dict(zip(measure.names, agreements, strict=True))


def numeric_agreement(
    units: Sequence[Sequence[float]], *, clusters: Sequence[str], seed: int = 0
) -> Agreement:
    """Agreement on numbers.

    Args:
        units: Finite numbers that annotators gave each unit.
        clusters: Cluster of each unit.
        seed: Seed of the draws.

    Raises:
        ValueError: If there are not as many clusters as units.
    """
    ((agreement,),) = agreements_of([NumberMeasure(units, clusters)], seed=seed)
    return agreement


class LabelMeasure:
    """Labels of some units, for :func:`agreements_of`: first agreement on all labels, then on each.

    Args:
        units: Labels that annotators gave each unit.
        clusters: Cluster of each unit.

    Attributes:
        names: The labels, sorted.

    Raises:
        ValueError: If there are not as many clusters as units.
    """

    def __init__(self, units: Sequence[Sequence[str]], clusters: Sequence[str]) -> None:
        self.names = tuple(sorted({label for labels in units for label in labels}))
        number = {name: column for column, name in enumerate(self.names)}
        columns = [[number[label] for label in labels] for labels in units]
        self.sums = _label_sums(of_lists(columns, clusters, np.int64), len(self.names))

    @classmethod
    def of_values(cls, given: UnitValues, names: Sequence[str]) -> LabelMeasure:
        """Measure of labels by their indices.

        Args:
            given: Index of each label among the names.
            names: The labels, sorted; each is the label of some unit.
        """
        measure = cls.__new__(cls)
        measure.names, measure.sums = tuple(names), _label_sums(given, len(names))
        return measure

    def alphas(self, sums: Floats) -> Floats:
        """Alphas (B, 1 + C) of sums (B, 2 C)."""
        n_labels = len(self.names)
        return np.concatenate([_nominal(sums, n_labels), _against_others(sums, n_labels)], axis=1)


class NumberMeasure:
    """Numbers of some units, for :func:`agreements_of`: one agreement.

    Args:
        units: Finite numbers that annotators gave each unit.
        clusters: Cluster of each unit.

    Raises:
        ValueError: If there are not as many clusters as units.
    """

    def __init__(self, units: Sequence[Sequence[float]], clusters: Sequence[str]) -> None:
        self.sums = _number_sums(of_lists(units, clusters, np.float64))

    @classmethod
    def of_values(cls, given: UnitValues) -> NumberMeasure:
        """Measure of numbers in arrays."""
        measure = cls.__new__(cls)
        measure.sums = _number_sums(given)
        return measure

    def alphas(self, sums: Floats) -> Floats:
        """Alphas (B, 1) of sums (B, 4)."""
        return _numeric(sums)


def agreements_of(
    measures: Sequence[LabelMeasure | NumberMeasure], *, seed: int = 0
) -> list[list[Agreement]]:
    """Agreements of several measures, each as if it were alone.

    Draws follow from the seed and the number of clusters: measures of as many clusters share them, which
    takes the time of one. One core multiplies, so that the number of cores changes no digit.

    Args:
        measures: The measures.
        seed: Seed of the draws.
    """
    from threadpoolctl import threadpool_limits

    drawn: list[list[Floats]] = [[] for _ in measures]
    groups = [_joined(measure.sums.values, seed=seed) for measure in measures]
    of_size: dict[int, list[int]] = {}
    for index, sums in enumerate(groups):
        of_size.setdefault(len(sums), []).append(index)
    with threadpool_limits(1, user_api="blas"):
        for n_groups, indices in of_size.items():
            for times in _draws(n_groups, seed=seed) if n_groups > 1 else ():
                for index in indices:
                    drawn[index].append(measures[index].alphas(times @ groups[index]))
    return [_agreements(measure, parts) for measure, parts in zip(measures, drawn, strict=True)]


def _agreements(measure: LabelMeasure | NumberMeasure, drawn: Sequence[Floats]) -> list[Agreement]:
    """Agreements of a measure with the intervals of the alphas (B, A) that were drawn, in parts."""
    sums = measure.sums
    n_clusters = len(sums.values)
    alphas = measure.alphas(sums.values.sum(axis=0)[None])[0]
    low, high = np.full(alphas.shape, np.nan), np.full(alphas.shape, np.nan)
    if drawn:
        whole = np.concatenate(drawn)
        for column in np.flatnonzero(np.isfinite(whole).any(axis=0)):
            values = whole[np.isfinite(whole[:, column]), column]
            low[column], high[column] = np.quantile(values, _ends(min(n_clusters, MOST_DRAWN)))
    return [
        Agreement(
            alpha=_finite(alpha),
            low=_finite(low[column]) if np.isfinite(alpha) else None,
            high=_finite(high[column]) if np.isfinite(alpha) else None,
            n_units=sums.n_units,
            n_values=sums.n_values,
            n_clusters=n_clusters,
        )
        for column, alpha in enumerate(alphas)
    ]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Sums:
    """Sums per cluster that alpha is computed from.

    Attributes:
        values: (G, K) float64.
        n_units: Number of units with at least two values.
        n_values: Number of their values.
    """

    values: Floats
    n_units: int
    n_values: int


def _joined(values: Floats, *, seed: int) -> Floats:
    """Sums of the groups that are drawn: of each cluster, or of many joined at random."""
    if len(values) <= MOST_DRAWN:
        return values
    group = np.arange(len(values)) % MOST_DRAWN
    return cluster_sums(values, np.random.default_rng(seed).permutation(group), MOST_DRAWN)


def _ends(n_clusters: int) -> tuple[float, float]:
    """Quantiles at the ends of the interval: beyond those of its level, the more so the fewer clusters.

    Bootstrap percentiles cover too little with few clusters: their spread lacks the factor sqrt(G / (G - 1)),
    and they assume the normal distribution instead of Student's (the expanded percentiles of Hesterberg, What
    Teachers Should Know About the Bootstrap, 2015).
    """
    from scipy.stats import norm, t

    freedom = n_clusters - 1
    end = float(norm.cdf(np.sqrt(n_clusters / freedom) * t.ppf((1 + LEVEL) / 2, freedom)))
    return 1 - end, end


def _finite(number: float) -> float | None:
    return float(number) if np.isfinite(number) else None


def _draws(n_clusters: int, *, seed: int) -> Iterator[Floats]:
    """Number of times that each cluster is in each draw, (n, n_clusters) float64, some draws at a time."""
    generator = np.random.default_rng(seed)
    step = max(1, _DRAWN_AT_ONCE // n_clusters)
    for begin in range(0, N_RESAMPLES, step):
        n = min(step, N_RESAMPLES - begin)
        chosen = generator.integers(n_clusters, size=(n, n_clusters))
        chosen += np.arange(n)[:, None] * n_clusters
        times = np.bincount(chosen.ravel(), minlength=n * n_clusters).reshape(n, n_clusters)
        yield times.astype(np.float64)


def _label_sums(given: UnitValues, n_labels: int) -> _Sums:
    """Sums (G, 2 C) of C labels: values per label, then mismatches per label.

    A mismatch is a pair of this label and another in one unit of m values, with weight 1 / (m - 1).
    """
    kept = comparable(given)
    sizes, n_units = kept.sizes[:, None], len(kept.sizes)
    cells = np.bincount(kept.units * n_labels + kept.values, minlength=n_units * n_labels)
    counts = cells.reshape(n_units, n_labels).astype(np.float64)
    mismatches = counts * (sizes - counts) / np.maximum(sizes - 1, 1)
    rows = np.concatenate([counts, mismatches], axis=1)
    return _Sums(
        values=cluster_sums(rows, kept.clusters, kept.n_clusters),
        n_units=n_units,
        n_values=len(kept.values),
    )


def _nominal(sums: Floats, n_labels: int) -> Floats:
    counts, mismatches = sums[:, :n_labels], sums[:, n_labels:]
    n = counts.sum(axis=1)
    return _alpha(n, mismatches.sum(axis=1), n**2 - (counts**2).sum(axis=1))[:, None]


def _against_others(sums: Floats, n_labels: int) -> Floats:
    counts, mismatches = sums[:, :n_labels], sums[:, n_labels:]
    n = counts.sum(axis=1, keepdims=True)
    return _alpha(n, mismatches, counts * (n - counts))


def _number_sums(given: UnitValues) -> _Sums:
    """Sums (G, 4): values, their sum and sum of squares around the mean of all, observed disagreement."""
    kept = comparable(given)
    sizes, unit = kept.sizes, kept.units
    numbers = kept.values.astype(np.float64)
    numbers = numbers - (numbers.mean() if numbers.size else 0.0)  # alpha does not change, sums stay small
    means = np.bincount(unit, numbers, len(sizes)) / np.maximum(sizes, 1)
    spread = np.bincount(unit, (numbers - means[unit]) ** 2, len(sizes))
    columns = np.stack(
        [
            sizes.astype(np.float64),
            np.bincount(unit, numbers, len(sizes)),
            np.bincount(unit, numbers**2, len(sizes)),
            2 * sizes * spread / np.maximum(sizes - 1, 1),  # over ordered pairs of a unit
        ],
        axis=1,
    )
    return _Sums(
        values=cluster_sums(columns, kept.clusters, kept.n_clusters),
        n_units=len(sizes),
        n_values=len(numbers),
    )


def _numeric(sums: Floats) -> Floats:
    n, total, squares, observed = sums.T
    expected = 2 * (n * squares - total**2)  # over ordered pairs of all values
    flat = expected <= 1e-12 * np.maximum(n * squares, 1e-300)  # all the same, but for rounding
    return _alpha(n, observed, np.where(flat, 0.0, expected))[:, None]


def _alpha(n: Floats, observed: Floats, expected: Floats) -> Floats:
    """1 - (n - 1) observed / expected, over ordered pairs of values; NaN where no two values differ."""
    ratio: Floats = np.divide(
        (n - 1) * observed, expected, out=np.full(np.shape(expected), np.nan), where=expected > 0
    )
    return 1 - ratio
