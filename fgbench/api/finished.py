"""Finished runs for the console, as text or plain values: single ones, or folds with seeds together."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

FULL = "the same command with --full"
"""Command that prints the tables behind a summary."""


def is_first_process() -> bool:
    """Return whether this process tells of runs: of those that train together only the first does."""
    from fgbench.runs.lock import is_first_process as is_first

    return is_first()


def run_lines(folder: Path, *, full: bool = False) -> list[str]:
    """Return lines of text on a run's scores, in full with classes and confusions; writes its
    ``confusion.csv``.

    Args:
        folder: Folder of the run.
        full: Whether the tables are among them.

    Raises:
        ManifestError: If the run is damaged.
        ResourceError: If the file cannot be written.
    """
    from fgbench.api.next_commands import sheet_command
    from fgbench.reports.rendering.render import markdown
    from fgbench.reports.run.confusion import confusion_tables, write_confusion
    from fgbench.reports.run.scores import scores_table
    from fgbench.reports.run.summary import run_summary
    from fgbench.runs.ledger.counts import reading_notes

    write_confusion(folder)
    if full:
        lines = [markdown(table) for table in (scores_table(folder), *confusion_tables(folder))]
    else:
        lines = [*run_summary(folder), f"every class, confusions: {FULL}"]
    sheet = sheet_command(folder.parents[3], "/".join(folder.parts[-3:]))
    lines += reading_notes(folder.parents[3])
    return [*lines, f"calibration, coverage, errors in the class tree: {sheet}", f"run: {folder}"]


def run_json(folder: Path) -> dict[str, Any]:
    """Return a run's result and confusions as plain values; writes its ``confusion.csv``; errors as of
    :func:`run_lines`."""
    from fgbench.reports.run.confusion import confusion_json, write_confusion
    from fgbench.runs.results import read_result

    write_confusion(folder)
    return {**read_result(folder), "confusion": confusion_json(folder)}


def runs_lines(folders: Sequence[Path], *, full: bool = False) -> list[str]:
    """Return lines of text on runs: one by one, or the folds and seeds of an experiment together.

    Args:
        folders: Runs; those of one experiment follow each other, and differ in fold or seed.
        full: Whether every class, fold and seed is told.

    Raises:
        ManifestError: If a run is damaged.
        ResourceError: If a file cannot be written.
    """
    return [
        line
        for runs in _experiments(folders)
        for line in (run_lines(runs[0], full=full) if len(runs) == 1 else _lines_of_several(runs, full=full))
    ]


def runs_json(folders: Sequence[Path]) -> list[dict[str, Any]]:
    """Return runs as plain values, a document for each experiment; errors as of :func:`runs_lines`."""
    return [run_json(runs[0]) if len(runs) == 1 else _json_of_several(runs) for runs in _experiments(folders)]


def units_lines(folders: Sequence[Path], *, full: bool = False) -> list[str]:
    """Return lines of text on detectors of action units.

    Args:
        folders: Folders of the runs: of each seed those of all folds.
        full: Whether every unit is told.

    Raises:
        ManifestError: If a run is damaged.
    """
    from fgbench.reports.rendering.render import markdown
    from fgbench.reports.run.seed_scores import au_seed_table
    from fgbench.reports.run.summary import units_summary
    from fgbench.reports.run.unit_scores import au_table
    from fgbench.runs.ledger.counts import reading_notes
    from fgbench.runs.ledger.entries import UNITS

    by_seed = [list(group) for _, group in groupby(folders, key=lambda folder: folder.name)]
    if full:
        lines = [markdown(au_table(of_seed)) for of_seed in by_seed]
        lines += [markdown(au_seed_table(folders))] if len(by_seed) > 1 else []
    else:
        lines = [*units_summary(by_seed), f"every unit: {FULL}", *reading_notes(folders[0].parents[3], UNITS)]
    return lines + [f"run: {folder}" for folder in folders]


def units_json(folders: Sequence[Path]) -> list[dict[str, Any]]:
    """Return results of detectors of action units as plain values.

    Raises:
        ManifestError: If a run is damaged.
    """
    from fgbench.runs.unit_results import read_au_result

    return [read_au_result(folder) for folder in folders]


def _experiments(folders: Sequence[Path]) -> list[list[Path]]:
    return [list(group) for _, group in groupby(folders, key=lambda folder: folder.parent.parent)]


def _has_seeds(folders: Sequence[Path]) -> bool:
    return len({folder.name for folder in folders}) > 1


def _lines_of_several(folders: Sequence[Path], *, full: bool) -> list[str]:
    """Lines on an experiment over its seeds, or its folds; with ``full`` each, too."""
    from fgbench.reports.rendering.render import markdown
    from fgbench.reports.run import fold_scores, seed_scores, summary
    from fgbench.reports.run.confusion import write_confusion

    for folder in folders:
        write_confusion(folder)
    has_seeds = _has_seeds(folders)
    if full:
        tables = [seed_scores.seed_table(folders)] if has_seeds else fold_scores.fold_tables(folders)
        lines = [markdown(table) for table in tables]
    elif has_seeds:
        lines = [*summary.seeds_summary(folders), f"every seed: {FULL}"]
    else:
        lines = [*summary.folds_summary(folders), f"every class and fold: {FULL}"]
    return lines + [f"run: {folder}" for folder in folders]


def _json_of_several(folders: Sequence[Path]) -> dict[str, Any]:
    from fgbench.reports.run import fold_scores, seed_scores
    from fgbench.reports.run.confusion import write_confusion
    from fgbench.runs.results import read_result

    for folder in folders:
        write_confusion(folder)
    together = seed_scores.seeds_json(folders) if _has_seeds(folders) else fold_scores.folds_json(folders)
    return {**together, "runs": [read_result(folder) for folder in folders]}
