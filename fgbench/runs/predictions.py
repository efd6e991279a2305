"""Predictions of a run on disk: ``predictions.parquet``, a row per test sample."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fgbench import storage
from fgbench.errors import ManifestError
from fgbench.evaluation import metrics
from fgbench.evaluation.clusters import cluster_names

if TYPE_CHECKING:
    import pyarrow as pa

PREDICTIONS = "predictions.parquet"

AGAIN = "run the experiment again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Predictions:
    """Predictions for all test samples, in columns of length N.

    Attributes:
        classes: C names of the classes, in the order of the probabilities.
        sample_ids: Unique ids (of images or clips).
        clip_ids: Clip of each sample.
        subject_ids: Subject shown; ``None`` if unknown.
        source_ids: Film, recording or other source of the clip; ``None`` if unknown, or for all of them.
        labels: True class.
        predicted: Predicted class; ``None`` where there is none (for example no face), which counts as wrong.
        probabilities: (N, C) float32; rows of samples without prediction are not read.
    """

    classes: tuple[str, ...]
    sample_ids: Sequence[str]
    clip_ids: Sequence[str]
    subject_ids: Sequence[str | None]
    labels: Sequence[str]
    predicted: Sequence[str | None]
    probabilities: npt.NDArray[np.float32]
    source_ids: Sequence[str | None] = ()

    def __post_init__(self) -> None:
        if not len(self.source_ids):
            object.__setattr__(self, "source_ids", (None,) * len(self.sample_ids))

    def confusion(self) -> metrics.Counts:
        """(C, C + 1) confusion matrix, see :func:`fgbench.evaluation.metrics.confusion_matrix`."""
        truth, predicted = self.numbers()
        return metrics.confusion_matrix(truth, predicted, n_classes=len(self.classes))

    def numbers(self) -> tuple[metrics.Counts, metrics.Counts]:
        """True and predicted classes, (N,) int64 indices into ``classes``; ``metrics.MISSING`` for none."""
        number: dict[str | None, int] = {label: index for index, label in enumerate(self.classes)}
        number[None] = metrics.MISSING
        truth = np.array([number[label] for label in self.labels], np.int64)
        return truth, np.array([number[label] for label in self.predicted], np.int64)

    def clusters(self) -> tuple[str, ...]:
        """Cluster of each sample, see :func:`fgbench.evaluation.clusters.cluster_names`."""
        return cluster_names(subject_ids=self.subject_ids, source_ids=self.source_ids, clip_ids=self.clip_ids)


def predictions_schema(classes: Sequence[str]) -> pa.Schema:
    """Arrow schema of the predictions; its metadata (``classes``, JSON) has the names of the classes."""
    import pyarrow as pa

    return pa.schema(
        [
            ("sample_id", pa.string()),
            ("clip_id", pa.string()),
            ("subject_id", pa.string()),
            ("source_id", pa.string()),
            ("label", pa.string()),
            ("predicted", pa.string()),
            ("probabilities", pa.list_(pa.float32(), len(classes))),
        ],
        metadata={"classes": json.dumps(list(classes))},
    )


def read_predictions(folder: Path) -> Predictions:
    """Read the predictions of a run.

    Raises:
        ManifestError: If they are not there or damaged.
    """
    import pyarrow as pa

    path = folder / PREDICTIONS
    with storage.parquet_explained(path, AGAIN):
        table = storage.read_table(path, hint=AGAIN)
        classes = tuple(json.loads(table.schema.metadata[b"classes"]))
        if "source_id" not in table.column_names:  # of a version that did not keep sources
            unknown_source = pa.nulls(table.num_rows, pa.string())
            table = table.add_column(3, "source_id", unknown_source)
        if not table.schema.equals(predictions_schema(classes)):
            raise ManifestError(f"{path} has columns {table.column_names}, not those of predictions", AGAIN)
        columns = {
            name: table.column(name).to_pylist() for name in table.column_names if name != "probabilities"
        }
        probabilities = matrix_of(table.column("probabilities").to_pylist(), len(classes))
        unknown = (set(columns["label"]) | set(columns["predicted"])) - {*classes, None}
        if unknown or None in columns["label"]:
            raise ManifestError(f"{path} has labels that are none of its classes", AGAIN)
    return Predictions(
        classes=classes,
        sample_ids=columns["sample_id"],
        clip_ids=columns["clip_id"],
        subject_ids=columns["subject_id"],
        source_ids=columns["source_id"],
        labels=columns["label"],
        predicted=columns["predicted"],
        probabilities=probabilities,
    )


def matrix_of(rows: Sequence[Sequence[float] | None], width: int) -> npt.NDArray[np.float32]:
    """(N, width) float32; a missing row is NaN."""
    matrix = np.full((len(rows), width), np.nan, np.float32)
    for index, values in enumerate(rows):
        if values is not None:
            matrix[index] = values
    return matrix


def table_of(predictions: Predictions) -> pa.Table:
    """Return predictions as the table on disk.

    Raises:
        ValueError: If lengths differ, ids or classes occur twice, or labels or probabilities are not valid.
    """
    import pyarrow as pa

    n, classes = len(predictions.sample_ids), predictions.classes
    columns = {
        "sample_id": predictions.sample_ids,
        "clip_id": predictions.clip_ids,
        "subject_id": predictions.subject_ids,
        "source_id": predictions.source_ids,
        "label": predictions.labels,
        "predicted": predictions.predicted,
    }
    lengths = {name: len(values) for name, values in columns.items()}
    if set(lengths.values()) != {n} or predictions.probabilities.shape != (n, len(classes)):
        raise ValueError(
            f"columns of {lengths}, probabilities of {predictions.probabilities.shape}, expected one length"
        )
    if len(set(predictions.sample_ids)) != n or len(set(classes)) != len(classes):
        raise ValueError("sample ids or classes that occur twice, expected unique ones")
    unknown = (set(predictions.labels) | set(predictions.predicted)) - {*classes, None}
    if unknown or None in predictions.labels:
        raise ValueError(f"labels {sorted(map(str, unknown))[:3]} or a missing one, expected the classes")
    rows: list[list[float] | None] = []
    for label, values in zip(predictions.predicted, predictions.probabilities, strict=True):
        if label is None:
            rows.append(None)
            continue
        if not (np.isfinite(values).all() and values.min() >= 0.0 and abs(values.sum() - 1.0) < 1e-3):
            raise ValueError(f"probabilities that add up to {values.sum()}, expected 1 and none below 0")
        rows.append(values.tolist())
    schema = predictions_schema(classes)
    return pa.table({**columns, "probabilities": rows}, schema=schema)
