"""Folders of runs as values: those of one experiment together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from fgbench.api.runs import Run
from fgbench.errors import ManifestError
from fgbench.reports.comparison.contenders import contender
from fgbench.reports.experiments import read_experiment
from fgbench.runs.results import SINGLE_FOLD


def runs_of(folders: Sequence[Path]) -> list[Run]:
    """Return the runs of folders: those of one experiment together.

    Raises:
        ManifestError: If one is missing or damaged.
    """
    return [
        _joined([folder for folder in folders if folder.parent.parent == experiment])
        for experiment in dict.fromkeys(folder.parent.parent for folder in folders)
    ]


def _joined(folders: Sequence[Path]) -> Run:
    """Return the runs of one experiment as one: those of its folders alone, whatever others it has."""
    if len(folders) == 1:
        return Run.of(folders[0])
    experiment = read_experiment(folders[0].parent.parent)
    own = {(folder.parent.name, int(folder.name)) for folder in folders}
    runs = [] if experiment is None else [run for run in experiment.runs if (run.fold, run.seed) in own]
    if experiment is None or len(runs) < len(own):
        raise ManifestError(
            f"{folders[0].parent.parent} lacks some of its runs, expected {len(own)}",
            "run the experiment again",
        )
    missing = [name for name in experiment.missing if name in {f"{fold}/{seed}" for fold, seed in own}]
    folds = sorted({fold for fold, _ in own})
    name = f"{experiment.name}/{folds[0]}" if len(folds) == 1 and folds != [SINGLE_FOLD] else ""
    return Run(contender(replace(experiment, runs=runs, missing=missing), name))
