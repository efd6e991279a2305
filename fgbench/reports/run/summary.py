"""Summaries of finished runs in a few lines: means with their intervals, and how to read them.

They are taken from the tables of classes, folds and seeds in the modules beside this one.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fgbench.reports.rendering.render import text
from fgbench.reports.rendering.table import Table
from fgbench.reports.run.fold_scores import POOLED, fold_tables
from fgbench.reports.run.scores import COPIES, scores_table
from fgbench.reports.run.seed_scores import au_seed_table, seed_table
from fgbench.reports.run.unit_scores import au_table

_ALWAYS_SO = (COPIES, POOLED)
"""Notes that explain a table in general."""


def run_summary(folder: Path) -> list[str]:
    """Lines on one run.

    Raises:
        ManifestError: If the run is not finished or damaged.
    """
    table = scores_table(folder)
    return [table.title, *_notes(table)]


def folds_summary(folders: Sequence[Path]) -> list[str]:
    """Lines on the folds of an experiment: all predictions pooled, and the mean of the folds.

    Args:
        folders: Runs of one experiment and seed, one per fold.

    Raises:
        ManifestError: If a run is not finished or damaged.
    """
    folds, classes = fold_tables(folders)
    return list(dict.fromkeys([classes.title, *_notes(classes), _last_row(folds), *_notes(folds)]))


def seeds_summary(folders: Sequence[Path]) -> list[str]:
    """Lines on the seeds of an experiment: their mean and standard deviation.

    Args:
        folders: Runs of one experiment and of at least two seeds, with the same folds.

    Raises:
        ManifestError: If a run is not finished or damaged.
    """
    table = seed_table(folders)
    return [table.title, _last_row(table), *_notes(table)]


def units_summary(by_seed: Sequence[Sequence[Path]]) -> list[str]:
    """Lines on detectors of action units: the mean F1 of the units; with several seeds, over these.

    Args:
        by_seed: Runs of one experiment: per seed one per fold.

    Raises:
        ManifestError: If a run is not finished or damaged.
    """
    table = au_table(by_seed[0])
    if len(by_seed) == 1:
        return unit_lines(table)
    seeds = au_seed_table([folder for folders in by_seed for folder in folders])
    return [seeds.title, _last_row(seeds), *table.notes[:1], *_notes(seeds)]


def unit_lines(table: Table) -> list[str]:
    """Lines on one table of action units."""
    return [table.title, _last_row(table), *table.notes[:1]]


def _notes(table: Table) -> list[str]:
    return [note for note in table.notes if note not in _ALWAYS_SO]


def _last_row(table: Table) -> str:
    """The last row of a table, with the means, in words."""
    name, *cells = table.rows[-1]
    values = [
        f"{column} {text(cell)}"
        for column, cell in zip(table.columns[1:], cells, strict=True)
        if cell is not None
    ]
    return f"{name}: {', '.join(values) or 'not defined'}"
