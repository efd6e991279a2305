"""Features whose products approximate a kernel (Nyström; Williams and Seeger 2001).

With K the kernel and L some training samples, z(x) = K(x, L) K(L, L)^(-1/2): z(x) . z(y) is the best
approximation of K(x, y) from L, and exact if x or y is in L. As scikit-learn's ``Nystroem``, but for any
kernel given by its values, and in blocks.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float32]
Indices = npt.NDArray[np.int64]

_ROWS = 2048
"""Samples per block. Changing it changes the last bits."""

_LEAST = 1e-6
"""Eigenvalues below this part of the largest are noise of float32: their directions are left out."""


def draw_landmarks(n: int, most: int, *, seed: int) -> Indices:
    """Draw sorted indices of training samples at random without replacement; all of them if there are few.

    Args:
        n: Training samples.
        most: Number to draw.
        seed: Seed of the draw.
    """
    if n <= most:
        return np.arange(n, dtype=np.int64)
    drawn = np.random.default_rng(seed).choice(n, most, replace=False)
    return np.sort(drawn).astype(np.int64)


def inverse_root(kernel: npt.ArrayLike) -> Matrix:
    """Compute K^(-1/2) of the kernel between the landmarks, (m, m) float32, symmetric.

    Args:
        kernel: (m, m), symmetric up to rounding.

    Raises:
        ValueError: If the matrix is not square.
    """
    from threadpoolctl import threadpool_limits

    k_mm = np.asarray(kernel, np.float64)
    if k_mm.ndim != 2 or k_mm.shape[0] != k_mm.shape[1]:
        raise ValueError(f"kernel of shape {k_mm.shape}, expected that between landmarks (m, m)")
    with threadpool_limits(1, user_api="blas"):  # the result would depend on the number of threads
        values, vectors = np.linalg.eigh((k_mm + k_mm.T) / 2)
        kept = values > _LEAST * values[-1]
        roots = np.where(kept, 1.0 / np.sqrt(np.where(kept, values, 1.0)), 0.0)
        result: Matrix = ((vectors * roots) @ vectors.T).astype(np.float32)
    return result


def map_rows(
    n: int,
    kernel: Callable[[slice], Matrix],
    root: Matrix,
    *,
    out: Matrix | None = None,
    jobs: int | None = None,
) -> Matrix:
    """Compute features of samples, block by block.

    Args:
        n: Samples.
        kernel: Computes K between some samples, by their rows, and the landmarks: (rows, m).
        root: Result of :func:`inverse_root`.
        out: (n, m) matrix to write into; ``kernel`` may read from it.
        jobs: Parallel blocks; ``None`` is one per core. The result does not depend on it.

    Returns:
        (n, m) float32.
    """
    from threadpoolctl import threadpool_limits

    result = np.empty((n, len(root)), np.float32) if out is None else out

    def work(begin: int) -> None:
        rows = slice(begin, min(n, begin + _ROWS))
        result[rows] = kernel(rows) @ root

    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(jobs or os.cpu_count()) as pool:
        list(pool.map(work, range(0, n, _ROWS)))
    return result


def nystroem_bytes_needed(n: int, m: int, landmarks: int, *, jobs: int | None = None) -> int:
    """Estimate the bytes of the features of samples and of their computation.

    Args:
        n: Training samples.
        m: Other samples.
        landmarks: Number of landmarks.
        jobs: As of :func:`map_rows`.
    """
    blocks = 3 * 4 * _ROWS * landmarks * (jobs or os.cpu_count() or 1)
    return 4 * landmarks * (n + m) + 5 * 8 * landmarks**2 + blocks
