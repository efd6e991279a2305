"""Output of finished runs: one by one, or the folds and seeds of an experiment together."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fgbench.cli.console import print_json, say_all
from fgbench.cli.next_steps import say_next

if TYPE_CHECKING:
    from collections.abc import Sequence


def show_runs(folders: Sequence[Path], *, full: bool, json: bool) -> None:
    """Print finished runs, and what comes next.

    Of processes that train together only the first prints, and writes the files kept beside the runs.

    Args:
        folders: Runs; those of one experiment follow each other, and differ in fold or seed.
        full: Whether to print every class, fold and seed.
        json: Whether to print JSON.
    """
    from fgbench.api.finished import is_first_process, runs_json, runs_lines
    from fgbench.api.next_commands import after_runs

    if not is_first_process():
        return
    if json:
        for document in runs_json(folders):
            print_json(document)
        return
    say_all(runs_lines(folders, full=full))
    say_next(["baseline", "train"], lambda: after_runs(folders[0].parents[3]))
