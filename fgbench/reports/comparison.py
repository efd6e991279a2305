"""Runs side by side: scores with intervals, and differences to the first with paired tests.

Only samples that all runs were tested on compare. Intervals and permutation tests go by whole subjects, or
clips where a subject is not known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np

from fgbench.errors import ConfigError, DatasetError
from fgbench.evaluation import metrics
from fgbench.evaluation.paired import (
    Difference,
    McNemar,
    Permutation,
    class_permutation_tests,
    holm,
    mcnemar,
    paired_bootstrap,
    permutation_test,
)
from fgbench.evaluation.significance import ClusterCounts, Metric
from fgbench.reports.contenders import Contender, restricted

METRICS: tuple[Metric, ...] = get_args(Metric)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassDifference:
    """Difference of the accuracies of a class, the run minus the first.

    Attributes:
        label: The class.
        n: Samples.
        first: Accuracy of the first run; ``None`` without samples.
        other: Accuracy of the run.
        difference: Their difference.
        p: p-value of the permutation test.
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
    """A run against the first.

    Attributes:
        name: Name of the run.
        differences: Per score, the run minus the first; none with fewer than two clusters.
        permutation: Permutation test of the difference in UAR.
        p_corrected: Its p-value, corrected for the number of runs compared with the first (Holm).
        mcnemar: McNemar's test, the run first; ``None`` where a run has several seeds.
        classes: Per class.
    """

    name: str
    differences: dict[Metric, Difference]
    permutation: Permutation
    p_corrected: float
    mcnemar: McNemar | None
    classes: tuple[ClassDifference, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Comparison:
    """Runs compared.

    Attributes:
        contenders: The runs on the samples that all share, the first among them.
        n_tested: Samples that each was tested on.
        clusters: What is drawn and swapped: ``"subjects"`` or ``"clips"``.
        pairs: Every run but the first against the first.
    """

    contenders: tuple[Contender, ...]
    n_tested: tuple[int, ...]
    clusters: str
    pairs: tuple[Pair, ...]

    @property
    def n_samples(self) -> int:
        """Samples that all share."""
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
    same = [restricted(one, shared) for one in contenders]
    by_clip = not all(one.seeds[0].is_by_subject() for one in same)
    counts = [_in_order(one, same[0].classes, by_clip=by_clip) for one in same]
    tests = [permutation_test(other, counts[0]) for other in counts[1:]]
    pairs = tuple(
        Pair(
            name=other.name,
            differences=_differences(found, counts[0]),
            permutation=test,
            p_corrected=corrected if corrected is not None else test.p,
            mcnemar=_mcnemar(other, same[0]),
            classes=_classes(same[0].classes, found, counts[0]),
        )
        for other, found, test, corrected in zip(
            same[1:], counts[1:], tests, holm([test.p for test in tests]), strict=True
        )
    )
    return Comparison(
        contenders=tuple(same),
        n_tested=tuple(len(one.seeds[0].sample_ids) for one in contenders),
        clusters="clips" if by_clip else "subjects",
        pairs=pairs,
    )


def _shared(contenders: Sequence[Contender]) -> list[str]:
    """Samples of all, sorted."""
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
            told = "" if what == "classes" else f" ({mine} and {other})"
            raise DatasetError(
                f"{first.name} and {one.name} have different {what}{told}, expected the same",
                "compare runs on the same data with the same classes",
            )


def _in_order(one: Contender, classes: Sequence[str], *, by_clip: bool) -> ClusterCounts:
    """Counts with the classes in an order wanted."""
    found, place = one.counts(by_clip=by_clip), [one.classes.index(label) for label in classes]
    return ClusterCounts(
        names=found.names,
        right=found.right[:, place],
        true=found.true[:, place],
        guessed=found.guessed[:, place],
    )


def _differences(other: ClusterCounts, first: ClusterCounts) -> dict[Metric, Difference]:
    if len(first.names) < 2:
        return {}
    return {metric: paired_bootstrap(other, first, metric=metric) for metric in METRICS}


def _mcnemar(other: Contender, first: Contender) -> McNemar | None:
    if len(other.seeds) > 1 or len(first.seeds) > 1:
        return None
    right = [
        np.array([found == label for found, label in zip(run.predicted, run.labels, strict=True)], bool)
        for run in (other.seeds[0], first.seeds[0])
    ]
    return mcnemar(*right)


def _classes(
    classes: Sequence[str], other: ClusterCounts, first: ClusterCounts
) -> tuple[ClassDifference, ...]:
    tests = class_permutation_tests(other, first)
    corrected = holm([None if test is None else test.p for test in tests])
    n = first.true.sum(axis=0)
    found = []
    for place, (label, test) in enumerate(zip(classes, tests, strict=True)):
        recalls = [
            float(counts.right[:, place].sum() / n[place]) if n[place] else None for counts in (first, other)
        ]
        found.append(
            ClassDifference(
                label=label,
                n=round(float(n[place])),
                first=recalls[0],
                other=recalls[1],
                difference=None if test is None else test.statistic,
                p=None if test is None else test.p,
                p_corrected=corrected[place],
            )
        )
    return tuple(found)


def chance(one: Contender) -> float:
    """UAR of guessing: one over the number of classes with samples."""
    n_classes = metrics.scores(one.seeds[0].confusion(), one.classes).n_classes
    return 1 / n_classes
