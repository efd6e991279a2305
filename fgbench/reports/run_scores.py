"""Scores of one run: per class, and their means with intervals."""

from __future__ import annotations

from pathlib import Path

from fgbench.evaluation import metrics
from fgbench.evaluation.results import Predictions, read_predictions, read_result
from fgbench.evaluation.significance import Interval, cluster_bootstrap
from fgbench.reports.model import Cell, Table, data_title


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
    rows: list[list[Cell]] = [
        [entry.label, entry.n, entry.recall, entry.precision, entry.f1] for entry in found.classes
    ]
    rows.append(["mean of the classes (UAR)", found.n, found.uar, None, found.macro_f1])
    interval = uar_interval(predictions)
    cluster = "subjects" if predictions.is_by_subject() else "clips"
    details = result["details"]
    return Table(
        name=f"{result['experiment']}-scores",
        title=data_title(f"{result['experiment']}, test", details["dataset"], synthetic=details["synthetic"]),
        columns=["Class", "Samples", "Accuracy", "Precision", "F1"],
        rows=rows,
        notes=[
            f"UAR {interval.estimate:.3f}, 95 % interval {interval.low:.3f} to {interval.high:.3f} "
            f"({interval.n_clusters} {cluster} drawn anew {interval.n_resamples:,} times); "
            f"chance is {1 / found.n_classes:.3f}",
            f"WAR {found.war:.3f}, macro F1 {found.macro_f1:.3f}",
            f"{found.n_missing} of {found.n} samples have no prediction (no usable face) and count as wrong",
            "Augmented copies are not scored.",
        ],
    )


def uar_interval(predictions: Predictions) -> Interval:
    """95 % interval of the UAR, by subject where all subjects are known, else by clip."""
    truth, predicted = predictions.numbers()
    return cluster_bootstrap(
        truth, predicted, clusters=predictions.clusters(), n_classes=len(predictions.classes)
    )
