"""Table II: accuracy of the 33 classes and their mean, for every method of the paper, beside the paper's.

Further methods follow, without numbers of the paper, and the annotators where the data set has votes.

Reads the finished runs and the votes of the work folder.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path

from fgbench.evaluation.clusters import MEANING
from fgbench.reports.accuracies import Accuracies, chance_notes, few_notes, measure
from fgbench.reports.chains import chain_notes
from fgbench.reports.experiment import Experiment
from fgbench.reports.experiments import find_experiments, run_notes, shown_names, title_of
from fgbench.reports.freshness import kind_of, marked, states_of
from fgbench.reports.paper import numbers as paper
from fgbench.reports.paper.best import bold_note, mark_best
from fgbench.reports.paper.fusions import has_both_streams, weight_note
from fgbench.reports.paper.methods import METHODS, PAPER_METHODS, Method, source_of
from fgbench.reports.paper.ranking import Standing, order_notes
from fgbench.reports.paper.scales import scale_notes, turn_notes
from fgbench.reports.rendering.table import Cell, OfPaper, Table, centre
from fgbench.reports.votes.ceiling import NAME as ANNOTATORS
from fgbench.reports.votes.ceiling import Ceiling, ceiling

_SUMMARY = ("Mean", "95 % from", "95 % to", "Clusters", "Test samples", "Seeds")
_BLOCK = 11  # classes side by side, as in the paper


def build(workdir: Path) -> Table:
    """Table II of a work folder.

    Raises:
        NoRunError: If no method has a finished run.
        ManifestError: If a run is damaged.
    """
    experiments = find_experiments(workdir, METHODS, but_for=PAPER_METHODS)
    measured = [measure(experiment) for experiment in experiments]
    states = states_of(workdir, experiments)
    plain = shown_names(experiments)
    names = [marked(name, state) for name, state in zip(plain, states, strict=True)]
    ranked = [index for index, state in enumerate(states) if kind_of(state) != "old labels"]
    theirs = paper.table2()
    by_method: dict[str, list[int]] = {method.name: [] for method in METHODS}
    for index, experiment in enumerate(experiments):
        by_method.setdefault(experiment.method, []).append(index)
    rows: list[list[Cell]] = []
    for method in METHODS:
        for index in by_method[method.name]:
            rows += _group(method, names[index], measured[index], theirs)
        if not by_method[method.name]:
            rows += _group(method, method.name, None, theirs)
    further = [index for name, members in by_method.items() if name not in PAPER_METHODS for index in members]
    for index in further:
        source = source_of(experiments[index].details, experiments[index].method)
        rows.append([source, names[index], "this data set", *_cells(measured[index], theirs)])
    people = ceiling(workdir)
    if people is not None:
        rows.append(["video", ANNOTATORS, "this data set", *_annotators(people, theirs)])
    rows = _marked(rows, {names[index]: measured[index].samples for index in ranked})
    return Table(
        name="table2",
        title=title_of("Table II. Accuracy per class", experiments),
        columns=["Source", "Method", "Of", *_SUMMARY, *theirs.classes],
        rows=rows,
        notes=[
            *_meaning(theirs),
            *chance_notes(measured),
            *_coverage(names, measured),
            *bold_note(rows),
            *_orders(
                [experiments[index] for index in ranked],
                [names[index] for index in ranked],
                [measured[index] for index in ranked],
                theirs,
            ),
            *chain_notes(experiments, names),
            *scale_notes(experiments, names),
            *turn_notes(experiments, names),
            *_weights(workdir, experiments, names),
            *_not_of_the_paper([names[index] for index in further]),
            *([] if people is None else people.notes),
            *_absent([method for method in METHODS if not by_method[method.name]]),
            *run_notes(workdir, experiments, states),
        ],
        keys=3,
        blocks=(len(_SUMMARY), _BLOCK, _BLOCK, _BLOCK),
    )


def _marked(rows: list[list[Cell]], samples: Mapping[str, Hashable]) -> list[list[Cell]]:
    """Rows with the best mean and best accuracies marked, among methods tested on the same samples."""
    ours = {
        row_index: samples[str(row[1])]
        for row_index, row in enumerate(rows)
        if row[2] == "this data set" and row[1] in samples
    }
    first = 3 + len(_SUMMARY)
    return mark_best(rows, ours, [3, *range(first, len(rows[0]))])


def _group(method: Method, name: str, ours: Accuracies | None, theirs: paper.Table2) -> list[list[Cell]]:
    """Rows of a method: this data set, the paper, and the difference if there is one."""
    printed = theirs.accuracies[method.source, method.name]
    rest: list[Cell] = [None] * (len(_SUMMARY) - 1)
    paper_cells: list[Cell] = [theirs.mean(method.source, method.name), *rest, *printed.values()]
    if ours is None or not ours.n_seeds:
        blank: list[Cell] = [None] * len(paper_cells)
        return [
            [method.source, name, "this data set", *blank],
            [method.source, name, "paper", *paper_cells],
        ]
    cells = _cells(ours, theirs)
    difference = [_difference(*pair) for pair in zip(cells, paper_cells, strict=True)]
    lines: dict[str, Sequence[Cell]] = {
        "this data set": cells,
        "paper": paper_cells,
        "difference": difference,
    }
    return [[method.source, name, of, *line] for of, line in lines.items()]


def _cells(ours: Accuracies, theirs: paper.Table2) -> list[Cell]:
    """Cells of a measured method: summary, then classes; blank where a run is missing."""
    if not ours.n_seeds:
        return [None] * (len(_SUMMARY) + len(theirs.classes))
    interval = ours.interval
    span: list[Cell] = [None] * 3 if interval is None else [interval.low, interval.high, interval.n_clusters]
    recalls = [ours.recalls.get(label) for label in theirs.classes]
    return [ours.mean, *span, len(ours.samples), ours.n_seeds, *recalls]


def _annotators(people: Ceiling, theirs: paper.Table2) -> list[Cell]:
    """Cells of the annotators, who have no seeds."""
    cells = _cells(people.left_out, theirs)
    cells[_SUMMARY.index("Seeds")] = None
    return cells


def _difference(ours: Cell, theirs: Cell) -> float | None:
    mine, other = centre(ours), centre(theirs)
    return None if mine is None or other is None else mine - other


def _meaning(theirs: paper.Table2) -> list[str]:
    counts = paper.table1()
    mended = "; ".join(
        f'{repair.method}, {repair.label}: "{repair.printed}" as {repair.value:.3f}'
        for repair in theirs.repairs
    )
    return [
        "Mean: of the accuracies of the classes (unweighted average recall); several seeds: mean ± standard "
        "deviation over seeds, folds pooled. Its 95 % interval (Student's t) comes from leaving out clusters "
        "one at a time and, with several seeds, from their spread; of one seed the trained network is held "
        f"fixed. {MEANING}",
        "This data set is scored on test images and clips without augmented copies; an image or clip without "
        "a usable face counts as wrong.",
        OfPaper(
            "The paper's test images are augmented: "
            f"{counts['Augmented Image', 'test']:,} with copies, {counts['Image', 'test']:,} without "
            "(Table I)."
        ),
        OfPaper(f"The paper's means are computed from its 33 values. Mended print: {mended}."),
    ]


def _coverage(names: Sequence[str], measured: Sequence[Accuracies]) -> list[str]:
    """Sentences on classes without samples, and on intervals of few clusters."""
    notes = []
    for name, ours in zip(names, measured, strict=True):
        empty = [label for label, value in ours.recalls.items() if value is None]
        if empty:
            notes.append(
                f"{name}: no test samples of {', '.join(empty)}; its mean is over the other "
                f"{len(ours.recalls) - len(empty)} classes."
            )
    return notes + few_notes(measured)


def _orders(
    experiments: Sequence[Experiment],
    names: Sequence[str],
    measured: Sequence[Accuracies],
    theirs: paper.Table2,
) -> list[str]:
    methods = {method.name: method for method in METHODS}
    notes = []
    for source in ("image", "video"):
        standings = []
        tested: dict[frozenset[tuple[str, str]], list[str]] = {}
        for experiment, name, ours in zip(experiments, names, measured, strict=True):
            method, mean = methods.get(experiment.method), centre(ours.mean)
            if method is None or method.source != source or mean is None:
                continue
            tested.setdefault(ours.samples, []).append(name)
            standings.append(
                Standing(
                    name=name,
                    experiment=experiment.name,
                    method=method,
                    mean=mean,
                    paper=theirs.mean(source, method.name),
                    counts=ours.counts,
                    samples=ours.samples,
                )
            )
        if len(tested) > 1:
            groups = "; ".join(f"{', '.join(group)}: {len(samples)}" for samples, group in tested.items())
            notes.append(
                f"The {source} methods were tested on different samples ({groups}), so that their numbers do "
                "not compare; run them again on the manifests as they are now."
            )
        notes += order_notes(source, standings)
    return notes


def _weights(workdir: Path, experiments: Sequence[Experiment], names: Sequence[str]) -> list[str]:
    """Sentences on the stream weights of the clip methods with two streams, and on their losses."""
    named = list(zip(names, experiments, strict=True))
    alone = [name for name, experiment in named if experiment.details.get("losses_on") == "streams"]
    notes = [
        weight_note(workdir, name, experiment) for name, experiment in named if has_both_streams(experiment)
    ]
    if alone:
        notes.append(
            f"Trained by the losses of each stream (ours), not by those of their fusion as the paper has it "
            f"(section IV-B): {', '.join(alone)}."
        )
    return notes


def _not_of_the_paper(names: Sequence[str]) -> list[str]:
    return [OfPaper(f"No methods of the paper: {', '.join(names)}.")] if names else []


def _absent(methods: Sequence[Method]) -> list[str]:
    if not methods:
        return []
    remedies = "; ".join(f"{method.name} ({method.command})" for method in methods)
    return [OfPaper(f"Blank for want of a run: {remedies}.")]
