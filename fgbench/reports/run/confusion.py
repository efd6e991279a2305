"""Confusions of one run: between upper classes, the largest between classes, and the whole matrix as CSV.

Reads the predictions of a run; writes ``confusion.csv`` beside them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fgbench import storage
from fgbench.evaluation.hierarchy import upper_counts
from fgbench.evaluation.metrics import Counts
from fgbench.reports.rendering.table import Cell, Table
from fgbench.reports.run.scores import result_title
from fgbench.runs.confusion_csv import NO_PREDICTION, confusion_csv
from fgbench.runs.predictions import read_predictions
from fgbench.runs.results import CONFUSION, read_result
from fgbench.taxonomy import basics

N_LARGEST = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Confusion:
    """Two confused classes.

    Attributes:
        true: Class of the samples.
        predicted: Class that was predicted for them.
        samples: Number of samples.
        share: Share of all samples of the true class.
    """

    true: str
    predicted: str
    samples: int
    share: float


def largest_confusions(confusion: Counts, classes: Sequence[str], *, n: int = N_LARGEST) -> list[Confusion]:
    """Pairs of different classes with most samples; ties by the larger share, then in order.

    Args:
        confusion: (C, C + 1) as of :func:`fgbench.evaluation.metrics.confusion_matrix`.
        classes: C names.
        n: Largest number of pairs; pairs without samples are left out.
    """
    totals = confusion.sum(axis=1)
    pairs = [
        Confusion(
            true=classes[row],
            predicted=classes[column],
            samples=int(confusion[row, column]),
            share=float(confusion[row, column] / totals[row]),
        )
        for row, column in np.argwhere(confusion[:, : len(classes)] > 0)
        if row != column
    ]
    return sorted(pairs, key=lambda pair: (-pair.samples, -pair.share))[:n]


def confusion_tables(folder: Path) -> list[Table]:
    """Tables that fit a terminal: the matrix of upper classes, if there are some, and the largest confusions.

    Args:
        folder: Folder of the run.

    Raises:
        ManifestError: If the run is not finished or damaged.
    """
    result, predictions = read_result(folder), read_predictions(folder)
    confusion, classes = predictions.confusion(), predictions.classes
    name, tables = result["experiment"], []
    counts = upper_counts(confusion, classes)
    if counts is not None:
        rows: list[list[Cell]] = [
            [label, int(row.sum()), *_shares(row)] for label, row in zip(basics(), counts, strict=True)
        ]
        tables.append(
            Table(
                name=f"{name}-confusion-upper",
                title=result_title(result, "confusion of upper classes"),
                columns=["True class", "Samples", *basics(), NO_PREDICTION],
                rows=rows,
                notes=["Rows are true classes, columns predicted ones; each row adds up to 1."],
            )
        )
    pairs = largest_confusions(confusion, classes)
    largest: list[list[Cell]] = [[pair.true, pair.predicted, pair.samples, pair.share] for pair in pairs]
    tables.append(
        Table(
            name=f"{name}-confusion-largest",
            title=result_title(result, "largest confusions"),
            columns=["True class", "Predicted", "Samples", "Share of the class"],
            rows=largest,
            notes=[f"All {len(classes)} classes: {CONFUSION} in the folder of the run."],
        )
    )
    return tables


def confusion_json(folder: Path) -> dict[str, Any]:
    """Confusions as plain values; the share of a class without samples is ``None``.

    Raises:
        ManifestError: If the predictions are missing or damaged.
    """
    predictions = read_predictions(folder)
    confusion = predictions.confusion()
    counts = upper_counts(confusion, predictions.classes)
    return {
        "upper": None
        if counts is None
        else {"classes": [*basics(), NO_PREDICTION], "shares": [_shares(row) for row in counts]},
        "largest": [asdict(pair) for pair in largest_confusions(confusion, predictions.classes)],
        "file": str(folder / CONFUSION),
    }


def write_confusion(folder: Path) -> Path:
    """Write the matrix of all classes as CSV: counts, true classes in rows, predicted ones in columns.

    Args:
        folder: Folder of the run.

    Returns:
        The file.

    Raises:
        ManifestError: If the predictions are missing or damaged.
        ResourceError: If the folder cannot be written.
    """
    predictions = read_predictions(folder)
    path = folder / CONFUSION
    storage.write_text(path, confusion_csv(predictions.confusion(), predictions.classes))
    return path


def _shares(counts: npt.NDArray[np.int64]) -> list[float | None]:
    total = int(counts.sum())
    return [count / total if total else None for count in counts.tolist()]
