"""Scores of one run: per class, and their means with intervals."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fgbench.evaluation import metrics
from fgbench.evaluation.clusters import LEAST, cluster_summary, few_clusters_notes
from fgbench.evaluation.significance import Interval, cluster_interval
from fgbench.reports.protocols import fairness_notes, protocol_notes
from fgbench.reports.rendering.render import text
from fgbench.reports.rendering.table import Cell, Table, data_title
from fgbench.runs.other_programs import outside_name
from fgbench.runs.predictions import Predictions, read_predictions
from fgbench.runs.results import read_result

COPIES = "Augmented copies are not scored."
"""Note of every table of scores on its samples."""


def result_title(result: Mapping[str, Any], text: str) -> str:
    """Title of a table on a run, from its result."""
    details = result["details"]
    name = outside_name(result["experiment"], details)
    return data_title(f"{name}, {text}", details["dataset"], synthetic=details["synthetic"])


def scores_table(folder: Path) -> Table:
    """Accuracy of every class and the means of a run, computed from its predictions.

    Args:
        folder: Folder of the run.

    Raises:
        ManifestError: If the run is not finished or damaged.
    """
    result = read_result(folder)
    predictions = read_predictions(folder)
    scores = metrics.scores(predictions.confusion(), predictions.classes)
    return Table(
        name=f"{result['experiment']}-scores",
        title=result_title(result, "test"),
        columns=["Class", "Samples", "Accuracy", "Precision", "F1"],
        rows=class_rows(scores),
        notes=[
            *score_notes(predictions, scores),
            *protocol_notes(result["details"]),
            *fairness_notes([(str(result["experiment"]), result)]),
        ],
    )


def class_rows(scores: metrics.Scores) -> list[list[Cell]]:
    """Rows of the classes, and of their mean: label, samples, accuracy, precision, F1."""
    rows: list[list[Cell]] = [
        [entry.label, entry.n, entry.recall, entry.precision, entry.f1] for entry in scores.classes
    ]
    return [*rows, ["mean of the classes (UAR)", scores.n, scores.uar, None, scores.macro_f1]]


def score_notes(predictions: Predictions, scores: metrics.Scores) -> list[str]:
    """Sentences on the means of predictions, their interval and coverage."""
    n_clusters = len(set(predictions.clusters()))
    return [
        _uar_sentence(predictions, 1 / scores.n_classes),
        f"WAR {text(scores.war)}, macro F1 {text(scores.macro_f1)}",
        f"{scores.n_missing} of {scores.n} samples have no prediction (no usable face, or a clip that could "
        "not be read) and count as wrong",
        COPIES,
        *(few_clusters_notes(n_clusters) if n_clusters >= LEAST else []),
    ]


def _uar_sentence(predictions: Predictions, chance: float) -> str:
    clusters = cluster_summary(predictions.clusters())
    if len(set(predictions.clusters())) < LEAST:
        score = metrics.uar(predictions.confusion())
        return (
            f"UAR {score:.3f}, no interval: {clusters}, it needs at least five (test more, or take folds, "
            f"which test each once: --set protocol.kind=k-fold of fgbench prepare); chance is {chance:.3f}"
        )
    interval = uar_interval(predictions)
    return (
        f"UAR {interval.estimate:.3f}, 95 % interval {interval.low:.3f} to {interval.high:.3f} "
        f"({clusters} left out one at a time, the trained network held fixed); "
        f"chance is {chance:.3f}"
    )


def uar_interval(predictions: Predictions) -> Interval:
    """95 % interval of the UAR of one run, see :mod:`fgbench.evaluation.clusters`."""
    truth, predicted = predictions.numbers()
    return cluster_interval(
        truth, predicted, clusters=predictions.clusters(), n_classes=len(predictions.classes)
    )
