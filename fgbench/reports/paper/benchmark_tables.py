"""Tables III and IV: accuracy on public data sets, beside the paper's methods.

Reads the finished runs of work folders, each of which holds one data set. Data sets find their column by name
(``manifests/benchmarks.csv``); those that the paper's table lacks get columns of their own after its mean.
Rows name their classes, and variants are kept apart.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from fgbench.evaluation import metrics
from fgbench.reports.accuracies import over_seeds, pooled
from fgbench.reports.chains import chain_notes
from fgbench.reports.experiment import Experiment
from fgbench.reports.experiments import NoRunError, find_benchmarks
from fgbench.reports.freshness import State, kind_of, marked, read_present, state_notes, state_of
from fgbench.reports.paper import numbers as paper
from fgbench.reports.paper.best import bold_note, mark_best
from fgbench.reports.paper.methods import METHODS, source_of
from fgbench.reports.paper.scales import turn_notes
from fgbench.reports.protocols import fairness_notes, protocol_label, protocol_sentence, reservations
from fgbench.reports.rendering.table import Cell, OfPaper, Spread, Table, centre, data_title
from fgbench.runs.labels import read_labels
from fgbench.runs.ledger.counts import reading_notes
from fgbench.runs.lost_clips import is_reading_failure
from fgbench.runs.other_programs import OUTSIDE
from fgbench.runs.predictions import Predictions
from fgbench.taxonomy import ontology
from fgbench.workfolders.layout import RUNS
from fgbench.workfolders.manifest_index import read_index, unlike_published_sentence

_KEYS = ("Method", "Of", "Data", "Protocol")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """An experiment on a data set.

    Attributes:
        workdir: Its work folder.
        dataset: Name of the data set, with its classes.
        synthetic: Whether the data are drawn.
        column: The paper's data set, or the name of a data set that the paper's table lacks.
        left_out: Class to number of samples that the variant of the data set lacks.
        unlike_published: Part to its number of entries and the published one, where they differ.
        experiment: Its runs.
        state: State of their data.
    """

    workdir: Path
    dataset: str
    synthetic: bool
    column: str
    left_out: Mapping[str, int]
    unlike_published: Mapping[str, Sequence[int]]
    experiment: Experiment
    state: State | None

    @property
    def data(self) -> str:
        return self.dataset + (" (SYNTHETIC)" if self.synthetic else "")

    @property
    def details(self) -> Mapping[str, Any]:
        return self.experiment.details


@dataclass(frozen=True, slots=True, kw_only=True)
class _Measured:
    """Accuracies of an experiment; blank where a run is missing."""

    uar: Cell = None
    war: Cell = None
    fold_mean: Cell = None
    predictions: Predictions | None = None


def benchmark_table(
    workdirs: Sequence[Path], *, name: Literal["table3", "table4"], number: str, source: str
) -> Table:
    """Table III or IV.

    Args:
        workdirs: Work folders, one data set each.
        name: Name of the table.
        number: Its number in the paper.
        source: ``"image"`` or ``"video"``: source of the methods that it lists.

    Raises:
        NoRunError: If no work folder has finished runs on a data set with classes of its own.
        ManifestError: If manifests are missing, or a run is damaged.
    """
    theirs = paper.benchmarks(name)
    entries = [entry for workdir in workdirs for entry in _entries(workdir, name, source)]
    if not entries:
        example = "baseline lbp-svm" if source == "image" else "baseline dense-traj-svm"
        raise NoRunError(
            f"no finished run of {source} methods on {', '.join(theirs.datasets)}, or another data set that "
            f"is not of the {len(ontology('fg33').labels)} classes, in "
            f"{', '.join(str(workdir / RUNS) for workdir in workdirs)}",
            f"fgbench prepare RECIPE, then e.g. fgbench {example} --workdir WORKDIR; fgbench datasets lists "
            "what can be prepared",
        )
    others = sorted({entry.column for entry in entries} - set(theirs.datasets), key=str.lower)
    rows: list[list[Cell]] = [
        [
            *(method, "paper", "", ""),
            *[values.get(dataset) for dataset in theirs.datasets],
            theirs.mean(method),
            *[None] * len(others),
        ]
        for method, values in theirs.accuracies.items()
    ]
    columns = [*theirs.datasets, "Mean", *others]
    notes = []
    compared: dict[int, Hashable] = {}
    labels = _labels(entries)
    named = [f"{label} on {entry.data}" for entry, label in zip(entries, labels, strict=True)]
    for entry, label in zip(entries, labels, strict=True):
        measured = _measure(entry.experiment)
        more = _rows(entry, label, measured, theirs, columns)
        if measured.predictions is not None and kind_of(entry.state) != "old labels":
            # What was tested on the same samples of a data set compares, by the same number.
            samples = frozenset(measured.predictions.sample_ids)
            compared |= {
                index: (*row[1:4], samples)
                for index, row in enumerate(more, start=len(rows))
                if row[1] != "paper" and not str(row[1]).startswith("UAR less")
            }
        rows += more
        notes.append(_note(entry, label, measured))

    rows = mark_best(rows, compared, range(len(_KEYS), len(_KEYS) + len(columns)))
    synthetic = any(entry.synthetic for entry in entries)
    datasets = ", ".join(dict.fromkeys(entry.dataset for entry in entries))
    kind = "images" if source == "image" else "videos"
    return Table(
        name=name,
        title=data_title(
            f"Table {number}. Accuracy on public data sets, {kind}", datasets, synthetic=synthetic
        ),
        columns=[*_KEYS, *columns],
        rows=rows,
        notes=[
            *_meaning(theirs, others),
            *bold_note(rows),
            *notes,
            *state_notes((label, entry.state) for entry, label in zip(entries, labels, strict=True)),
            *chain_notes([entry.experiment for entry in entries], named),
            *turn_notes([entry.experiment for entry in entries], named),
            *fairness_notes(
                (label, run.result)
                for entry, label in zip(entries, labels, strict=True)
                for run in entry.experiment.runs
            ),
            *reading_notes(entry.workdir for entry in entries),
        ],
        keys=len(_KEYS),
        blocks=(len(theirs.datasets) + 1, *[len(others)] * bool(others)),
    )


def _entries(workdir: Path, table: Literal["table3", "table4"], source: str) -> list[_Entry]:
    index = read_index(workdir)
    name, n_classes = str(index["dataset"]), len(read_labels(index).labels)
    present = read_present(workdir)
    return [
        _Entry(
            workdir=workdir,
            dataset=f"{name}, {scored} classes",
            synthetic=bool(index["synthetic"]),
            column=paper.benchmark_column(table, name, scored) or paper.benchmark_title(name, scored),
            left_out=index.get("left_out") or {},
            unlike_published=index.get("unlike_published") or {},
            experiment=experiment,
            state=state_of(experiment, present),
        )
        for experiment in find_benchmarks(workdir)
        for scored in [_n_scored(experiment, n_classes)]
        if source_of(experiment.details, _base(experiment)) == source
    ]


def _n_scored(experiment: Experiment, n_classes: int) -> int:
    """Classes that are scored: of another program, which may tell upper classes alone, its run's."""
    is_outside = bool(experiment.details.get(OUTSIDE))
    return len(experiment.runs[0].result["classes"]) if is_outside else n_classes


