"""One-vs-rest support vector machines on Gram matrices that are computed once.

A Gram matrix (:mod:`fgbench.svm.grams`, :mod:`fgbench.svm.kernels`) is shared by all classes and
all values of C. The solver is scikit-learn's ``SVC(kernel="precomputed")`` (LIBSVM), one binary machine per
class. :mod:`fgbench.svm.choice` chooses the kernel and C.

Machines are fitted on threads of this process, and the BLAS uses one thread: results do not depend on the
number of cores or on ``OMP_NUM_THREADS``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from fgbench.errors import ConfigError, DatasetError

Matrix = npt.NDArray[np.float32]
Indices = npt.NDArray[np.int64]

_CACHE_MB = 200
"""Cache of LIBSVM per machine for rows of the kernel; rows of a given Gram matrix are cheap to read again."""


@dataclass(frozen=True, slots=True)
class Machine:
    """A fitted machine; a sample belongs to the class with the largest decision value.

    Attributes:
        weights: (n, C) float32 weights of the training samples, 0 for those without effect; of a
            machine on features (:mod:`fgbench.svm.primal`) weights of the features.
        offsets: (C,) float32.
    """

    weights: Matrix
    offsets: npt.NDArray[np.float32]

    def decisions(self, gram: Matrix) -> Matrix:
        """Compute decision values.

        Args:
            gram: (m, n) kernel between m samples and the n training samples, or m samples' n features.

        Returns:
            (m, C) float32.

        Raises:
            ValueError: If the width differs from the number of weights.
        """
        if gram.ndim != 2 or gram.shape[1] != len(self.weights):
            raise ValueError(
                f"kernel of shape {gram.shape}, expected (samples, {len(self.weights)} training samples or "
                "features)"
            )
        from threadpoolctl import threadpool_limits

        used = np.flatnonzero(self.weights.any(axis=1))
        with threadpool_limits(1, user_api="blas"):
            result: Matrix = gram[:, used] @ self.weights[used] + self.offsets
        return result


@dataclass(frozen=True, slots=True)
class Trial:
    """UAR on validation of one kernel and C.

    Attributes:
        parameters: Parameters of the kernel, and ``C``.
        uar: Unweighted average recall on validation.
    """

    parameters: Mapping[str, float | str]
    uar: float


class Fit(Protocol):
    """Fits a machine: :func:`fit_one_vs_rest`, or :class:`fgbench.svm.primal.LinearFit` on features."""

    def __call__(
        self,
        values: npt.NDArray[Any],
        truth: npt.ArrayLike,
        /,
        *,
        labels: Sequence[str],
        c: float,
        jobs: int | None = None,
    ) -> Machine:
        """Fit a machine to values of training samples and their classes."""


def fit_one_vs_rest(
    gram: npt.NDArray[np.float32] | npt.NDArray[np.float64],
    truth: npt.ArrayLike,
    *,
    labels: Sequence[str],
    c: float,
    jobs: int | None = None,
    balanced: bool = False,
) -> Machine:
    """Fit one binary machine per class: this class against all others.

    Args:
        gram: (n, n) kernel between training samples. LIBSVM reads float64: a float32 matrix is converted,
            which doubles its memory for the time of the fit.
        truth: (n,) classes, as indices in ``labels``.
        labels: Names of all classes of the machine.
        c: Penalty of errors, above 0.
        jobs: Machines fitted at the same time; ``None`` is one per core. The result does not depend on it.
        balanced: Whether errors weigh n / (2 count) of the side that they are on: the class, or all others.

    Raises:
        ValueError: If shapes do not agree or ``jobs`` is below 1.
        ConfigError: If C is not above 0.
        DatasetError: If a class has no training sample, there is only one class, or the kernel is not finite.
    """
    if gram.ndim != 2 or gram.shape[0] != gram.shape[1]:
        raise ValueError(f"kernel of shape {gram.shape}, expected (n, n)")
    truth_n = check_problem(truth, n=len(gram), values=gram, labels=labels, c=c, jobs=jobs)
    gram64 = np.ascontiguousarray(gram, dtype=np.float64)
    weights = np.zeros((truth_n.size, len(labels)), np.float32)
    offsets = np.zeros(len(labels), np.float32)

    def fit(number: int) -> None:
        from sklearn import config_context
        from sklearn.svm import SVC

        # Shrinking does not change the result, and costs more than it saves if rows are precomputed.
        weighed = "balanced" if balanced else None
        model = SVC(kernel="precomputed", C=c, shrinking=False, cache_size=_CACHE_MB, class_weight=weighed)
        with config_context(assume_finite=True):
            model.fit(gram64, truth_n == number)
        weights[model.support_, number] = model.dual_coef_[0]
        offsets[number] = model.intercept_[0]

    with ThreadPoolExecutor(jobs or os.cpu_count()) as pool:
        list(pool.map(fit, range(len(labels))))
    return Machine(weights, offsets)


def check_problem(
    truth: npt.ArrayLike,
    *,
    n: int,
    values: npt.NDArray[Any],
    labels: Sequence[str],
    c: float,
    jobs: int | None,
) -> Indices:
    """Refuse problems that no machine can be fitted to, with the errors of the functions that fit.

    Args:
        truth: Classes of the training samples.
        n: Training samples.
        values: Their kernel or features.
        labels: Names of the classes.
        c: Penalty of errors.
        jobs: Parallel machines or blocks.

    Returns:
        (n,) the classes.
    """
    truth_n = _truth(truth, labels)
    if truth_n.size != n:
        raise ValueError(f"{truth_n.size} classes for {n} training samples, expected one each")
    if not (np.isfinite(c) and c > 0.0):
        raise ConfigError(f"C of {c}, expected above 0")
    if jobs is not None and jobs < 1:
        raise ValueError(f"{jobs} jobs, expected at least 1")
    if not np.isfinite(values.sum(dtype=np.float64)):
        raise DatasetError(
            "kernel or features with non-finite values, expected finite ones", "compute the features again"
        )
    absent = [label for number, label in enumerate(labels) if not (truth_n == number).any()]
    if absent:
        raise DatasetError(
            f"{len(absent)} of {len(labels)} classes have no training sample: {', '.join(absent[:5])}",
            "add clips of them to the training part, or take them out of the label set",
        )
    if len(labels) < 2:
        raise DatasetError(f"{len(labels)} class, expected at least 2", "choose another label set")
    return truth_n


def bytes_needed(n: int, m: int, n_classes: int, *, jobs: int | None = None) -> int:
    """Estimate the bytes of a selection at its peak, without the samples, with float64 kernels.

    Args:
        n: Training samples.
        m: Samples that are compared with them at a time: the larger of validation and test.
        n_classes: Classes.
        jobs: As of :func:`fit_one_vs_rest`.
    """
    at_once = min(jobs or os.cpu_count() or 1, n_classes)
    # The kernel; that against other samples, and its columns of support vectors; weights of two machines; per
    # LIBSVM machine its cache (or all rows, if they are less), alphas, gradients.
    cache = min(_CACHE_MB << 20, 4 * n * n) + 100 * n
    return 8 * n * n + 2 * 4 * m * n + 2 * 4 * n * n_classes + at_once * cache


def _truth(values: npt.ArrayLike, labels: Sequence[str]) -> Indices:
    truth = np.asarray(values)
    if truth.ndim != 1 or (truth.size and not np.issubdtype(truth.dtype, np.integer)):
        raise ValueError(f"classes of shape {truth.shape} and type {truth.dtype}, expected integers (n,)")
    if truth.size and not (truth.min() >= 0 and truth.max() < len(labels)):
        raise ValueError(f"classes from {truth.min()} to {truth.max()}, expected 0 to {len(labels) - 1}")
    return truth.astype(np.int64)
