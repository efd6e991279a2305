"""Accuracy of the whole face alone, for networks that also use regions (paper section IV-A).

Reads ``branches.parquet`` and ``history.json`` of runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from fgbench.errors import ManifestError
from fgbench.evaluation import metrics
from fgbench.reports.accuracies import over_seeds, pooled
from fgbench.reports.experiment import Experiment, Run
from fgbench.reports.rendering.render import text
from fgbench.reports.rendering.table import Cell
from fgbench.runs.predictions import Predictions
from fgbench.runs.result_schema import TrainingHistory, read_shaped
from fgbench.storage import read_rows

BRANCHES = "branches.parquet"
HISTORY = "history.json"
_AGAIN = "run it again with --force"


def scale_notes(experiments: Sequence[Experiment], names: Sequence[str]) -> list[str]:
    """Sentences on experiments with regions: the accuracy of the whole face alone, and how often the ranking
    loss reaches its margin.

    Args:
        experiments: Experiments; those without regions or with missing runs are skipped.
        names: Their names in the table.

    Raises:
        ManifestError: If a run is damaged.
    """
    notes = []
    for experiment, name in zip(experiments, names, strict=True):
        runs = experiment.runs
        zooms = experiment.details.get("kind") == "image" and experiment.details.get("regions")
        if not experiment.is_whole or not zooms or not all((run.folder / BRANCHES).is_file() for run in runs):
            continue
        notes.append(f"{name}: by its whole face alone {text(face_alone(experiment))}{_met(runs)}.")
    return notes


def turn_notes(experiments: Sequence[Experiment], names: Sequence[str]) -> list[str]:
    """Sentences on how softmax losses and ranking loss were put together, of the networks with both.

    Args:
        experiments: Some experiments; those without ranking loss, and of earlier versions, are passed over.
        names: Their names in the table.
    """
    names_by_kind: dict[bool, list[str]] = {}
    for experiment, name in zip(experiments, names, strict=True):
        if turns := experiment.details.get("turns"):
            names_by_kind.setdefault(turns == ["all"], []).append(name)
    sentences = {
        True: "Trained by the sum of softmax and ranking losses (ours), which the paper optimises in turn "
        "(section IV-A; how long a turn is, is not stated in the paper)",
        False: "Softmax losses and ranking loss take turns of an epoch each; how long a turn is, is not "
        "stated in the paper",
    }
    return [
        f"{sentences[key]}: {', '.join(names_by_kind[key])}." for key in sentences if key in names_by_kind
    ]


def face_alone(experiment: Experiment) -> Cell:
    """Mean accuracy of the classes by the first scale alone, over seeds; folds pooled.

    Raises:
        ManifestError: If a run is damaged.
    """
    uars = []
    for seed in experiment.seeds:
        seen = pooled([_of_face(run) for run in experiment.of_seed(seed)])
        uars.append(metrics.uar(seen.confusion()))
    return over_seeds(uars)


def _of_face(run: Run) -> Predictions:
    """Predictions of a run with those of its first scale instead."""
    whole = run.predictions()
    face_rows = {
        row["sample_id"]: row["probabilities"]
        for row in read_rows(run.folder / BRANCHES, ["branch", "sample_id", "probabilities"])
        if row["branch"] == 0
    }
    blank = [float("nan")] * len(whole.classes)
    if any(len(values) != len(blank) for values in face_rows.values()):
        raise ManifestError(f"{run.folder / BRANCHES} is damaged: it has other classes", _AGAIN)
    probabilities = np.array([face_rows.get(name, blank) for name in whole.sample_ids], np.float32)
    return replace(
        whole,
        predicted=tuple(
            whole.classes[int(np.argmax(row))] if name in face_rows else None
            for name, row in zip(whole.sample_ids, probabilities, strict=True)
        ),
        probabilities=probabilities,
    )


def _met(runs: Sequence[Run]) -> str:
    """Note on the share of training images whose region is more confident by the margin."""
    shares = []
    for run in runs:
        path = run.folder / HISTORY
        if not path.is_file():
            return ""
        read = read_shaped(path, TrainingHistory, hint=_AGAIN)
        for epoch in read["epochs"]:
            if epoch["epoch"] == read["best_epoch"] and "margin_met" in epoch["losses"]:
                shares.append(epoch["losses"]["margin_met"])
    if len(shares) != len(runs):
        return ""
    share = text(over_seeds(shares))
    return f"; share of training images whose region is surer of the class by the margin: {share}"