def _base(experiment: Experiment) -> str:
    """Method of an experiment, without its training data."""
    transfer = experiment.details.get("transfer") or {}
    conventional = {method.recipe: method.name for method in METHODS if not method.is_ablation}
    method = transfer.get("method") or experiment.method or experiment.name
    return conventional.get(str(method), str(method))


def _labels(entries: Sequence[_Entry]) -> list[str]:
    """Names of rows: method and training data, with the experiment's name where several are equal."""
    names = []
    for entry in entries:
        transfer = entry.details.get("transfer")
        how = f", {transfer['kind']} from {transfer['dataset']}" if transfer else ""
        names.append(marked(f"{_base(entry.experiment)}{how}", entry.state))
    alike = [(name, entry.dataset) for name, entry in zip(names, entries, strict=True)]
    return [
        f"{name}, {entry.experiment.name}" + ("" if _is_only(entries, entry) else f" in {entry.workdir.name}")
        if alike.count((name, entry.dataset)) > 1
        else name
        for name, entry in zip(names, entries, strict=True)
    ]


def _is_only(entries: Sequence[_Entry], entry: _Entry) -> bool:
    same = [
        other
        for other in entries
        if (other.dataset, other.experiment.name) == (entry.dataset, entry.experiment.name)
    ]
    return len(same) == 1


