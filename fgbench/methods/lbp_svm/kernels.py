"""Kernels that ``lbp-svm`` chooses from, between the samples of a pool: Gram matrices, or Nyström features.

The products or distances of all samples, which take long, are computed once per normalisation and kind of
kernel; widths and inner folds take parts of them. One such matrix is in memory at a time, and the
histograms of one normalisation.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fgbench.callbacks import Progress
from fgbench.config import LbpKernel, LbpNormalisation, LbpSvmConfig
from fgbench.svm.choice import PoolKernel, Rows
from fgbench.svm.grams import linear_gram, rbf_gram, scale_gamma, squared_distances
from fgbench.svm.kernels import chi2_distances, mean_distance
from fgbench.svm.nystroem import draw_landmarks, inverse_root, map_rows

Matrix = npt.NDArray[np.float32]
Parameters = Mapping[str, float | str]

_ROWS = 2048
"""Samples per block of distances to landmarks, and of kernels taken from a matrix."""


class Histograms:
    """Histograms of a pool in one normalisation at a time.

    Args:
        read: Reads them, (n, d) float32 whose cells add up to 1; called again where one normalisation has
            replaced another, so that there is one matrix of them in memory.
    """

    def __init__(self, read: Callable[[], Matrix]) -> None:
        self._read = read
        self._values = read()
        self._is: LbpNormalisation = "none"

    def of(self, wanted: LbpNormalisation) -> Matrix:
        """Return the histograms in a normalisation; arrays returned before are no longer valid."""
        if wanted != self._is:
            if self._is != "none":
                self._values = np.empty((0, 0), np.float32)  # freed before they are read
                self._values = self._read()
            self._values = normalised(self._values, wanted)
            self._is = wanted
        return self._values


def normalised(histograms: Matrix, wanted: LbpNormalisation) -> Matrix:
    """Normalise histograms in place.

    Args:
        histograms: (n, d) float32, not negative; the cells of each add up to 1.
        wanted: ``none``: unchanged; ``hellinger``: the root of every number, so that a cell has length 1,
            and products of cells are their Bhattacharyya coefficients.
    """
    return np.sqrt(histograms, out=histograms) if wanted == "hellinger" else histograms


class LbpKernels:
    """The kernels of a recipe between the samples of a pool.

    Args:
        config: The recipe.
        pool: Histograms of all samples that machines may be fitted to or settings are chosen on.
        scaled_by: Samples that gammas and landmarks come from: the training samples; those of
            all inner folds where folds are cross-validated (their classes are not used).
        exact: Whether kernels are computed, or approximated from landmarks.
        seed: Seed of the landmarks.
        jobs: Threads; results do not depend on them.
        progress: Called before each kernel.
    """

    def __init__(
        self,
        config: LbpSvmConfig,
        pool: Histograms,
        *,
        scaled_by: Rows,
        exact: bool,
        seed: int,
        jobs: int | None,
        progress: Progress = lambda name, done, total: None,
    ) -> None:
        self._config, self._pool, self._scaled_by = config, pool, scaled_by
        self._exact, self._seed, self._jobs, self._progress = exact, seed, jobs, progress

    def __iter__(self) -> Iterator[PoolKernel]:
        """Iterate over all kernels, in the order of the recipe.

        Raises:
            DatasetError: If all features are equal.
        """
        config = self._config
        widths = {kernel: 1 if kernel == "linear" else len(config.gamma_factors) for kernel in config.kernels}
        done, total = 0, len(config.normalisations) * sum(widths.values())
        for normalisation in config.normalisations:
            for kernel in config.kernels:
                for pool_kernel in self._widths(normalisation, kernel):
                    self._progress("kernels", done, total)
                    yield pool_kernel
                    del pool_kernel  # before the next one is made
                    done += 1
        self._progress("kernels", total, total)

    def again(self, parameters: Parameters) -> PoolKernel:
        """Return the kernel of given parameters, to fit another machine to."""
        values = self._pool.of(_normalisation(parameters))
        if self._exact:
            return _GramKernel(parameters, self._base(values, _kernel(parameters)))
        if parameters["kernel"] == "linear":
            return _FeatureKernel(parameters, values)
        landmarks = self._landmarks(values)
        return self._mapped(parameters, self._to_landmarks(values, landmarks, _kernel(parameters)), landmarks)

    def others(self, histograms: Matrix, parameters: Parameters, fitted: Rows) -> Matrix:
        """Return the kernel or features of samples outside the pool, for a machine to decide on.

        Args:
            histograms: (m, d) as stored; written over.
            parameters: Parameters of the kernel.
            fitted: Samples of the pool that the machine was fitted to.

        Returns:
            (m, n) kernel to these, or (m, d) features.
        """
        rows = normalised(histograms, _normalisation(parameters))
        values = self._pool.of(_normalisation(parameters))
        kernel = _kernel(parameters)
        if self._exact:
            return _finished(_pairs(rows, values[fitted], kernel, jobs=self._jobs), parameters)
        if kernel == "linear":
            return rows
        landmarks = self._landmarks(values)
        return self._mapped(parameters, self._to_landmarks(rows, landmarks, kernel), landmarks).features

    def _widths(self, normalisation: LbpNormalisation, kernel: LbpKernel) -> Iterator[PoolKernel]:
        """Iterate over one kind of kernel in all its widths."""
        values = self._pool.of(normalisation)
        named: Parameters = {"normalisation": normalisation, "kernel": kernel}
        landmarks = values[:0] if self._exact else self._landmarks(values)
        if kernel == "linear":
            yield (
                _GramKernel(named, self._base(values, kernel))
                if self._exact
                else _FeatureKernel(named, values)
            )
            return
        base = self._base(values, kernel) if self._exact else self._to_landmarks(values, landmarks, kernel)
        scale = self._scale(values, kernel, base if self._exact else None, landmarks)
        for factor in self._config.gamma_factors:
            parameters = {**named, "gamma": factor * scale}
            yield _GramKernel(parameters, base) if self._exact else self._mapped(parameters, base, landmarks)

    def _scale(self, values: Matrix, kernel: LbpKernel, base: Matrix | None, landmarks: Matrix) -> float:
        """Return the gamma that the recipe's factors multiply."""
        if kernel == "rbf":
            return scale_gamma(values[self._scaled_by])
        own = chi2_distances(landmarks, jobs=self._jobs) if base is None else _block(base, self._scaled_by)
        return 0.5 / mean_distance(own)  # chi2_distances are half the sums of the kernel's exponent

    def _base(self, values: Matrix, kernel: LbpKernel) -> Matrix:
        return _pairs(values, None, kernel, jobs=self._jobs)

    def _landmarks(self, values: Matrix) -> Matrix:
        drawn_from = np.arange(len(values))[self._scaled_by]
        landmarks: Matrix = values[
            drawn_from[draw_landmarks(len(drawn_from), self._config.landmarks, seed=self._seed)]
        ]
        return landmarks

    def _to_landmarks(self, values: Matrix, landmarks: Matrix, kernel: LbpKernel) -> Matrix:
        """Compute (n, landmarks) distances, block by block, without a second matrix of histograms."""
        result = np.empty((len(values), len(landmarks)), np.float32)

        def work(begin: int) -> None:
            rows = slice(begin, begin + _ROWS)
            result[rows] = _pairs(values[rows], landmarks, kernel, jobs=1)

        with ThreadPoolExecutor(self._jobs or os.cpu_count()) as pool:
            list(pool.map(work, range(0, len(values), _ROWS)))
        return result

    def _mapped(self, parameters: Parameters, distances: Matrix, landmarks: Matrix) -> _FeatureKernel:
        root = inverse_root(
            _finished(_pairs(landmarks, None, _kernel(parameters), jobs=self._jobs), parameters)
        )
        features = map_rows(
            len(distances), lambda rows: _finished(distances[rows].copy(), parameters), root, jobs=self._jobs
        )
        return _FeatureKernel(parameters, features)


