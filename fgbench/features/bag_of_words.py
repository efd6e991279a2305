"""Bags of visual words: a codebook of descriptors, the nearest word of each, histograms of words.

A codebook is made by k-means on a sample of the training descriptors: the best of several runs from random
descriptors (Wang et al., 2011, section 4.1: 4000 words per channel, 100,000 descriptors, 8 runs). Callers
have to pass descriptors of training clips only; this is not checked.

k-means is scikit-learn's (Lloyd). With the defaults it reaches a lower distortion per second than the
mini-batch variant. It runs on one thread per run, because with several its sums, and hence its result, depend
on their number.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fgbench.errors import ConfigError, DatasetError

Matrix = npt.NDArray[np.float32]

_ROWS = 256
"""Descriptors compared with all words at once: their scores stay in the cache."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodebookConfig:
    """Settings of a codebook.

    Attributes:
        words: Number of words.
        samples: Descriptors drawn for k-means; all are taken if there are fewer.
        runs: Runs of k-means from different initial words; the one with the lowest distortion is kept.
        iterations: Most iterations of a run. Not stated in the paper.
    """

    words: int = 4000
    samples: int = 100_000
    runs: int = 8
    iterations: int = 10

    def __post_init__(self) -> None:
        for name in ("words", "samples", "runs", "iterations"):
            if getattr(self, name) < 1:
                raise ConfigError(f"codebook with {getattr(self, name)} {name}, expected at least 1")
        if self.samples < self.words:
            raise ConfigError(
                f"codebook of {self.words} words from {self.samples} samples, expected at least one each",
                "raise samples or lower words",
            )


@dataclass(frozen=True, slots=True)
class Codebook:
    """Words of one channel.

    Attributes:
        words: (W, D) float32 centres of the clusters.
        distortion: Mean squared distance of the sample to its nearest words.
    """

    words: Matrix
    distortion: float


def fit_codebook(
    descriptors: npt.ArrayLike,
    config: CodebookConfig | None = None,
    *,
    seed: int,
    jobs: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Codebook:
    """Fit a codebook to training descriptors.

    Args:
        descriptors: (N, D) descriptors of training clips, any real type.
        config: Sizes.
        seed: Seed of the sample and of the initial words.
        jobs: Number of parallel runs; ``None`` is one per core. The result does not depend on it.
        progress: Called with 1 after every run.

    Raises:
        ValueError: If descriptors are not a matrix, or ``jobs`` is below 1.
        DatasetError: If there are fewer descriptors than words, or non-finite values.
    """
    from threadpoolctl import threadpool_limits

    config = config or CodebookConfig()
    values = np.asarray(descriptors)
    _check_shape(values)
    if len(values) < config.words:
        raise DatasetError(
            f"{len(values)} descriptors for a codebook of {config.words} words, expected at least as many",
            "use more training clips, or a smaller codebook",
        )
    if jobs is not None and jobs < 1:
        raise ValueError(f"{jobs} jobs, expected at least 1")
    generator = np.random.default_rng(seed)
    if len(values) > config.samples:
        values = values[np.sort(generator.choice(len(values), config.samples, replace=False))]
    sample = _finite(values)
    seeds = generator.integers(0, 2**31, config.runs)
    with threadpool_limits(1), ThreadPoolExecutor(jobs or os.cpu_count()) as pool:
        codebooks = []
        for codebook in pool.map(lambda run_seed: _k_means(sample, config, int(run_seed)), seeds):
            codebooks.append(codebook)
            if progress is not None:
                progress(1)
    return min(codebooks, key=lambda codebook: codebook.distortion)


def _k_means(sample: Matrix, config: CodebookConfig, seed: int) -> Codebook:
    import warnings

    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits

    model = KMeans(config.words, init="random", n_init=1, max_iter=config.iterations, random_state=seed)
    with threadpool_limits(1, user_api="openmp"), warnings.catch_warnings():
        # Equal descriptors leave words unused, which is harmless.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(sample)
    centres = np.ascontiguousarray(model.cluster_centers_, dtype=np.float32)
    return Codebook(centres, float(model.inertia_) / len(sample))


def assign_words(descriptors: npt.ArrayLike, words: Matrix) -> npt.NDArray[np.int32]:
    """Return the nearest word of every descriptor, by comparison with all (exact up to float32 rounding).

    Args:
        descriptors: (N, D), any real type.
        words: (W, D) float32.

    Returns:
        (N,) int32; the first of equally near words.

    Raises:
        ValueError: If shapes do not agree.
        DatasetError: If there are no descriptors, or non-finite values.
    """
    values = np.asarray(descriptors)
    _check_shape(values)
    if words.ndim != 2 or values.shape[1] != words.shape[1]:
        raise ValueError(
            f"descriptors of shape {values.shape} and words of {words.shape}, expected equal widths"
        )
    # Nearest means largest x.w - w.w/2. Both are moved to the words' middle, where rounding is least, and
    # the second term is the weight of a constant column, so that one product gives the whole score.
    middle = words.mean(axis=0, dtype=np.float64).astype(np.float32)
    moved = words - middle
    weights = np.empty((words.shape[1] + 1, len(words)), np.float32)
    weights[:-1] = moved.T
    weights[-1] = -0.5 * np.einsum("wd,wd->w", moved, moved, dtype=np.float64)
    rows = np.ones((_ROWS, len(weights)), np.float32)
    scores = np.empty((_ROWS, len(words)), np.float32)
    nearest = np.empty(len(values), np.int32)
    for begin in range(0, len(values), _ROWS):
        block = _finite(values[begin : begin + _ROWS])
        n = len(block)
        np.subtract(block, middle, out=rows[:n, :-1])
        np.matmul(rows[:n], weights, out=scores[:n])
        nearest[begin : begin + n] = scores[:n].argmax(axis=1)
    return nearest


def bag_of_words(descriptors: npt.ArrayLike, codebook: Codebook) -> Matrix:
    """Return the histogram of the words of one clip.

    Args:
        descriptors: (N, D) descriptors of one channel of the clip.
        codebook: The channel's words.

    Returns:
        (W,) float32, adding up to 1.

    Raises:
        ValueError: If shapes do not agree.
        DatasetError: If there are no descriptors, or non-finite values.
    """
    nearest = assign_words(descriptors, codebook.words)
    counts = np.bincount(nearest, minlength=len(codebook.words))
    return (counts / len(nearest)).astype(np.float32)


def _check_shape(values: npt.NDArray[np.generic]) -> None:
    if values.ndim != 2:
        raise ValueError(f"descriptors of shape {values.shape}, expected (descriptors, width)")
    if 0 in values.shape:
        raise DatasetError(
            f"no descriptors (shape {values.shape}), expected at least one",
            "clips without trajectories have no histogram: record them as such",
        )


def _finite(values: npt.NDArray[np.generic]) -> Matrix:
    matrix = np.ascontiguousarray(values, dtype=np.float32)
    bad = int((~np.isfinite(matrix).all(axis=1)).sum())
    if bad:
        raise DatasetError(
            f"{bad} of {len(matrix)} descriptors have non-finite values, expected finite numbers",
            "compute the features again",
        )
    return matrix
