"""Calibration of probabilities: calibration error, Brier score, reliability diagram.

The confidence of a prediction is the probability of the predicted class. Samples without prediction have no
confidence and are left out; their number is reported. The paper does not look at calibration.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import numpy.typing as npt

from fgbench.evaluation import metrics

N_BINS = 15
"""Bins of the calibration error (Guo et al., 2017)."""

Binning = Literal["width", "size"]
"""Bins of equal width between 0 and 1, or of equally many samples (adaptive)."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """A bin of a reliability diagram.

    Attributes:
        low: Least confidence; of bins of equal width exclusive, except for 0 in the first.
        high: Largest confidence.
        n: Number of samples.
        confidence: Their mean confidence; ``None`` without samples.
        accuracy: Share of them that are right; ``None`` without samples.
    """

    low: float
    high: float
    n: int
    confidence: float | None
    accuracy: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationScores:
    """Scores of probabilities; ``None`` without predictions.

    Attributes:
        n: Number of samples with a prediction.
        n_missing: Number of samples without.
        ece: Expected calibration error, bins of equal width.
        ece_adaptive: The same with equally many samples per bin.
        brier: Mean over samples of the sum over classes of squared errors, 0 to 2 (Brier, 1950).
        confidence: Mean confidence.
        accuracy: Share of the samples with a prediction that are right.
    """

    n: int
    n_missing: int
    ece: float | None
    ece_adaptive: float | None
    brier: float | None
    confidence: float | None
    accuracy: float | None


def reliability_bins(
    confidences: npt.ArrayLike, right: npt.ArrayLike, *, n_bins: int = N_BINS, binning: Binning = "width"
) -> list[Bin]:
    """Bins of confidence with their accuracy.

    Args:
        confidences: (N,) probabilities of the predicted classes, 0 to 1.
        right: (N,) whether the predictions are right.
        n_bins: Number of bins.
        binning: ``"width"``: bin k of B holds confidences in (k / B, (k + 1) / B]. ``"size"``: samples in
            order of confidence are split into groups whose sizes differ by one at most; fewer samples than
            bins give fewer bins. Equal confidences may then be separated, in the order given.

    Raises:
        ValueError: If lengths differ, a number is not in 0 to 1, or there is no bin.
    """
    confidence_N, right_N = np.asarray(confidences, np.float64), np.asarray(right, bool)
    if confidence_N.shape != right_N.shape or confidence_N.ndim != 1:
        raise ValueError(f"confidences {confidence_N.shape}, right {right_N.shape}, expected (N,) both")
    if n_bins < 1 or not ((confidence_N >= 0.0) & (confidence_N <= 1.0)).all():
        raise ValueError(f"{n_bins} bins or a confidence outside 0 to 1, expected at least 1 and 0 to 1")
    if binning == "size":
        order = np.argsort(confidence_N, kind="stable")
        groups = np.array_split(order, min(n_bins, order.size)) if order.size else []
        ends = [(float(confidence_N[group[0]]), float(confidence_N[group[-1]])) for group in groups]
    else:
        edges = np.arange(n_bins + 1) / n_bins
        bin_N = np.clip(np.searchsorted(edges, confidence_N, side="left") - 1, 0, n_bins - 1)
        groups = [np.flatnonzero(bin_N == number) for number in range(n_bins)]
        ends = [(float(low), float(high)) for low, high in pairwise(edges)]
    return [
        Bin(
            low=low,
            high=high,
            n=int(group.size),
            confidence=float(confidence_N[group].mean()) if group.size else None,
            accuracy=float(right_N[group].mean()) if group.size else None,
        )
        for group, (low, high) in zip(groups, ends, strict=True)
    ]


def expected_calibration_error(bins: Sequence[Bin]) -> float | None:
    """Mean distance of confidence and accuracy over bins, weighted by samples; ``None`` without any."""
    n = sum(entry.n for entry in bins)
    gaps = [
        entry.n * abs(entry.accuracy - entry.confidence)
        for entry in bins
        if entry.accuracy is not None and entry.confidence is not None
    ]
    return sum(gaps) / n if n else None


def confidences_of(
    truth: npt.NDArray[np.int64], predicted: npt.NDArray[np.int64], probabilities: npt.ArrayLike
) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Confidence of every sample with a prediction, and whether it is right, both (M,).

    Args:
        truth: (N,) indices of the true classes.
        predicted: (N,) indices of the predicted classes; ``metrics.MISSING`` for none.
        probabilities: (N, C).
    """
    rows = np.flatnonzero(predicted != metrics.MISSING)
    chances = np.asarray(probabilities, np.float64)
    # Sums of float32 can pass 1 by a last bit.
    return np.clip(chances[rows, predicted[rows]], 0.0, 1.0), truth[rows] == predicted[rows]


def calibration_scores(
    truth: npt.NDArray[np.int64], predicted: npt.NDArray[np.int64], probabilities: npt.ArrayLike
) -> CalibrationScores:
    """Scores of probabilities.

    Args:
        truth: (N,) indices of the true classes.
        predicted: (N,) indices of the predicted classes; ``metrics.MISSING`` for none.
        probabilities: (N, C); rows without prediction are not read.

    Raises:
        ValueError: If shapes do not agree.
    """
    chances = np.asarray(probabilities, np.float64)
    if truth.shape != predicted.shape or chances.shape[:1] != truth.shape or chances.ndim != 2:
        raise ValueError(
            f"true {truth.shape}, predicted {predicted.shape}, probabilities {chances.shape}; "
            "expected (N,), (N,) and (N, C)"
        )
    confidence, right = confidences_of(truth, predicted, chances)
    rows = np.flatnonzero(predicted != metrics.MISSING)
    n = int(rows.size)
    target = np.zeros((n, chances.shape[1]))
    target[np.arange(n), truth[rows]] = 1.0
    return CalibrationScores(
        n=n,
        n_missing=int(truth.size - n),
        ece=expected_calibration_error(reliability_bins(confidence, right)),
        ece_adaptive=expected_calibration_error(reliability_bins(confidence, right, binning="size")),
        brier=float(((chances[rows] - target) ** 2).sum(axis=1).mean()) if n else None,
        confidence=float(confidence.mean()) if n else None,
        accuracy=float(right.mean()) if n else None,
    )
