"""Trainings with the user's options: device, embedded data set where it is absent, runs, their output."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fgbench.cli.console import progress_bars
from fgbench.cli.embedded import prepare_embedded
from fgbench.cli.show_runs import show_runs

if TYPE_CHECKING:
    from fgbench.api.training import Runs, Training
    from fgbench.cli.options import RunOptions


def run_and_show(training: Training, run: RunOptions) -> None:
    """Run a training of classes with the user's options, and print its runs; errors as of :func:`trained`."""
    show_runs(trained(training, run), full=run.full, json=run.json)


def trained(training: Training, run: RunOptions) -> list[Path]:
    """Run a training, and return the folders of the runs.

    Args:
        training: The training.
        run: The user's options.

    Raises:
        FgbenchError: As of :meth:`fgbench.api.training.Training.find_device` and ``run``.
    """
    training.find_device()
    for workdir in training.workdirs:
        prepare_embedded(workdir, jobs=run.jobs)
    how: Runs = {
        "fold": run.fold,
        "fold_file": run.fold_file,
        "seed": run.seed,
        "seeds": run.seeds,
        "resume": run.resume,
        "force": run.force,
        "trackers": run.trackers or (),
    }
    if run.jobs is not None:
        how["jobs"] = run.jobs
    with progress_bars(quiet=run.json) as progress:
        how["progress"] = progress
        return training.run(**how)