def _measure(experiment: Experiment) -> _Measured:
    if not experiment.is_whole:
        return _Measured()
    by_seed = {
        seed: {run.fold: run.predictions() for run in experiment.of_seed(seed)} for seed in experiment.seeds
    }
    together = [pooled(list(parts.values())) for parts in by_seed.values()]
    confusions = [predictions.confusion() for predictions in together]
    first = next(iter(by_seed.values()))
    fold_mean: Cell = None
    if len(first) > 1:
        each = np.array(
            [[metrics.uar(parts[fold].confusion()) for parts in by_seed.values()] for fold in first]
        )
        over = each.mean(axis=1)
        fold_mean = None if np.isnan(over).any() else Spread(float(over.mean()), float(over.std(ddof=1)))
    return _Measured(
        uar=over_seeds([metrics.uar(confusion) for confusion in confusions]),
        war=over_seeds([metrics.war(confusion) for confusion in confusions]),
        fold_mean=fold_mean,
        predictions=together[0],
    )


def _rows(
    entry: _Entry, label: str, measured: _Measured, theirs: paper.Benchmarks, columns: Sequence[str]
) -> list[list[Cell]]:
    printed = theirs.accuracies[theirs.ours].get(entry.column)
    mine = centre(measured.uar)
    is_folded = len({run.fold for run in entry.experiment.runs}) > 1
    lines: list[tuple[str, Cell]] = [("UAR, folds pooled" if is_folded else "UAR", measured.uar)]
    if is_folded:
        lines.append(("UAR, mean of the folds", measured.fold_mean))
    lines.append(("WAR", measured.war))
    if printed is not None:
        lines.append((f"UAR less {theirs.ours}", None if mine is None else mine - printed))
    origin = [entry.data, protocol_label(entry.details)]
    return [
        [label, of, *origin, *[value if column == entry.column else None for column in columns]]
        for of, value in lines
    ]


def _meaning(theirs: paper.Benchmarks, others: Sequence[str]) -> list[str]:
    return [
        "UAR: mean of the accuracies of the classes; WAR: share of samples that are right. Several seeds: "
        "mean ± standard deviation over seeds. Mean of the folds: ± standard deviation over folds.",
        OfPaper(
            f"The differences are to the paper's {theirs.ours}; its means are computed from its values, over "
            "the data sets that a method has. Classes and protocols of the paper's numbers are not stated "
            "per method: they compare only as far as the data and the protocol of a row are the same."
        ),
        *([OfPaper(f"The paper's table does not have: {', '.join(others)}.")] if others else []),
    ]


def _note(entry: _Entry, label: str, measured: _Measured) -> str:
    experiment, details = entry.experiment, entry.details
    where = f"{label} on {entry.data} ({entry.workdir.name}/{RUNS}/{experiment.name})"
    if measured.predictions is None:
        return f"{where}: blank, {experiment.gap}"
    scores = metrics.scores(measured.predictions.confusion(), measured.predictions.classes)
    coverage = 1 - scores.n_missing / scores.n
    first = experiment.of_seed(experiment.seeds[0])
    n_lost = sum(
        n
        for run in first
        for reason, n in (run.result.get("rejected_test") or {}).items()
        if is_reading_failure(reason)
    )
    lost = f" and {n_lost:,} of clips that could not be read" if n_lost else ""
    sentences = [
        f"{where}: {protocol_sentence(details)}; {scores.n:,} samples, {scores.n_missing - n_lost:,} without "
        f"a usable face{lost}, which count as wrong (coverage {coverage:.3f}); chance is "
        f"{1 / scores.n_classes:.3f}; seeds: {len(experiment.seeds)}."
    ]
    if entry.left_out:
        sentences.append(f"Not part of this variant: {_counted(entry.left_out)}.")
    if entry.unlike_published:
        sentences.append(unlike_published_sentence(entry.unlike_published))
    transfer = details.get("transfer") or {}
    if transfer.get("kind") == "zero-shot":
        dropped = _counted(transfer["dropped"]) or "none"
        summed = transfer["summed"]["uar"]
        other = "" if summed is None else f" By the largest sum of probabilities UAR is {summed:.3f}."
        sentences.append(f"{transfer['rule']} Samples left out: {dropped}.{other}")
    if experiment.unfinished:
        seeds = ", ".join(map(str, experiment.unfinished))
        sentences.append(f"Seed {seeds} is not finished and left out.")
    return " ".join([*sentences, *reservations(details)])


def _counted(samples: Mapping[str, int]) -> str:
    return ", ".join(f"{n:,} of {name}" for name, n in samples.items())
