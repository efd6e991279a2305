"""Comparison of runs: scores with intervals, and differences to the first with paired tests.

Runs are compared on the samples that all were tested on. Intervals and tests use whole clusters
(`fgbench.evaluation.clusters`). Methods with several seeds are compared over clusters and seeds; for single
runs the trained networks are held fixed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import get_args

import numpy as np

from fgbench.errors import ConfigError, DatasetError
from fgbench.evaluation import metrics
from fgbench.evaluation.cluster_counts import ClusterCounts, Metric, mean_counts
from fgbench.evaluation.paired import Difference, McNemar, mcnemar, method_test, paired_interval
from fgbench.evaluation.permutation import Permutation, class_permutation_tests, holm
from fgbench.reports.accuracies import clustered_alike
from fgbench.reports.comparison.contenders import Contender, restricted

METRICS: tuple[Metric, ...] = get_args(Metric)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassDifference:
    """Difference of the accuracies of a class, the run minus the first.

    Attributes:
        label: The class.
        n: Number of samples.
        first: Accuracy of the first run; ``None`` without samples.
        other: Accuracy of the run.
        difference: Their difference.
        p: p-value of the permutation test, the trained networks held fixed.
        p_corrected: Corrected for the number of classes (Holm).
    """

    label: str
    n: int
    first: float | None
    other: float | None
    difference: float | None
    p: float | None
    p_corrected: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Comparison of a run with the first.

    Attributes:
        name: Name of the run.
        differences: Difference per score, the run minus the first; empty with fewer than two clusters.
        p: p-value of the difference in UAR: of the permutation test of two single runs; that of the interval,
            over clusters and seeds, where one has several seeds.
        is_over_seeds: Whether ``p`` and the intervals take other seeds into account.
        permutation: Permutation test of the difference in UAR, the trained networks held fixed.
        p_corrected: ``p`` corrected for the number of runs compared with the first (Holm).
        mcnemar: McNemar's test, the run first; ``None`` where a run has several seeds.
        classes: Differences per class.
    """

    name: str
    differences: dict[Metric, Difference]
    p: float
    is_over_seeds: bool
    permutation: Permutation
    p_corrected: float
    mcnemar: McNemar | None
    classes: tuple[ClassDifference, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Comparison:
    """Comparison of several runs.

    Attributes:
        contenders: The runs on the samples that all share, the first included.
        n_tested: Number of samples that each was tested on.
        clusters: Number of clusters of each kind, in words.
        pairs: Comparison of every other run with the first.
    """

    contenders: tuple[Contender, ...]
    n_tested: tuple[int, ...]
    clusters: str
    pairs: tuple[Pair, ...]

    @property
    def n_samples(self) -> int:
        """Number of samples that all share."""
        return len(self.contenders[0].seeds[0].sample_ids)


def compare(contenders: Sequence[Contender]) -> Comparison:
    """Compare runs on the samples that all of them were tested on.

    Args:
        contenders: At least two; the others are compared with the first.

    Raises:
        ConfigError: If there are fewer than two, or one is named twice.
        DatasetError: If they are of different data sets or classes, share no sample, or labels differ.
    """
    names = [one.name for one in contenders]
    if len(names) < 2 or len({tuple(one.folders) for one in contenders}) < len(names):
        raise ConfigError(
            f"{len(names)} runs to compare ({', '.join(names)}), expected at least two different ones",
            "name another run; fgbench leaderboard shows all of a work folder",
        )
    shared = _shared(contenders)
    same = _alike([restricted(one, shared) for one in contenders])
    counts = [one.counts(same[0].classes) for one in same]
    tests = [method_test(other, counts[0]) for other in counts[1:]]
    pairs = tuple(
        Pair(
            name=other.name,
            differences=_differences(seed_counts, counts[0]),
            p=test.p,
            is_over_seeds=test.is_over_seeds,
            permutation=test.permutation,
            p_corrected=corrected if corrected is not None else test.p,
            mcnemar=_mcnemar(other, same[0]),
            classes=_classes(same[0].classes, mean_counts(seed_counts), mean_counts(counts[0])),
        )
        for other, seed_counts, test, corrected in zip(
            same[1:], counts[1:], tests, holm([test.p for test in tests]), strict=True
        )
    )
    return Comparison(
        contenders=tuple(same),
        n_tested=tuple(len(one.seeds[0].sample_ids) for one in contenders),
        clusters=same[0].clusters,
        pairs=pairs,
    )


def _shared(contenders: Sequence[Contender]) -> list[str]:
    """Ids of the samples that all share, sorted."""
    first = contenders[0]
    labels = dict(zip(first.seeds[0].sample_ids, first.seeds[0].labels, strict=True))
    shared = set(labels)
    for one in contenders[1:]:
        _check_alike(first, one)
        own = dict(zip(one.seeds[0].sample_ids, one.seeds[0].labels, strict=True))
        shared &= set(own)
        changed = [name for name in sorted(shared) if own[name] != labels[name]]
        if changed:
            raise DatasetError(
                f"{len(changed)} samples have other labels in {one.name} than in {first.name}, e.g. "
                f"{changed[0]}: {own[changed[0]]} and {labels[changed[0]]}; expected the same",
                "the labels have changed in between: run both again",
            )
    if not shared:
        raise DatasetError(
            f"{', '.join(one.name for one in contenders)} have no test sample in common, expected the same",
            "compare images with images and clips with clips, of one data set",
        )
    return sorted(shared)


def _check_alike(first: Contender, one: Contender) -> None:
    for what, mine, other in (
        ("data set", first.details["dataset"], one.details["dataset"]),
        ("classes", sorted(first.classes), sorted(one.classes)),
    ):
        if mine != other:
            values = "" if what == "classes" else f" ({mine} and {other})"
            raise DatasetError(
                f"{first.name} and {one.name} have different {what}{values}, expected the same",
                "compare runs on the same data with the same classes",
            )


def _alike(contenders: Sequence[Contender]) -> list[Contender]:
    """Contenders with the same clusters."""
    seeds = clustered_alike([run for one in contenders for run in one.seeds])
    aligned = []
    for one in contenders:
        aligned.append(replace(one, seeds=tuple(seeds[: len(one.seeds)])))
        seeds = seeds[len(one.seeds) :]
    return aligned


def _differences(other: Sequence[ClusterCounts], first: Sequence[ClusterCounts]) -> dict[Metric, Difference]:
    if len(first[0].names) < 2:
        return {}
    return {metric: paired_interval(other, first, metric=metric) for metric in METRICS}


def _mcnemar(other: Contender, first: Contender) -> McNemar | None:
    if len(other.seeds) > 1 or len(first.seeds) > 1:
        return None
    right = [
        np.array(
            [predicted == label for predicted, label in zip(run.predicted, run.labels, strict=True)], bool
        )
        for run in (other.seeds[0], first.seeds[0])
    ]
    return mcnemar(*right, clusters=first.seeds[0].clusters())


def _classes(
    classes: Sequence[str], other: ClusterCounts, first: ClusterCounts
) -> tuple[ClassDifference, ...]:
    tests = class_permutation_tests(other, first)
    corrected = holm([None if test is None else test.p for test in tests])
    n = first.true.sum(axis=0)
    differences = []
    for column, (label, test) in enumerate(zip(classes, tests, strict=True)):
        recalls = [
            float(counts.right[:, column].sum() / n[column]) if n[column] else None
            for counts in (first, other)
        ]
        differences.append(
            ClassDifference(
                label=label,
                n=round(float(n[column])),
                first=recalls[0],
                other=recalls[1],
                difference=None if test is None else test.statistic,
                p=None if test is None else test.p,
                p_corrected=corrected[column],
            )
        )
    return tuple(differences)


def chance(one: Contender) -> float:
    """UAR of guessing: one over the number of classes with samples."""
    n_classes = metrics.scores(one.seeds[0].confusion(), one.classes).n_classes
    return 1 / n_classes
