"""Accuracies of an experiment: pooled over folds, mean and spread over seeds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from fgbench.errors import DatasetError
from fgbench.evaluation import metrics
from fgbench.evaluation.cluster_counts import ClusterCounts, count_clusters
from fgbench.evaluation.clusters import LEAST, few_clusters_notes
from fgbench.evaluation.significance import Interval, seeds_interval
from fgbench.reports.experiment import Experiment
from fgbench.reports.rendering.table import Cell, Spread
from fgbench.runs.breakdown import subset
from fgbench.runs.predictions import Predictions

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Accuracies:
    """Accuracies of an experiment; blank where a run is missing.

    Attributes:
        recalls: Class to accuracy; ``None`` without test samples.
        mean: Mean over the classes with test samples.
        interval: 95 % interval of the mean, over clusters and seeds; ``None`` with fewer than five clusters.
        counts: Samples per cluster and class of each seed, the classes sorted by name.
        samples: Test samples of one seed, each with its class.
        n_seeds: Number of seeds.
    """

    recalls: Mapping[str, Cell]
    mean: Cell
    interval: Interval | None
    counts: tuple[ClusterCounts, ...]
    samples: frozenset[tuple[str, str]]
    n_seeds: int


def measure(experiment: Experiment) -> Accuracies:
    """Accuracies of an experiment, from its predictions.

    Raises:
        ManifestError: If a run is damaged.
    """
    if not experiment.is_whole:
        return Accuracies(recalls={}, mean=None, interval=None, counts=(), samples=frozenset(), n_seeds=0)
    return accuracies(
        [pooled([run.predictions() for run in experiment.of_seed(seed)]) for seed in experiment.seeds]
    )


def accuracies(seeds: Sequence[Predictions]) -> Accuracies:
    """Accuracies of some predictions.

    Args:
        seeds: Predictions of each seed, at least one, with the same classes in the same order.

    Raises:
        ValueError: If classes differ.
    """
    confusions = [predictions.confusion() for predictions in seeds]
    recalls = np.stack([metrics.recalls(confusion) for confusion in confusions])
    counts = seed_counts(seeds, classes=sorted(seeds[0].classes))
    try:
        interval = seeds_interval(counts, metric="uar") if len(counts[0].names) >= LEAST else None
    except DatasetError:
        interval = None
    return Accuracies(
        recalls={label: over_seeds(recalls[:, column]) for column, label in enumerate(seeds[0].classes)},
        mean=over_seeds([metrics.uar(confusion) for confusion in confusions]),
        interval=interval,
        counts=counts,
        samples=frozenset(zip(seeds[0].sample_ids, seeds[0].labels, strict=True)),
        n_seeds=len(seeds),
    )


def chance_notes(measured: Iterable[Accuracies]) -> list[str]:
    """A sentence on the mean accuracy of guessing: one over the number of classes with test samples."""
    counts = {sum(value is not None for value in ours.recalls.values()) for ours in measured} - {0}
    chances = " or ".join(f"{1 / n:.3f}" for n in sorted(counts, reverse=True))
    return [f"Chance, one over the number of classes with test samples, is {chances}."] if chances else []


def few_notes(measured: Iterable[Accuracies]) -> list[str]:
    """Sentence on intervals of few clusters, or on their absence."""
    counts = [len(ours.counts[0].names) for ours in measured if ours.n_seeds]
    return few_clusters_notes(min(counts)) if counts else []


def seed_counts(seeds: Sequence[Predictions], *, classes: Sequence[str]) -> tuple[ClusterCounts, ...]:
    """Samples per cluster and class of each seed, over the same clusters.

    Args:
        seeds: Predictions of each seed.
        classes: The classes, in the wanted order.

    Raises:
        ValueError: If a seed has other classes.
    """
    if len({frozenset(predictions.sample_ids) for predictions in seeds}) == 1:
        seeds = clustered_alike([ordered_by_sample(predictions) for predictions in seeds])
    names = sorted({name for predictions in seeds for name in predictions.clusters()})
    clustered = []
    for predictions in seeds:
        if sorted(predictions.classes) != sorted(classes):
            raise ValueError(f"predictions of {len(predictions.classes)} classes, expected the same ones")
        truth, guessed = predictions.numbers()
        counts = count_clusters(
            truth, guessed, clusters=predictions.clusters(), n_classes=len(classes), names=names
        )
        columns = [predictions.classes.index(label) for label in classes]
        clustered.append(
            ClusterCounts(
                names=counts.names,
                right=counts.right[:, columns],
                true=counts.true[:, columns],
                guessed=counts.guessed[:, columns],
            )
        )
    return tuple(clustered)


def pooled(parts: Sequence[Predictions]) -> Predictions:
    """Predictions of several folds, or of several seeds (which repeat samples), one after another.

    Args:
        parts: At least one, with the same classes in the same order.

    Raises:
        ValueError: If classes differ.
    """
    if len({part.classes for part in parts}) != 1:
        raise ValueError("predictions of different classes, expected the same in the same order")
    return Predictions(
        classes=parts[0].classes,
        sample_ids=_joined([part.sample_ids for part in parts]),
        clip_ids=_joined([part.clip_ids for part in parts]),
        subject_ids=_joined([part.subject_ids for part in parts]),
        source_ids=_joined([part.source_ids for part in parts]),
        labels=_joined([part.labels for part in parts]),
        predicted=_joined([part.predicted for part in parts]),
        probabilities=np.concatenate([part.probabilities for part in parts]),
    )


def clustered_alike(runs: Sequence[Predictions]) -> list[Predictions]:
    """Predictions of the same samples in the same order, with the same clusters.

    Subject and source of each sample are those of the first run that has them.
    """
    if not runs:
        return []
    subjects = _first_values([run.subject_ids for run in runs])
    sources = _first_values([run.source_ids for run in runs])
    clips = runs[0].clip_ids
    return [replace(run, subject_ids=subjects, source_ids=sources, clip_ids=clips) for run in runs]


def over_seeds(values: Sequence[float | None] | npt.NDArray[np.float64]) -> Cell:
    """One value as it is, several as mean and standard deviation; ``None`` if one is ``None`` or NaN."""
    array = np.asarray(values, np.float64)
    if np.isnan(array).any():
        return None
    if array.size == 1:
        return float(array[0])
    return Spread(float(array.mean()), float(array.std(ddof=1)))


def ordered_by_sample(predictions: Predictions) -> Predictions:
    """Predictions in the order of their sample ids."""
    order = np.argsort(np.array(predictions.sample_ids, dtype=str), kind="stable")
    return subset(predictions, order.tolist())


def _first_values(columns: Sequence[Sequence[str | None]]) -> list[str | None]:
    """First value of each row that is not ``None``."""
    return [next((value for value in row if value is not None), None) for row in zip(*columns, strict=True)]


def _joined(parts: Sequence[Sequence[_T]]) -> tuple[_T, ...]:
    return tuple(chain.from_iterable(parts))
