"""Confusion of MSAU-Net among classes of one upper class, beside the paper's (Tables VI and VII)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from fgbench.reports.accuracies import over_seeds, pooled
from fgbench.reports.chains import chain_notes
from fgbench.reports.experiment import Experiment
from fgbench.reports.experiments import find_experiments, run_notes, shown_names, title_of
from fgbench.reports.freshness import marked, states_of
from fgbench.reports.paper import numbers as paper
from fgbench.reports.paper.methods import MSAU
from fgbench.reports.rendering.render import text
from fgbench.reports.rendering.table import Cell, OfPaper, Table, centre
from fgbench.taxonomy import leaves, ontology

Shares = npt.NDArray[np.float64]


def confusion_table(workdir: Path, *, name: Literal["table6", "table7"], number: str, upper: str) -> Table:
    """Shares of the predictions for the classes that the paper lists.

    Args:
        workdir: Work folder.
        name: Name of the table.
        number: Its number in the paper.
        upper: The upper class.

    Raises:
        NoRunError: If MSAU-Net has no finished run.
        ManifestError: If a run is damaged.
    """
    experiments = find_experiments(workdir, [MSAU])
    theirs = paper.confusion(name)
    states = states_of(workdir, experiments)
    measured = {
        marked(label, state): confusion_shares(experiment)
        for label, experiment, state in zip(_labels(experiments), experiments, states, strict=True)
    }
    rows: list[list[Cell]] = []
    for true in theirs.classes:
        printed = [theirs.shares[true, predicted] for predicted in theirs.classes]
        paper_cells: list[Cell] = [*printed, 1.0 - sum(printed)]
        ours = {label: _row(shares, true, theirs.classes) for label, shares in measured.items()}
        rows += [[true, f"this data set{label}", *cells] for label, cells in ours.items()]
        rows.append([true, "paper", *paper_cells])
        rows += [[true, f"difference{label}", *_minus(cells, paper_cells)] for label, cells in ours.items()]
    return Table(
        name=name,
        title=title_of(f"Table {number}. Confusion of MSAU-Net among classes of {upper}", experiments),
        columns=["True class", "Of", *theirs.classes, "elsewhere"],
        rows=rows,
        notes=[
            "Columns are predicted classes, as shares of the test images of the true class without augmented "
            "copies. Elsewhere: all other classes, or no prediction.",
            _listed(upper, theirs.classes),
            _diagonal(name, number, theirs),
            *[note for label, shares in measured.items() for note in _mean(label, shares, theirs)],
            *[note for label, shares in measured.items() for note in _inside(label, shares, upper, theirs)],
            *chain_notes(experiments, shown_names(experiments)),
            *run_notes(workdir, experiments, states),
        ],
    )


def confusion_shares(experiment: Experiment) -> Shares:
    """(S, 33, 34) float64 confusion matrices as shares, one per seed; NaN rows without samples.

    No matrix (S = 0) where a run of the experiment is missing.
    """
    n_classes = len(ontology("fg33").labels)
    if not experiment.is_whole:
        return np.empty((0, n_classes, n_classes + 1))
    matrices = []
    for seed in experiment.seeds:
        predictions = pooled([run.predictions() for run in experiment.of_seed(seed)])
        order = [predictions.classes.index(label) for label in ontology("fg33").labels]
        counts = predictions.confusion()[np.ix_(order, [*order, n_classes])].astype(np.float64)
        total = counts.sum(axis=1, keepdims=True)
        matrices.append(np.divide(counts, total, out=np.full(counts.shape, np.nan), where=total > 0))
    return np.stack(matrices)


def _labels(experiments: Sequence[Experiment]) -> list[str]:
    """Suffixes of "this data set" in rows: the experiment where there are several."""
    if len(experiments) == 1:
        return [""]
    return [f", {experiment.name}" for experiment in experiments]


def _row(shares: Shares, true: str, classes: Sequence[str]) -> list[Cell]:
    if not len(shares):
        return [None] * (len(classes) + 1)
    labels = ontology("fg33").labels
    chosen = shares[:, labels.index(true)][:, [labels.index(name) for name in classes]]
    return [*[over_seeds(values) for values in chosen.T], over_seeds(1.0 - chosen.sum(axis=1))]


def _minus(ours: Sequence[Cell], theirs: Sequence[Cell]) -> list[Cell]:
    pairs = [(centre(mine), centre(other)) for mine, other in zip(ours, theirs, strict=True)]
    return [None if mine is None or other is None else mine - other for mine, other in pairs]


def _listed(upper: str, classes: Sequence[str]) -> str:
    members = [leaf.name for leaf in leaves() if leaf.basic == upper]
    left_out = [name for name in members if name not in classes]
    return OfPaper(
        f"The paper lists {len(classes)} of the {len(members)} classes of {upper}, "
        f"without {' and '.join(left_out)}."
    )


def _diagonal(name: str, number: str, theirs: paper.ConfusionShares) -> str:
    """Note on whether the paper's diagonal agrees with the accuracies of its Table II."""
    table2 = paper.table2().accuracies[MSAU.source, MSAU.name]
    apart = [
        f"{label} {theirs.shares[label, label]:.3f}, there {table2[label]:.3f}"
        for label in theirs.classes
        if abs(theirs.shares[label, label] - table2[label]) > 5e-4
    ]
    if not apart:
        return OfPaper(f"The diagonal of the paper's Table {number} is that of its Table II.")
    return OfPaper(
        f"The diagonal of the paper's Table {number} differs from its Table II: {'; '.join(apart)}."
    )


def _mean(label: str, shares: Shares, theirs: paper.ConfusionShares) -> list[str]:
    """Mean accuracy of the listed classes beside the paper's."""
    labels = ontology("fg33").labels
    listed = [labels.index(name) for name in theirs.classes]
    recalls = shares[:, listed, listed]
    if not recalls.size or np.isnan(recalls).any():
        return []
    printed = sum(theirs.shares[name, name] for name in theirs.classes) / len(theirs.classes)
    ours = over_seeds(recalls.mean(axis=1))
    return [
        f"This data set{label}: mean accuracy of the classes listed {text(ours)}.",
        OfPaper(
            f"In the paper their mean accuracy is {printed:.3f}, a difference of "
            f"{recalls.mean() - printed:+.3f}."
        ),
    ]


def _inside(label: str, shares: Shares, upper: str, theirs: paper.ConfusionShares) -> list[str]:
    """Share of the predictions for the listed classes that stay within the upper class."""
    labels = ontology("fg33").labels
    members = [labels.index(leaf.name) for leaf in leaves() if leaf.basic == upper]
    listed = [labels.index(name) for name in theirs.classes]
    kept = shares[:, listed][:, :, members].sum(axis=2)
    if not kept.size or np.isnan(kept).any():
        return []
    printed = sum(theirs.shares.values()) / len(theirs.classes)
    return [
        f"This data set{label}: on average over the classes listed, {kept.mean():.3f} of the "
        f"predictions stay in {upper} (all {len(members)} classes).",
        OfPaper(f"The paper's rows add up to {printed:.3f} ({len(listed)} classes)."),
    ]
