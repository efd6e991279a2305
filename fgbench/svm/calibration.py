"""Probabilities from decision values of support vector machines (Platt, 1999)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fgbench.errors import DatasetError

Matrix = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Sigmoid:
    """Conversion of decision values to probabilities (Platt, 1999), with one curve for all classes.

    Attributes:
        slope: At least 0: a larger decision value never gets a smaller probability.
        offset: Log-odds at a decision value of 0.
    """

    slope: float
    offset: float

    def probabilities(self, decisions: Matrix) -> Matrix:
        """Return (m, C) float32 probabilities; each row adds up to 1, in the order of the decision values."""
        logits = self.slope * decisions.astype(np.float64) + self.offset
        # log(1 / (1 + exp(-logit))), normalised as a softmax, so that far negative rows do not vanish.
        logs = -np.logaddexp(0.0, -logits)
        shares = np.exp(logs - logs.max(axis=1, keepdims=True))
        result: Matrix = (shares / shares.sum(axis=1, keepdims=True)).astype(np.float32)
        return result


def fit_sigmoid(decisions: Matrix, truth: npt.ArrayLike) -> Sigmoid:
    """Calibrate on validation samples: never on test samples, nor on those that the machine was fitted to.

    All classes share one curve, fitted to all pairs of a sample and a class: a few validation samples per
    class do not determine a curve each, and one curve keeps the order of the classes, so that the class
    predicted is also the most probable one. Targets are Platt's, (N+ + 1) / (N+ + 2) and 1 / (N- + 2).
    Decision values that fall with the truth get slope 0, which makes all classes equal.

    Args:
        decisions: (m, C) decision values of validation samples.
        truth: (m,) their classes.

    Raises:
        ValueError: If shapes do not agree.
        DatasetError: If there are no samples.
    """
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    values = np.asarray(decisions, dtype=np.float64)
    classes = np.asarray(truth)
    if values.ndim != 2 or classes.shape != values.shape[:1]:
        raise ValueError(
            f"decision values of shape {values.shape} and {classes.size} samples, expected (m, C)"
        )
    if not values.size:
        raise DatasetError("no validation samples, expected some to calibrate on", "use a validation part")
    positive = classes[:, None] == np.arange(values.shape[1])
    n_positive = int(positive.sum())
    n_negative = positive.size - n_positive
    target = np.where(positive, (n_positive + 1) / (n_positive + 2), 1 / (n_negative + 2)).ravel()
    # A soft target is one sample of either class, with the target and its rest as weights. Scaled values
    # keep the solver's tolerance meaningful.
    spread = float(values.std()) or 1.0
    column = np.tile(values.reshape(-1, 1) / spread, (2, 1))
    model = LogisticRegression(C=np.inf, tol=1e-8, max_iter=1000)
    weights = np.concatenate([target, 1.0 - target])
    with threadpool_limits(1):  # sums over samples would depend on the number of threads
        model.fit(column, np.repeat([1, 0], target.size), sample_weight=weights)
    slope = float(model.coef_[0, 0]) / spread
    return Sigmoid(max(slope, 0.0), float(model.intercept_[0]))
