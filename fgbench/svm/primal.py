"""One-vs-rest linear support vector machines on many samples: no matrix of samples against samples.

Each class minimises ½ |w|² + C sum(max(0, 1 - y (w.z + b))²), the squared hinge loss of scikit-learn's
``LinearSVC``, over all samples at once (SciPy's L-BFGS; all classes side by side, so that the features are
read once per step for all of them). The weights of the search are rotated and scaled by the moments
of the features, so that few steps suffice at any C. Products are float32, block by block; sums of blocks are
float64 and in order, so that results do not depend on the number of threads.
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fgbench.svm.one_vs_rest import Machine, check_problem

Matrix = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]

MAX_STEPS = 500
"""Most steps of the search."""

_ROWS = 2048
"""Samples per block. Changing it changes the last bits."""

_MOMENT_ROWS = 16_384
"""Most samples, evenly spread, that the moments are computed from: they only speed up the search."""

_LEAST = 1e-12
"""Variances below this part of the largest count as 0."""

_ACTIVE = 0.5
"""Assumed share of samples with a loss, also only for speed."""

_TOLERANCE = 1e-5
"""The search ends when no slope is above this part of the steepest initial one."""


@dataclass(frozen=True, slots=True)
class Moments:
    """First and second moments of features.

    Attributes:
        middle: (d,) their mean.
        spreads: (r,) variances along the directions.
        directions: (d, r) orthonormal; no variance is left across them.
    """

    middle: Floats
    spreads: Floats
    directions: Floats


class LinearFit:
    """Fits as :func:`fit_linear` does, but computes the moments of the same features once for every C.

    Args:
        balanced: As of :func:`fit_linear`.
    """

    def __init__(self, *, balanced: bool = False) -> None:
        self._balanced = balanced
        self._features: Any = lambda: None
        self._moments: Moments | None = None

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
        """See :func:`fit_linear`."""
        if self._features() is not features or self._moments is None:
            self._moments = moments_of(features)
            self._features = weakref.ref(features)  # so that they can be freed
        return fit_linear(
            features,
            truth,
            labels=labels,
            c=c,
            jobs=jobs,
            moments=self._moments,
            balanced=self._balanced,
        )


def moments_of(features: Matrix) -> Moments:
    """Compute the moments of (n, d) features, from at most ``_MOMENT_ROWS`` of the samples.

    Raises:
        ValueError: If they are not a float32 matrix.
    """
    from threadpoolctl import threadpool_limits

    _check_features(features)
    n, d = features.shape
    count = min(n, _MOMENT_ROWS)
    moved = features[np.arange(count, dtype=np.int64) * n // max(count, 1)].astype(np.float64)
    middle: Floats = moved.mean(axis=0)
    moved -= middle
    with threadpool_limits(1, user_api="blas"):  # the result would depend on the number of threads
        if count < d:
            spreads, vectors = np.linalg.eigh(moved @ moved.T / count)
            kept = spreads > _LEAST * spreads[-1]
            directions = moved.T @ (vectors[:, kept] / np.sqrt(count * spreads[kept]))
            return Moments(middle, spreads[kept], directions)
        spreads, directions = np.linalg.eigh(moved.T @ moved / count)
    return Moments(middle, np.maximum(spreads, 0.0), directions)


def fit_linear(
    features: Matrix,
    truth: npt.ArrayLike,
    *,
    labels: Sequence[str],
    c: float,
    jobs: int | None = None,
    moments: Moments | None = None,
    balanced: bool = False,
) -> Machine:
    """Fit one binary machine per class: this class against all others.

    Args:
        features: (n, d) float32 features of the training samples.
        truth: (n,) classes, as indices in ``labels``.
        labels: Names of all classes of the machine.
        c: Penalty of errors, above 0.
        jobs: Threads; ``None`` is one per core. The result does not depend on it.
        moments: Result of :func:`moments_of`; ``None`` computes it.
        balanced: Whether the losses of a class, and those of all others, weigh n / (2 count) each.

    Returns:
        A machine on features: its weights are (d, C).

    Raises:
        ValueError: If shapes do not agree or ``jobs`` is below 1.
        ConfigError: If C is not above 0.
        DatasetError: If a class has no training sample, there is only one class, or features are not finite.
    """
    from scipy.optimize import minimize
    from threadpoolctl import threadpool_limits

    _check_features(features)
    truth_n = check_problem(truth, n=len(features), values=features, labels=labels, c=c, jobs=jobs)
    moments = moments or moments_of(features)
    n_features, n_classes = features.shape[1], len(labels)
    counts_k = np.bincount(truth_n, minlength=n_classes)
    own_k, rest_k = (len(features) / (2.0 * side) for side in (counts_k, len(features) - counts_k))
    curvature = 2.0 * c * _ACTIVE * len(features)
    scale_b = 1.0 / np.sqrt(curvature)
    less_r = 1.0 / np.sqrt(1.0 + curvature * moments.spreads) - 1.0

    def unscaled(w_dk: Floats) -> Floats:
        result: Floats = w_dk + moments.directions @ (less_r[:, None] * (moments.directions.T @ w_dk))
        return result

    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(jobs or os.cpu_count()) as pool:
        blocks = [slice(begin, begin + _ROWS) for begin in range(0, len(features), _ROWS)]

        def loss(flat: Floats) -> tuple[float, Floats]:
            solution = flat.reshape(n_features + 1, n_classes)
            w_dk = unscaled(solution[:-1])
            weights = w_dk.astype(np.float32)
            offsets = (scale_b * solution[-1] - moments.middle @ w_dk).astype(np.float32)

            def part(rows: slice) -> tuple[float, Matrix, Floats]:
                z_nd = features[rows]
                sign_nk = np.full((len(z_nd), n_classes), -1.0, np.float32)
                sign_nk[np.arange(len(z_nd)), truth_n[rows]] = 1.0
                lack_nk = np.maximum(1.0 - sign_nk * (z_nd @ weights + offsets), 0.0)
                slope_nk = sign_nk * lack_nk
                if balanced:
                    weight_nk = np.where(sign_nk > 0, own_k, rest_k).astype(np.float32)
                    total = float((weight_nk * np.square(lack_nk, dtype=np.float64)).sum())
                    slope_nk *= weight_nk
                else:
                    total = float(np.square(lack_nk, dtype=np.float64).sum())
                return total, z_nd.T @ slope_nk, slope_nk.sum(axis=0, dtype=np.float64)

            value, slope_dk, slope_k = 0.0, np.zeros((n_features, n_classes)), np.zeros(n_classes)
            for one, two, three in pool.map(part, blocks):
                value += one
                slope_dk += two
                slope_k += three
            gradient = np.empty_like(solution)
            gradient[:-1] = unscaled(w_dk - 2.0 * c * (slope_dk - np.outer(moments.middle, slope_k)))
            gradient[-1] = -2.0 * c * scale_b * slope_k
            return 0.5 * float((w_dk**2).sum()) + c * value, gradient.ravel()

        begin = np.zeros((n_features + 1) * n_classes)
        steepest = float(np.abs(loss(begin)[1]).max())
        options = {"maxiter": MAX_STEPS, "maxfun": 2 * MAX_STEPS, "ftol": 1e-9, "gtol": _TOLERANCE * steepest}
        solution = minimize(loss, begin, jac=True, method="L-BFGS-B", options=options).x.reshape(
            -1, n_classes
        )
        w_dk = unscaled(solution[:-1])
        offsets = scale_b * solution[-1] - moments.middle @ w_dk
    return Machine(w_dk.astype(np.float32), offsets.astype(np.float32))


def linear_bytes_needed(n: int, d: int, n_classes: int, *, jobs: int | None = None) -> int:
    """Estimate the bytes of :func:`fit_linear` at its peak, without the features.

    Args:
        n: Training samples.
        d: Features.
        n_classes: Classes.
        jobs: As of :func:`fit_linear`.
    """
    count = min(n, _MOMENT_ROWS)
    rank = min(count, d)
    moments = 12 * count * d + 8 * (4 * rank * rank + 2 * d * rank)
    search = 25 * 8 * (d + 1) * n_classes + (n // _ROWS + 1) * 4 * d * n_classes
    return moments + search + (jobs or os.cpu_count() or 1) * 5 * 4 * _ROWS * n_classes


def _check_features(features: Matrix) -> None:
    if features.ndim != 2 or features.dtype != np.float32:
        raise ValueError(
            f"features of shape {features.shape} and type {features.dtype}, expected float32 (n, d)"
        )
