"""Softmax regression with an L2 penalty on features, for one penalty or a path of them."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from fgbench.svm.one_vs_rest import Machine

Matrix = npt.NDArray[np.float32]

_MOST_STEPS = 1000
_TOLERANCE = 1e-4


def fit_logistic(
    features: Matrix, truth: npt.ArrayLike, *, labels: Sequence[str], c: float, balanced: bool
) -> Machine:
    """Fit softmax regression with an L2 penalty (scikit-learn's ``LogisticRegression``).

    Args:
        features: (n, d) float32.
        truth: (n,) classes, as indices in ``labels``; each occurs.
        labels: Names of all classes.
        c: Inverse of the penalty.
        balanced: Whether classes weigh alike.

    Returns:
        Weights (d, K) and offsets (K), whose sums over the classes are 0.
    """
    with _quiet():
        return _fitted(features, truth, labels=labels, c=c, balanced=balanced)


def _fitted(
    features: Matrix, truth: npt.ArrayLike, *, labels: Sequence[str], c: float, balanced: bool
) -> Machine:
    """Fit as :func:`fit_logistic` does, in any thread."""
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    model = LogisticRegression(
        C=c, tol=_TOLERANCE, max_iter=_MOST_STEPS, class_weight="balanced" if balanced else None
    )
    with threadpool_limits(1):  # sums over samples would depend on the number of threads
        model.fit(features, np.asarray(truth))
    weights, offsets = model.coef_.T.astype(np.float64), model.intercept_.astype(np.float64)
    if len(labels) == 2:
        weights, offsets = np.hstack([-weights, weights]) / 2, np.concatenate([-offsets, offsets]) / 2
    return Machine(weights.astype(np.float32), (offsets - offsets.mean()).astype(np.float32))


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence the advice that many classes of few samples may be a regression."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The number of unique classes", category=UserWarning)
        yield


class LogisticPath:
    """Fits the whole path of penalties side by side when the first is asked for.

    Of a fold that lacks a class, :func:`fgbench.svm.choice.fit_present` gives it the decision value -1: the
    largest of the others' is never below 0, their mean.
    """

    def __init__(self, c_values: Sequence[float], *, balanced: bool, jobs: int) -> None:
        self._c_values, self._balanced, self._jobs = sorted(c_values), balanced, jobs
        self._of: tuple[Any, Any] = (None, None)  # features and truth of the machines
        self._machines: dict[float, Machine] = {}

    def __call__(
        self,
        features: Matrix,
        truth: npt.ArrayLike,
        /,
        *,
        labels: Sequence[str],
        c: float,
        jobs: int | None = None,
    ) -> Machine:
        """Return the machine of a penalty; see :func:`fit_logistic`."""
        if self._of[0] is not features or not np.array_equal(self._of[1], truth):
            fit = partial(_fitted, features, truth, labels=labels, balanced=self._balanced)
            with _quiet(), ThreadPoolExecutor(min(self._jobs, os.cpu_count() or 1)) as pool:
                machines = pool.map(lambda value: fit(c=value), self._c_values)
                self._machines = dict(zip(self._c_values, machines, strict=True))
            self._of = (features, np.array(truth))
        return self._machines[c]
