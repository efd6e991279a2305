"""Finished runs of a work folder, grouped by experiment over folds and seeds.

Reads ``runs/<experiment>/<fold>/<seed>/``; which method a run is of stands in ``details["method"]``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fgbench.errors import ManifestError
from fgbench.evaluation.folds import natural_key
from fgbench.evaluation.results import RESULT, Predictions, read_result, verify
from fgbench.reports.methods import METHODS, Method
from fgbench.reports.model import data_title
from fgbench.reports.protocols import expected_folds, protocol_notes
from fgbench.taxonomy import ontology

RUNS = "runs"


class NoRunError(ManifestError):
    """Nothing has been run yet that a table or figure could show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A finished run.

    Attributes:
        folder: Its folder.
        fold: Name of the fold.
        seed: Seed.
        result: Its ``result.json``.
    """

    folder: Path
    fold: str
    seed: int
    result: Mapping[str, Any]

    def predictions(self) -> Predictions:
        """Its predictions, checked to be those that its scores were computed from.

        Raises:
            ManifestError: If they are not, or damaged.
        """
        return verify(self.folder)


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """The finished runs of an experiment.

    Attributes:
        name: Name of the experiment.
        method: Method of the paper that it is.
        runs: By seed, then by fold.
        missing: ``<fold>/<seed>`` of runs that other seeds or folds of the experiment let expect and that
            are not finished: the experiment has no scores until they are.
        unfinished: Seeds without any finished run, which are left out.
    """

    name: str
    method: str
    runs: Sequence[Run]
    missing: Sequence[str]
    unfinished: Sequence[int]

    @property
    def details(self) -> Mapping[str, Any]:
        """Details of the first run."""
        details: Mapping[str, Any] = self.runs[0].result["details"]
        return details

    @property
    def seeds(self) -> list[int]:
        """Seeds with finished runs."""
        return sorted({run.seed for run in self.runs})

    def of_seed(self, seed: int) -> list[Run]:
        """Runs of one seed, by fold."""
        return [run for run in self.runs if run.seed == seed]


def find_experiments(
    workdir: Path, methods: Collection[Method], *, but_for: Collection[str] | None = None
) -> list[Experiment]:
    """Experiments of some methods with finished runs on the 33 classes, by method, then by name.

    Args:
        workdir: Work folder.
        methods: The methods wanted, in the order wanted.
        but_for: Experiments of all other methods but these follow, by name; ``None`` takes no other.

    Raises:
        ManifestError: If a run is damaged, or runs of one experiment are of several methods.
        NoRunError: If there are none.
    """
    wanted = [method.name for method in methods]
    folders = sorted((workdir / RUNS).glob("*"))
    there = [experiment for folder in folders if (experiment := _experiment(folder)) is not None]
    found = [experiment for experiment in there if experiment.method in wanted]
    further = [] if but_for is None else [one for one in there if one.method not in {*wanted, *but_for}]
    if not found:
        remedies = dict.fromkeys(method.command for method in methods)
        raise NoRunError(
            f"no finished run of {', '.join(wanted)} with the 33 classes in {workdir / RUNS}",
            f"run one of: {'; '.join(remedies)} (with --workdir {workdir})",
        )
    found.sort(key=lambda experiment: (wanted.index(experiment.method), experiment.name))
    return found + further


def find_benchmarks(workdir: Path) -> list[Experiment]:
    """Experiments with finished runs on other classes than the 33, whatever their method, by name.

    Args:
        workdir: Work folder.

    Raises:
        ManifestError: If a run is damaged, or runs of one experiment are of several methods.
    """
    folders = sorted((workdir / RUNS).glob("*"))
    found = [experiment for folder in folders if (experiment := read_experiment(folder)) is not None]
    leaves = set(ontology("fg33").labels)
    return [experiment for experiment in found if set(experiment.runs[0].result["classes"]) != leaves]


def shown_names(experiments: Sequence[Experiment]) -> list[str]:
    """Name of each experiment in a table: its method, and its own name where several are of that method."""
    methods = [experiment.method for experiment in experiments]
    return [
        f"{experiment.method}, {experiment.name}"
        if methods.count(experiment.method) > 1
        else experiment.method
        for experiment in experiments
    ]


def title_of(title: str, experiments: Sequence[Experiment]) -> str:
    """Title with the data set of the runs."""
    names = dict.fromkeys(str(experiment.details["dataset"]) for experiment in experiments)
    synthetic = any(experiment.details["synthetic"] for experiment in experiments)
    return data_title(title, ", ".join(names), synthetic=synthetic)


def run_notes(workdir: Path, experiments: Sequence[Experiment]) -> list[str]:
    """Sentences that name the runs that numbers come from, and those that are missing."""
    sources: dict[str, list[str]] = {}
    gaps = []
    for name, experiment in zip(shown_names(experiments), experiments, strict=True):
        folders = [run.folder.relative_to(workdir).as_posix() for run in experiment.runs]
        if experiment.missing:
            lost = ", ".join(f"{RUNS}/{experiment.name}/{gap}" for gap in experiment.missing)
            gaps.append(f"{name}: blank, since {lost} is missing beside {', '.join(folders)}; finish it.")
        else:
            sources.setdefault(experiment.method, []).extend(folders)
        if experiment.unfinished:
            seeds = ", ".join(map(str, experiment.unfinished))
            gaps.append(f"{name}: seed {seeds} is not finished and left out.")
    protocols = [note for experiment in experiments for note in protocol_notes(experiment.details)]
    origins = [f"{method}: from {', '.join(folders)}." for method, folders in sources.items()]
    return [*origins, *gaps, *dict.fromkeys(protocols)]


def _experiment(folder: Path) -> Experiment | None:
    """The experiment in a folder; ``None`` without finished runs of a known method on the 33 classes."""
    found = read_experiment(folder)
    if found is None or set(found.runs[0].result["classes"]) != set(ontology("fg33").labels):
        return None
    return found if found.method else None


def read_experiment(folder: Path) -> Experiment | None:
    """The experiment in a folder; ``None`` without finished runs. A method that is not told is ``""``.

    Raises:
        ManifestError: If a run is damaged, or they are of several methods.
    """
    found = [
        (int(path.name), path.parent.name, path)
        for path in folder.glob("*/*")
        if path.is_dir() and path.name.isdecimal()
    ]
    places = sorted(found, key=lambda place: (place[0], natural_key(place[1])))
    runs = [
        Run(folder=path, fold=fold, seed=seed, result=read_result(path))
        for seed, fold, path in places
        if (path / RESULT).is_file()
    ]
    if not runs:
        return None
    methods = {run.result["details"].get("method", _conventional(folder.name)) for run in runs}
    if len(methods) > 1:
        raise ManifestError(
            f"runs in {folder} are of several methods: {', '.join(sorted(map(str, methods)))}",
            "give experiments different names, and run them again",
        )
    (method,) = methods
    finished = {(run.fold, run.seed) for run in runs}
    seeds = sorted({seed for _, seed in finished})
    stated = {fold for run in runs for fold in expected_folds(run.result["details"])}
    folds = sorted({fold for _, fold, _ in places} | stated, key=natural_key)
    return Experiment(
        name=folder.name,
        method=method or "",
        runs=runs,
        missing=[f"{fold}/{seed}" for seed in seeds for fold in folds if (fold, seed) not in finished],
        unfinished=sorted({seed for seed, _, _ in places} - set(seeds)),
    )


def _conventional(experiment: str) -> str | None:
    """Method of a run that does not state it: the conventional baselines are told by their names."""
    return {method.recipe: method.name for method in METHODS if not method.is_ablation}.get(experiment)
