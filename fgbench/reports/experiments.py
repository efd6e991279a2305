"""Finished runs of a work folder, grouped by experiment over folds and seeds.

Reads ``runs/<experiment>/<fold>/<seed>/``; the method of a run is ``details["method"]``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from fgbench.errors import FgbenchError, ManifestError
from fgbench.reports.experiment import Experiment, Run
from fgbench.reports.freshness import State, state_notes, states_of
from fgbench.reports.paper.methods import METHODS, Method
from fgbench.reports.protocols import expected_folds, fairness_notes, knowledge_notes, protocol_notes
from fgbench.reports.rendering.table import data_title
from fgbench.runs.division import Division
from fgbench.runs.folds import natural_key
from fgbench.runs.ledger.counts import reading_notes
from fgbench.runs.results import RESULT, read_result, verify
from fgbench.taxonomy import ontology
from fgbench.workfolders.layout import RUNS
from fgbench.workfolders.manifest_index import read_index


class NoRunError(ManifestError):
    """No run has been made yet that a table or figure could show."""


def find_experiments(
    workdir: Path, methods: Collection[Method], *, but_for: Collection[str] | None = None
) -> list[Experiment]:
    """Experiments of some methods with finished runs on the 33 classes, by method, then by name.

    Args:
        workdir: Work folder.
        methods: The wanted methods, in the wanted order.
        but_for: If given, experiments of all further methods except these follow, by name.

    Damaged runs are left out; :func:`damaged_runs` names them.

    Raises:
        NoRunError: If there are none.
    """
    wanted = [method.name for method in methods]

    def is_shown(experiment: Experiment) -> bool:
        is_named = bool(experiment.method) and (but_for is not None or experiment.method in wanted)
        return is_named and set(experiment.runs[0].result["classes"]) == set(ontology("fg33").labels)

    there = sound_experiments(workdir, is_shown)
    wanted_experiments = [experiment for experiment in there if experiment.method in wanted]
    further = [] if but_for is None else [one for one in there if one.method not in {*wanted, *but_for}]
    if not wanted_experiments and not further:
        remedies = dict.fromkeys(method.command for method in methods)
        if not there and (others := find_benchmarks(workdir)):
            counts = sorted({len(one.runs[0].result["classes"]) for one in others})
            raise NoRunError(
                f"runs in {workdir / RUNS} tell {' or '.join(map(str, counts))} classes apart, this is of "
                "the paper's 33",
                f"for runs on other classes: fgbench leaderboard --workdir {workdir}, and fgbench report "
                "with --table III (images) or IV (clips)",
            )
        left_out = "".join(f"; left out {key}: {fault}" for key, fault in damaged_runs(workdir).items())
        raise NoRunError(
            f"no finished run of {', '.join(wanted)} with the 33 classes in {workdir / RUNS}{left_out}",
            f"run one of: {'; '.join(remedies)} (with --workdir {workdir})",
        )
    wanted_experiments.sort(key=lambda experiment: (wanted.index(experiment.method), experiment.name))
    return wanted_experiments + further


def find_benchmarks(workdir: Path) -> list[Experiment]:
    """Experiments with finished runs on other classes than the 33, whatever their method, by name.

    Args:
        workdir: Work folder. Damaged runs are left out; :func:`damaged_runs` names them.
    """
    leaves = set(ontology("fg33").labels)
    return sound_experiments(workdir, lambda one: set(one.runs[0].result["classes"]) != leaves)


def sound_experiments(
    workdir: Path, is_wanted: Callable[[Experiment], bool] = lambda _: True
) -> list[Experiment]:
    """Experiments with undamaged finished runs, by name; the predictions of wanted ones are checked.

    Args:
        workdir: Work folder.
        is_wanted: Whether to list an experiment, of which only results have been read so far.
    """
    sound_ones = []
    for folder in sorted((workdir / RUNS).glob("*")):
        folders = _run_folders(folder)
        runs, damaged = _read_runs(folders, read_result)
        experiment = _assembled(folder, folders, runs, damaged)
        if experiment is None or len(_methods(folder, runs)) > 1 or not is_wanted(experiment):
            continue
        tested: dict[int, set[tuple[str, str]]] = {}

        def check(path: Path, tested: dict[int, set[tuple[str, str]]] = tested) -> None:
            predictions = verify(path)
            tested.setdefault(int(path.name), set()).update(
                zip(predictions.sample_ids, predictions.labels, strict=True)
            )

        _, wrong = _read_runs([(run.seed, run.fold, run.folder) for run in runs], check)
        sound = [run for run in runs if f"{run.fold}/{run.seed}" not in wrong]
        experiment = _assembled(folder, folders, sound, damaged | wrong)
        if experiment is not None:
            is_mixed = not experiment.missing and any(
                one != tested[experiment.seeds[0]] for one in tested.values()
            )
            sound_ones.append(replace(experiment, is_mixed=is_mixed))
    return sound_ones


def damaged_runs(workdir: Path, *, but_for: Collection[str] = ()) -> dict[str, str]:
    """Faults of finished runs that are left out of tables and figures.

    Args:
        workdir: Work folder.
        but_for: Names of experiments to skip.

    Returns:
        ``<experiment>/<fold>/<seed>`` of a damaged run, or the experiment alone where its runs are of several
        methods, to the fault.
    """
    faults = {}
    for folder in sorted((workdir / RUNS).glob("*")):
        if folder.name in but_for:
            continue
        runs, damaged = _read_runs(_run_folders(folder), verify)
        faults.update({f"{folder.name}/{key}": text for key, text in damaged.items()})
        if len(methods := _methods(folder, runs)) > 1:
            faults[folder.name] = f"its runs are of several methods: {', '.join(methods)}"
    return faults


def shown_names(experiments: Sequence[Experiment]) -> list[str]:
    """Name of each experiment in a table: its method, with its own name if methods repeat."""
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


def run_notes(
    workdir: Path, experiments: Sequence[Experiment], states: Sequence[State | None] | None = None
) -> list[str]:
    """Sentences that name the runs behind the numbers, those that are missing, and those of old data; and how
    often the test part was read.

    Args:
        workdir: Work folder.
        experiments: Its experiments.
        states: State of each, if known already.
    """
    states = states_of(workdir, experiments) if states is None else states
    sources: dict[str, list[str]] = {}
    gaps = []
    for name, experiment in zip(shown_names(experiments), experiments, strict=True):
        folders = [run.folder.relative_to(workdir).as_posix() for run in experiment.runs]
        if experiment.missing:
            lost = ", ".join(f"{RUNS}/{experiment.name}/{gap}" for gap in experiment.missing)
            gaps.append(f"{name}: blank, since {lost} is missing beside {', '.join(folders)}; finish it.")
        elif experiment.is_mixed:
            gaps.append(f"{name}: blank, {experiment.gap}")
        else:
            sources.setdefault(experiment.method, []).extend(folders)
        if experiment.unfinished:
            seeds = ", ".join(map(str, experiment.unfinished))
            gaps.append(f"{name}: seed {seeds} is not finished and left out.")
        if experiment.damaged:
            lost = ", ".join(f"{RUNS}/{experiment.name}/{key}" for key in experiment.damaged)
            gaps.append(f"{name}: {lost} is damaged and left out.")
        if experiment.other_protocol:
            gaps.append(f"{name}: {experiment.other_protocol}")
    protocols = [note for experiment in experiments for note in protocol_notes(experiment.details)]
    origins = [f"{method}: from {', '.join(folders)}." for method, folders in sources.items()]
    named = [
        (name, run.result)
        for name, experiment in zip(shown_names(experiments), experiments, strict=True)
        for run in experiment.runs
    ]
    old = state_notes(zip(shown_names(experiments), states, strict=True))
    notes = [*origins, *gaps, *old, *dict.fromkeys(protocols), *fairness_notes(named)]
    return [*notes, *reading_notes(workdir)]


def warnings_of(experiment: Experiment, name: str) -> list[str]:
    """Sentences on why the scores of an experiment may be too good, or count samples that could not be read;
    none for most. Every table and figure that is a file of its own has them.

    Args:
        experiment: Its runs.
        name: Its name in the table.
    """
    return [
        *knowledge_notes([(name, experiment.details)]),
        *fairness_notes((name, run.result) for run in experiment.runs),
    ]


def read_experiment(folder: Path) -> Experiment | None:
    """Read the experiment in a folder; ``None`` without finished runs. An unstated method is ``""``.

    Raises:
        ManifestError: If the result of a run is damaged, or runs are of several methods.
    """
    folders = _run_folders(folder)
    runs = [
        Run(folder=path, fold=fold, seed=seed, result=read_result(path))
        for seed, fold, path in folders
        if (path / RESULT).exists()
    ]
    if len(methods := _methods(folder, runs)) > 1:
        raise ManifestError(
            f"runs in {folder} are of several methods: {', '.join(methods)}",
            "give experiments different names, and run them again",
        )
    return _assembled(folder, folders, runs, {})


_RunFolder = tuple[int, str, Path]
"""Seed, fold and folder of a run, finished or not."""


def _run_folders(folder: Path) -> list[_RunFolder]:
    folders = [
        (int(path.name), path.parent.name, path)
        for path in folder.glob("*/*")
        if path.name.isdecimal() and path.is_dir()
    ]
    return sorted(folders, key=lambda run: (run[0], natural_key(run[1])))


def _read_runs(
    folders: Sequence[_RunFolder], check: Callable[[Path], object]
) -> tuple[list[Run], dict[str, str]]:
    """Finished runs that pass a check, and ``<fold>/<seed>`` of the others to their fault."""
    runs, damaged = [], {}
    for seed, fold, path in folders:
        if not (path / RESULT).exists():
            continue
        try:
            check(path)
            runs.append(Run(folder=path, fold=fold, seed=seed, result=read_result(path)))
        except FgbenchError as error:
            damaged[f"{fold}/{seed}"] = error.message
    return runs, damaged


def _methods(folder: Path, runs: Sequence[Run]) -> list[str]:
    """Methods that the runs state; ``""`` where a run states none and its name implies none."""
    stated = {run.result["details"].get("method", _conventional(folder.name)) or "" for run in runs}
    return sorted(map(str, stated))


def _assembled(
    folder: Path, folders: Sequence[_RunFolder], runs: Sequence[Run], damaged: Mapping[str, str]
) -> Experiment | None:
    if not runs:
        return None
    named = _folds_of_protocol(folder, runs)
    of_others: list[Run] = []
    if named is not None:
        of_others = [run for run in runs if not _is_of(run, named)]
        runs = [run for run in runs if _is_of(run, named)]
        folders = [one for one in folders if one[1] in named]
    finished = {(run.fold, run.seed) for run in runs}
    seeds = sorted({seed for _, seed in finished})
    stated = {fold for run in runs for fold in expected_folds(run.result["details"])}
    folds = sorted({fold for _, fold, _ in folders} | stated, key=natural_key)
    begun = {seed for seed, fold, _ in folders if f"{fold}/{seed}" not in damaged}
    return Experiment(
        name=folder.name,
        method=_methods(folder, runs)[0],
        runs=runs,
        missing=[f"{fold}/{seed}" for seed in seeds for fold in folds if (fold, seed) not in finished],
        unfinished=sorted(begun - set(seeds)),
        damaged=sorted(damaged, key=natural_key),
        of_others=[f"{run.fold}/{run.seed}" for run in of_others],
    )


def _folds_of_protocol(folder: Path, runs: Sequence[Run]) -> tuple[str, ...] | None:
    """Folds of the protocol whose runs count where those of several lie beside each other: they test the same
    samples more than once. That is the protocol of the manifests, or else the one with the most runs.

    Returns:
        ``None`` if all runs are of one protocol.
    """
    protocols = Counter(folds for run in runs if (folds := tuple(expected_folds(run.result["details"]))))
    if len(protocols) < 2:
        return None
    now: tuple[str, ...] = ()
    with suppress(FgbenchError):
        protocol = read_index(folder.parent.parent).get("protocol") or {}
        n_folds = protocol.get("folds") if protocol.get("kind") == "k-fold" else 0
        now = Division(n_folds=n_folds).folds if isinstance(n_folds, int) else ()
    return now if now in protocols else max(protocols, key=lambda folds: (protocols[folds], len(folds)))


def _is_of(run: Run, folds: tuple[str, ...]) -> bool:
    """Whether a run is of the protocol with these folds; one that states none, by its name."""
    return (tuple(expected_folds(run.result["details"])) or folds) == folds and run.fold in folds


def _conventional(experiment: str) -> str | None:
    """Method implied by the name of a run that does not state it: a conventional baseline."""
    return {method.recipe: method.name for method in METHODS if not method.is_ablation}.get(experiment)
