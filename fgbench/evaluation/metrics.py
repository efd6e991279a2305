"""Classification metrics from a confusion matrix. Undefined numbers are blank, never 0.

The paper's accuracy is the mean of the accuracies of the classes (section V-A), which is the unweighted
average recall (UAR). A class without samples in the test set has no recall and is left out of that mean;
undefined values are ``None`` in :class:`Scores` and NaN in arrays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

MISSING = -1
"""Index of "no prediction" (for example no face): it counts as wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassScores:
    """Scores of one class.

    Attributes:
        label: Name of the class.
        n: Number of samples of the class in the test set.
        recall: Share of them that are recognised; ``None`` without samples.
        precision: Share of predictions of the class that are right; ``None`` without predictions.
        f1: ``2 * hits / (samples + predictions)``; ``None`` without both.
    """

    label: str
    n: int
    recall: float | None
    precision: float | None
    f1: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """Scores of a set of predictions.

    Attributes:
        n: Number of samples, including those without prediction.
        n_missing: Number of samples without prediction; they count as wrong.
        n_classes: Number of classes with samples; means over classes are over these.
        uar: Unweighted average recall, the mean accuracy of the classes.
        war: Weighted average recall, the share of samples that are right.
        macro_f1: Mean F1 of the classes with samples.
        classes: Scores per class.
    """

    n: int
    n_missing: int
    n_classes: int
    uar: float | None
    war: float | None
    macro_f1: float | None
    classes: tuple[ClassScores, ...]

    def to_json(self) -> dict[str, Any]:
        """Scores as plain values."""
        return {**asdict(self), "classes": [asdict(entry) for entry in self.classes]}


def confusion_matrix(truth: npt.ArrayLike, predicted: npt.ArrayLike, *, n_classes: int) -> Counts:
    """Number of samples per true and predicted class.

    Args:
        truth: (N,) indices of the true classes, 0 to ``n_classes - 1``.
        predicted: (N,) indices of the predicted classes; :data:`MISSING` for none.
        n_classes: Number of classes C.

    Returns:
        (C, C + 1) int64: rows are true classes, columns predicted ones, the last column "no prediction".

    Raises:
        ValueError: If lengths differ or an index is out of range.
    """
    truth_N = _indices(truth, "true", n_classes, lowest=0)
    predicted_N = _indices(predicted, "predicted", n_classes, lowest=MISSING)
    if truth_N.shape != predicted_N.shape:
        raise ValueError(f"{truth_N.size} true and {predicted_N.size} predicted classes, expected as many")
    columns = np.where(predicted_N == MISSING, n_classes, predicted_N)
    flat = np.bincount(truth_N * (n_classes + 1) + columns, minlength=n_classes * (n_classes + 1))
    return flat.reshape(n_classes, n_classes + 1).astype(np.int64)


def recalls(confusion: Counts) -> Floats:
    """(C,) recall of each class, NaN for a class without samples."""
    return ratio(np.diagonal(confusion), confusion.sum(axis=1))


def precisions(confusion: Counts) -> Floats:
    """(C,) precision of each class, NaN for a class that is never predicted."""
    n_classes = len(confusion)
    return ratio(np.diagonal(confusion), confusion[:, :n_classes].sum(axis=0))


def f1_scores(confusion: Counts) -> Floats:
    """(C,) F1 of each class, NaN for a class with neither samples nor predictions."""
    n_classes = len(confusion)
    total = confusion.sum(axis=1) + confusion[:, :n_classes].sum(axis=0)
    return ratio(2 * np.diagonal(confusion), total)


def uar(confusion: Counts) -> float:
    """Unweighted average recall over the classes with samples; NaN without any."""
    return _mean(recalls(confusion))


def war(confusion: Counts) -> float:
    """Share of samples that are right; NaN without samples."""
    return float(ratio(np.trace(confusion[:, : len(confusion)]), confusion.sum()))


def macro_f1(confusion: Counts) -> float:
    """Mean F1 over the classes with samples; NaN without any."""
    return _mean(f1_scores(confusion)[confusion.sum(axis=1) > 0])


def scores(confusion: Counts, labels: Sequence[str]) -> Scores:
    """All scores of a confusion matrix.

    Args:
        confusion: (C, C + 1) as of :func:`confusion_matrix`.
        labels: C names of the classes.

    Raises:
        ValueError: If the number of names is not that of the classes.
    """
    if confusion.shape != (len(labels), len(labels) + 1):
        raise ValueError(
            f"confusion of shape {confusion.shape} for {len(labels)} labels, expected (C, C + 1)"
        )
    counts = confusion.sum(axis=1)
    columns = zip(
        labels, counts, recalls(confusion), precisions(confusion), f1_scores(confusion), strict=True
    )
    return Scores(
        n=int(counts.sum()),
        n_missing=int(confusion[:, -1].sum()),
        n_classes=int((counts > 0).sum()),
        uar=_blank(uar(confusion)),
        war=_blank(war(confusion)),
        macro_f1=_blank(macro_f1(confusion)),
        classes=tuple(
            ClassScores(
                label=label, n=int(n), recall=_blank(recall), precision=_blank(precision), f1=_blank(f1)
            )
            for label, n, recall, precision, f1 in columns
        ),
    )


def _indices(values: npt.ArrayLike, kind: str, n_classes: int, *, lowest: int) -> Counts:
    array = np.asarray(values)
    if array.ndim != 1 or (array.size and not np.issubdtype(array.dtype, np.integer)):
        raise ValueError(
            f"{kind} classes of shape {array.shape} and type {array.dtype}, expected integers (N,)"
        )
    if array.size and not (lowest <= array.min() and array.max() < n_classes):
        raise ValueError(
            f"{kind} classes from {array.min()} to {array.max()}, expected {lowest} to {n_classes - 1}"
        )
    return array.astype(np.int64)


def ratio(part: npt.ArrayLike, whole: npt.ArrayLike) -> Floats:
    """Elementwise ``part / whole``, float64; NaN where ``whole`` is 0."""
    above, below = np.asarray(part, np.float64), np.asarray(whole, np.float64)
    result: Floats = np.divide(above, below, out=np.full(below.shape, np.nan), where=below > 0)
    return result


def _mean(values: Floats) -> float:
    defined = values[~np.isnan(values)]
    return float(defined.mean()) if defined.size else float("nan")


def _blank(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
