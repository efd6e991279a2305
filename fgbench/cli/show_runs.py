"""Output of finished runs: one by one, or the folds and seeds of an experiment together."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fgbench.cli.console import print_json, say
from fgbench.cli.next_steps import after_runs, sheet_command

if TYPE_CHECKING:
    from collections.abc import Sequence

FULL = "the same command with --full"
"""Command that prints the tables behind a summary."""


def show_run(folder: Path, *, full: bool, json: bool) -> None:
    """Print a finished run's scores, in full with classes and confusions; write its ``confusion.csv``."""
    from fgbench.reports.rendering.render import markdown
    from fgbench.reports.run.confusion import confusion_json, confusion_tables, write_confusion
    from fgbench.reports.run.scores import scores_table
    from fgbench.reports.run.summary import run_summary
    from fgbench.runs.ledger.counts import reading_notes
    from fgbench.runs.results import read_result

    write_confusion(folder)
    if json:
        print_json({**read_result(folder), "confusion": confusion_json(folder)})
        return
    if full:
        _lines([markdown(table) for table in (scores_table(folder), *confusion_tables(folder))])
    else:
        _lines([*run_summary(folder), f"every class, confusions: {FULL}"])
    _lines(reading_notes(folder.parents[3]))
    experiment, fold, seed = folder.parts[-3:]
    sheet = sheet_command(folder.parents[3], f"{experiment}/{fold}/{seed}")
    say(f"calibration, coverage, errors in the class tree: {sheet}")
    say(f"run: {folder}")


def show_runs(folders: Sequence[Path], *, full: bool, json: bool) -> None:
    """Print finished runs: one by one, or the folds and seeds of an experiment together.

    Of processes that train together only the first prints, and writes the files kept beside the runs.

    Args:
        folders: Runs; those of one experiment follow each other, and differ in fold or seed.
        full: Whether to print every class, fold and seed.
        json: Whether to print JSON.
    """
    from itertools import groupby

    from fgbench.runs.lock import is_first_process

    if not is_first_process():
        return
    for _, group in groupby(folders, key=lambda folder: folder.parent.parent):
        runs = list(group)
        if len(runs) == 1:
            show_run(runs[0], full=full, json=json)
        else:
            _show_several(runs, full=full, json=json)
    if not json:
        after_runs(folders[0].parents[3])


def _show_several(folders: Sequence[Path], *, full: bool, json: bool) -> None:
    """Print the scores of an experiment over its seeds, or its folds; with ``full`` each, too."""
    from fgbench.reports.rendering.render import markdown
    from fgbench.reports.run import fold_scores, seed_scores, summary
    from fgbench.reports.run.confusion import write_confusion
    from fgbench.runs.ledger.counts import reading_notes
    from fgbench.runs.results import read_result

    has_seeds = len({folder.name for folder in folders}) > 1
    for folder in folders:
        write_confusion(folder)
    if json:
        together = seed_scores.seeds_json(folders) if has_seeds else fold_scores.folds_json(folders)
        print_json({**together, "runs": [read_result(folder) for folder in folders]})
        return
    if full:
        tables = [seed_scores.seed_table(folders)] if has_seeds else fold_scores.fold_tables(folders)
        _lines([markdown(table) for table in tables])
    elif has_seeds:
        _lines([*summary.seeds_summary(folders), f"every seed: {FULL}"])
    else:
        _lines([*summary.folds_summary(folders), f"every class and fold: {FULL}"])
    _lines(reading_notes(folders[0].parents[3]))
    _lines([f"run: {folder}" for folder in folders])


def _lines(lines: Sequence[str]) -> None:
    for line in lines:
        say(line)
