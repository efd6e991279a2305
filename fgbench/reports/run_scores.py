"""Scores of one run: per class, and their means with intervals."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from fgbench.errors import DatasetError
from fgbench.evaluation import metrics
from fgbench.evaluation.results import Predictions, read_predictions, read_result
from fgbench.evaluation.significance import Interval, cluster_bootstrap
from fgbench.reports.model import Cell, Table, data_title
from fgbench.reports.protocols import protocol_notes


def scores_table(folder: Path) -> Table:
    """Accuracy of every class and the means of a run, computed from its predictions.

    Args:
        folder: Folder of the run.

    Raises:
        ManifestError: If the run is not finished or damaged.
    """
    result = read_result(folder)
    predictions = read_predictions(folder)
    found = metrics.scores(predictions.confusion(), predictions.classes)
    details = result["details"]
    return Table(
        name=f"{result['experiment']}-scores",
        title=data_title(f"{result['experiment']}, test", details["dataset"], synthetic=details["synthetic"]),
        columns=["Class", "Samples", "Accuracy", "Precision", "F1"],
        rows=class_rows(found),
        notes=[*score_notes(predictions, found), *protocol_notes(details)],
    )


def class_rows(found: metrics.Scores) -> list[list[Cell]]:
    """Rows of the classes, and of their mean: label, samples, accuracy, precision, F1."""
    rows: list[list[Cell]] = [
        [entry.label, entry.n, entry.recall, entry.precision, entry.f1] for entry in found.classes
    ]
    return [*rows, ["mean of the classes (UAR)", found.n, found.uar, None, found.macro_f1]]


def score_notes(predictions: Predictions, found: metrics.Scores) -> list[str]:
    """Sentences on the means of predictions, their interval and coverage."""
    cluster = "subjects" if _by_subject(predictions) else "clips"
    try:
        interval = uar_interval(predictions)
        spread = (
            f"UAR {interval.estimate:.3f}, 95 % interval {interval.low:.3f} to {interval.high:.3f} "
            f"({interval.n_clusters} {cluster} drawn anew {interval.n_resamples:,} times); "
        )
    except DatasetError:
        spread = f"UAR {found.uar:.3f}, without an interval, which takes two or more {cluster}; "
    return [
        f"{spread}chance is {1 / found.n_classes:.3f}",
        f"WAR {found.war:.3f}, macro F1 {found.macro_f1:.3f}",
        f"{found.n_missing} of {found.n} samples have no prediction (no usable face) and count as wrong",
        "Augmented copies are not scored.",
    ]


def uar_interval(predictions: Predictions) -> Interval:
    """95 % interval of the UAR, by subject where all subjects are known, else by clip."""
    numbers = {label: place for place, label in enumerate(predictions.classes)}
    truth = np.array([numbers[label] for label in predictions.labels])
    predicted = np.array(
        [metrics.MISSING if label is None else numbers[label] for label in predictions.predicted]
    )
    clusters = predictions.subject_ids if _by_subject(predictions) else predictions.clip_ids
    return cluster_bootstrap(
        truth, predicted, clusters=[str(name) for name in clusters], n_classes=len(predictions.classes)
    )


def _by_subject(predictions: Predictions) -> bool:
    return all(name is not None for name in predictions.subject_ids)
