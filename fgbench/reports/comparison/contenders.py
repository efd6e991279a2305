"""Runs to show or compare: found by name, folds joined, seeds side by side.

Reads ``runs/<experiment>/<fold>/<seed>/`` of work folders; needs no network.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from fgbench.errors import ConfigError, DatasetError, ManifestError
from fgbench.evaluation import metrics
from fgbench.evaluation.cluster_counts import ClusterCounts, Metric
from fgbench.evaluation.clusters import LEAST, cluster_summary
from fgbench.evaluation.significance import Interval, seeds_interval
from fgbench.reports.accuracies import ordered_by_sample, over_seeds, pooled, seed_counts
from fgbench.reports.experiment import Experiment, Run
from fgbench.reports.experiments import read_experiment
from fgbench.reports.freshness import State, marked, read_present, state_of
from fgbench.reports.protocols import fairness_notes
from fgbench.reports.rendering.table import Cell
from fgbench.runs.breakdown import subset
from fgbench.runs.other_programs import outside_name
from fgbench.runs.predictions import Predictions
from fgbench.runs.results import RESULT, read_result
from fgbench.runs.unit_results import RESULT as AU_RESULT
from fgbench.taxonomy import normal_label, ontology, ontology_names
from fgbench.workfolders.layout import RUNS


@dataclass(frozen=True, kw_only=True, eq=False)
class Contender:
    """The predictions of an experiment.

    Attributes:
        name: Name for people: that of the experiment, with fold and seed for a single run.
        experiment: Its runs.
        seeds: Predictions of each seed, folds joined, ordered by sample.
    """

    name: str
    experiment: Experiment
    seeds: tuple[Predictions, ...]

    @property
    def details(self) -> Mapping[str, Any]:
        """Details of the first run."""
        return self.experiment.details

    @property
    def classes(self) -> tuple[str, ...]:
        """Classes, in the order of the probabilities."""
        return self.seeds[0].classes

    @property
    def source(self) -> Literal["image", "video"]:
        """Whether samples are images or whole clips."""
        first = self.seeds[0]
        return "video" if list(first.sample_ids) == list(first.clip_ids) else "image"

    @property
    def label_set(self) -> str:
        """Name of the label set of the classes; their number if it has none."""
        own = set(map(normal_label, self.classes))
        names = [name for name in ontology_names() if set(ontology(name).labels) == own]
        return names[0] if names else f"{len(self.classes)} classes"

    @property
    def is_from_elsewhere(self) -> bool:
        """Whether the network was trained on other data than these, or on other classes (zero-shot)."""
        transfer = self.details.get("transfer") or {}
        return "clips_trained_on" in self.details or transfer.get("kind") == "zero-shot"

    @property
    def folders(self) -> list[Path]:
        """Folders of the runs."""
        return [run.folder for run in self.experiment.runs]

    @property
    def workdir(self) -> Path:
        """Work folder of the runs."""
        return self.folders[0].parents[3]

    def over_seeds(self, measure: Callable[[Predictions], float | None]) -> Cell:
        """A measure of every seed: as it is, or mean and standard deviation; ``None`` if one is undefined."""
        return over_seeds([measure(predictions) for predictions in self.seeds])

    def score(self, metric: Metric) -> Cell:
        """A score over the seeds."""
        measure: Callable[[metrics.Counts], float] = getattr(metrics, metric)
        return over_seeds([measure(predictions.confusion()) for predictions in self.seeds])

    def counts(self, classes: Sequence[str] | None = None) -> tuple[ClusterCounts, ...]:
        """Samples per cluster and class, of each seed.

        Args:
            classes: The classes in the wanted order; ``None`` for that of the probabilities.
        """
        return seed_counts(self.seeds, classes=self.classes if classes is None else classes)

    @cached_property
    def state(self) -> State | None:
        """State of the data that the runs were made from; ``None`` without manifests to compare with."""
        return state_of(self.experiment, read_present(self.workdir))

    @property
    def marked(self) -> str:
        """Name for lists, with the state unless it is current."""
        return marked(self.name, self.state)

    @property
    def titled(self) -> str:
        """Name for tables and titles: as :attr:`marked`, and whether another program predicted."""
        return marked(outside_name(self.name, self.details), self.state)

    @property
    def fairness_notes(self) -> list[str]:
        """Sentences on test samples that could not be read, and on settings tuned on test samples."""
        return fairness_notes([(self.name, run.result) for run in self.experiment.runs])

    @property
    def clusters(self) -> str:
        """Number of clusters of each kind, in words."""
        return cluster_summary(self.seeds[0].clusters())

    def interval(self, metric: Metric) -> Interval | None:
        """95 % interval of a score, over clusters and seeds; ``None`` with fewer than five clusters."""
        if self.n_clusters < LEAST:
            return None
        try:
            return seeds_interval(self.counts(), metric=metric)
        except DatasetError:
            return None

    @property
    def n_clusters(self) -> int:
        """Number of clusters."""
        return len(set(self.seeds[0].clusters()))


def contender(experiment: Experiment, name: str = "") -> Contender:
    """Predictions of an experiment, checked to be those that its scores were computed from.

    Args:
        experiment: Its runs.
        name: Name for people; empty for the experiment's.

    Raises:
        ManifestError: If a run is missing or damaged, or seeds were tested on different samples.
    """
    if experiment.missing:
        raise ManifestError(
            f"{experiment.name} lacks the runs {', '.join(experiment.missing)} beside the finished ones",
            "finish them, or name one run, e.g. experiment/fold/seed",
        )
    seeds = tuple(
        ordered_by_sample(pooled([run.predictions() for run in experiment.of_seed(seed)]))
        for seed in experiment.seeds
    )
    if len({(*predictions.sample_ids, *predictions.labels) for predictions in seeds}) > 1:
        raise ManifestError(
            f"seeds of {experiment.name} were tested on different samples, expected the same",
            "run them again on the manifests as they are now, or name one run, e.g. experiment/fold/seed",
        )
    return Contender(name=name or experiment.name, experiment=experiment, seeds=seeds)


def find_contender(run: str, workdir: Path) -> Contender:
    """Find the run that a user means.

    Args:
        run: Name of an experiment in the work folder (all its folds and seeds), ``experiment/fold/seed``, or
            the folder of either.
        workdir: The work folder.

    Raises:
        ConfigError: If it is a run of action units.
        ManifestError: If there is none, or it is damaged.
    """
    given = Path(run)
    for path in (given, workdir / RUNS / given):
        if not path.is_dir():
            continue
        folder = path.resolve()
        if (folder / RESULT).exists() and folder.parents[2].name == RUNS:
            return contender(_single(folder), name="/".join(folder.parts[-3:]))
        if folder.parent.name == RUNS and (experiment := read_experiment(folder)) is not None:
            return contender(experiment)
        if any(folder.rglob(AU_RESULT)):
            raise ConfigError(
                f"{run} is a run of action units, expected one of expressions",
                "its numbers: fgbench report --html, and the command that made it with --full",
            )
    names = sorted({path.parts[-4] for path in (workdir / RUNS).glob(f"*/*/*/{RESULT}")})
    raise ManifestError(
        f"{run} is no finished run: neither an experiment of {workdir} nor the folder of a run",
        f"finished: {', '.join(names) or 'none; make one with e.g. fgbench baseline lbp-svm'}",
    )


def restricted(one: Contender, sample_ids: Sequence[str]) -> Contender:
    """Contender on some of its samples, in the order given."""
    row_of = {name: row for row, name in enumerate(one.seeds[0].sample_ids)}
    rows = [row_of[name] for name in sample_ids]
    seeds = tuple(subset(predictions, rows) for predictions in one.seeds)
    return Contender(name=one.name, experiment=one.experiment, seeds=seeds)


def _single(folder: Path) -> Experiment:
    """Experiment of a single run."""
    result = read_result(folder)
    run = Run(folder=folder, fold=folder.parent.name, seed=int(result["seed"]), result=result)
    method = str(result["details"].get("method", ""))
    return Experiment(name=str(result["experiment"]), method=method, runs=[run], missing=[], unfinished=[])