@dataclass(frozen=True, slots=True)
class _GramKernel:
    """Kernel by its values.

    Attributes:
        parameters: Parameters of the kernel.
        base: (n, n) products or distances of all samples of the pool.
    """

    parameters: Parameters
    base: Matrix

    def fitted(self, rows: Rows) -> npt.NDArray[Any]:
        """(n, n) float64, as LIBSVM reads."""
        return self._taken(rows, rows, np.dtype(np.float64))

    def held_out(self, rows: Rows, fitted: Rows) -> Matrix:
        """(m, n) float32."""
        return self._taken(rows, fitted, np.dtype(np.float32))

    def _taken(self, rows: Rows, columns: Rows, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
        indices = np.arange(len(self.base))
        down, across = indices[rows], indices[columns]
        result = np.empty((down.size, across.size), dtype)
        for begin in range(0, down.size, _ROWS):
            block = slice(begin, begin + _ROWS)
            result[block] = _finished(self.base[np.ix_(down[block], across)], self.parameters)
        return result


@dataclass(frozen=True, slots=True)
class _FeatureKernel:
    """Kernel by features whose products are its values.

    Attributes:
        parameters: Parameters of the kernel.
        features: (n, d) of all samples of the pool.
    """

    parameters: Parameters
    features: Matrix

    def fitted(self, rows: Rows) -> npt.NDArray[Any]:
        """(n, d) features."""
        return self.features[rows]

    def held_out(self, rows: Rows, fitted: Rows) -> Matrix:
        """(m, d) features."""
        return self.features[rows]


def _pairs(x: Matrix, y: Matrix | None, kernel: LbpKernel, *, jobs: int | None) -> Matrix:
    """Products or distances of the rows of ``x`` and ``y`` (``None``: ``x``), float32."""
    pairs: Mapping[str, Callable[..., Matrix]] = {
        "linear": linear_gram,
        "rbf": squared_distances,
        "chi2": chi2_distances,
    }
    return pairs[kernel](x, y, jobs=jobs)


def _finished(pairs: Matrix, parameters: Parameters) -> Matrix:
    """Compute the kernel of products or distances in place."""
    kernel = _kernel(parameters)
    if kernel == "linear":
        return pairs
    gamma = float(parameters["gamma"])
    return rbf_gram(pairs, 2.0 * gamma if kernel == "chi2" else gamma, in_place=True)


def _block(base: Matrix, rows: Rows) -> Matrix:
    """Return the square part of some samples; a view where they are a slice."""
    return base[rows, rows] if isinstance(rows, slice) else base[np.ix_(rows, rows)]


def _kernel(parameters: Parameters) -> LbpKernel:
    kernel: LbpKernel = parameters["kernel"]  # type: ignore[assignment]
    return kernel


def _normalisation(parameters: Parameters) -> LbpNormalisation:
    normalisation: LbpNormalisation = parameters["normalisation"]  # type: ignore[assignment]
    return normalisation
