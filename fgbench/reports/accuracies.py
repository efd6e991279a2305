"""Accuracies of an experiment: pooled over folds, mean and spread over seeds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from fgbench.errors import DatasetError
from fgbench.evaluation import metrics
from fgbench.evaluation.results import Predictions
from fgbench.evaluation.significance import Interval
from fgbench.reports.experiments import Experiment
from fgbench.reports.model import Cell, Spread
from fgbench.reports.run_scores import uar_interval

_T = TypeVar("_T")

_FEW = 10  # clusters below which an interval is a rough guide only; ours


@dataclass(frozen=True, slots=True, kw_only=True)
class Accuracies:
    """Accuracies of an experiment; blank where a run is missing.

    Attributes:
        recalls: Class to accuracy; ``None`` without test samples.
        mean: Mean over the classes with test samples.
        interval: 95 % interval of the mean, over all seeds; ``None`` with fewer than two subjects or clips.
        samples: Test samples with their classes, of one seed.
        n_seeds: Number of seeds.
    """

    recalls: Mapping[str, Cell]
    mean: Cell
    interval: Interval | None
    samples: frozenset[tuple[str, str]]
    n_seeds: int


def measure(experiment: Experiment) -> Accuracies:
    """Accuracies of an experiment, from its predictions.

    Raises:
        ManifestError: If a run is damaged.
    """
    if experiment.missing:
        return Accuracies(recalls={}, mean=None, interval=None, samples=frozenset(), n_seeds=0)
    return accuracies(
        [pooled([run.predictions() for run in experiment.of_seed(seed)]) for seed in experiment.seeds]
    )


def accuracies(seeds: Sequence[Predictions]) -> Accuracies:
    """Accuracies of some predictions.

    Args:
        seeds: One per seed, at least one, with the same classes in the same order.

    Raises:
        ValueError: If classes differ.
    """
    confusions = [predictions.confusion() for predictions in seeds]
    recalls = np.stack([metrics.recalls(confusion) for confusion in confusions])
    try:
        interval = uar_interval(pooled(seeds))
    except DatasetError:
        interval = None
    return Accuracies(
        recalls={label: over_seeds(recalls[:, place]) for place, label in enumerate(seeds[0].classes)},
        mean=over_seeds([metrics.uar(confusion) for confusion in confusions]),
        interval=interval,
        samples=frozenset(zip(seeds[0].sample_ids, seeds[0].labels, strict=True)),
        n_seeds=len(seeds),
    )


def few_notes(measured: Iterable[Accuracies]) -> list[str]:
    """A sentence where an interval is of few clusters."""
    few = min((ours.interval.n_clusters for ours in measured if ours.interval is not None), default=_FEW)
    if few >= _FEW:
        return []
    return [f"An interval of {few} clusters is a rough guide: it tends to be too narrow."]


def pooled(parts: Sequence[Predictions]) -> Predictions:
    """Predictions one after another: of folds, or of seeds, where samples are there once per seed.

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
        labels=_joined([part.labels for part in parts]),
        predicted=_joined([part.predicted for part in parts]),
        probabilities=np.concatenate([part.probabilities for part in parts]),
    )


def over_seeds(values: Sequence[float] | npt.NDArray[np.float64]) -> Cell:
    """One value as it is, several as mean and standard deviation; ``None`` if one is not defined (NaN)."""
    array = np.asarray(values, np.float64)
    if np.isnan(array).any():
        return None
    if array.size == 1:
        return float(array[0])
    return Spread(float(array.mean()), float(array.std(ddof=1)))


def _joined(parts: Sequence[Sequence[_T]]) -> tuple[_T, ...]:
    return tuple(chain.from_iterable(parts))
