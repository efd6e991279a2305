"""Kernels of bag-of-words histograms: chi-square distances and their combination over channels.

D(h, h') = 1/2 * sum((h - h')**2 / (h + h')), words that are empty in both left out; the kernel of several
channels c is exp(-sum(D_c / A_c)), with A_c the mean distance between training samples (Wang et al., 2011,
section 4.1, after Zhang et al., 2007).

With x and y not negative, (x - y)**2 / (x + y) = y - 3 * x + 4 * x**2 / (x + y): only words with x > 0 need a
division, so the work shrinks with the emptiness of the histograms of the first argument, and the result is
the same for dense ones. Four fractions share one division, and lanes run over the samples of the second
argument. Products are float32, sums over more than 128 words float64.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from fgbench.errors import DatasetError

Matrix = npt.NDArray[np.float32]

_ROWS = 128
"""Rows per piece of work: their float64 sums are the working memory of a thread."""

_SAFE_RANGE = (1e-7, 1e7)
"""Values whose fifth powers neither vanish nor overflow in float32, as needed to combine four fractions."""


def chi2_distances(x: npt.ArrayLike, y: npt.ArrayLike | None = None, *, jobs: int | None = None) -> Matrix:
    """Compute the chi-square distance of every row of ``x`` to every row of ``y``.

    Args:
        x: (n, d) histograms, not negative; read as float32. An empty row's distance is half the other's sum.
        y: (m, d) histograms; ``None`` stands for ``x``, and gives a symmetric matrix with a diagonal of 0.
        jobs: Threads; ``None`` is one per core. The result does not depend on it.

    Returns:
        (n, m) float32, not negative. The error is below 1e-6 of the rows' sums.

    Raises:
        ValueError: If the arguments are not matrices of the same width, or ``jobs`` is below 1.
        DatasetError: If there are negative or non-finite values.
    """
    x_nd = _histograms(x)
    y_md = x_nd if y is None else _histograms(y)
    if x_nd.shape[1] != y_md.shape[1]:
        raise ValueError(f"histograms of {x_nd.shape[1]} and of {y_md.shape[1]} words, expected the same")
    if jobs is not None and jobs < 1:
        raise ValueError(f"{jobs} jobs, expected at least 1")
    y_dm = np.ones((y_md.shape[1] + 1, len(y_md)), np.float32)
    y_dm[:-1] = y_md.T
    x_sums = x_nd.sum(axis=1, dtype=np.float64)
    y_sums = y_md.sum(axis=1, dtype=np.float64)
    together = _in_safe_range(x_nd, y_md)
    result = np.empty((len(x_nd), len(y_md)), np.float32)

    sum_of_fractions = _compiled()

    def work(begin: int) -> None:
        start = begin if y is None else 0
        rows, columns = slice(begin, begin + _ROWS), slice(start, None)
        sums = np.zeros(result[rows, columns].shape, np.float64)
        sum_of_fractions(x_nd[rows], y_dm, start, together, sums)
        sums *= 2.0
        sums += 0.5 * y_sums[columns] - 1.5 * x_sums[rows, None]
        np.maximum(sums, 0.0, out=sums)
        result[rows, columns] = sums
        if y is None:  # the samples of this piece among themselves were computed both ways
            own = result[rows, rows]
            result[rows, rows] = (own + own.T) * np.float32(0.5)
            result[begin + _ROWS :, rows] = result[rows, begin + _ROWS :].T

    with ThreadPoolExecutor(jobs or os.cpu_count()) as pool:
        list(pool.map(work, range(0, len(x_nd), _ROWS)))
    if y is None:
        np.fill_diagonal(result, 0.0)
    return result


def mean_distance(distances: Matrix) -> float:
    """Compute the mean distance A_c of a channel over all pairs of different training samples.

    Args:
        distances: (n, n) symmetric distances between training samples.

    Raises:
        ValueError: If the matrix is not square.
        DatasetError: If there are fewer than two samples, or all are equal: the kernel is not defined.
    """
    n = len(distances)
    if distances.shape != (n, n):
        raise ValueError(
            f"distances of shape {distances.shape}, expected those between training samples (n, n)"
        )
    if n < 2:
        raise DatasetError(f"{n} training samples, expected at least 2 for the mean distance")
    total = distances.sum(dtype=np.float64) - np.trace(distances, dtype=np.float64)
    mean = float(total / (n * (n - 1)))
    if not mean > 0.0:
        raise DatasetError(
            f"mean distance {mean} between {n} training samples, expected above 0: all histograms are equal",
            "check that the features are not empty",
        )
    return mean


def combined_kernel(distances: Mapping[str, Matrix], means: Mapping[str, float]) -> Matrix:
    """Compute the kernel exp(-sum(D_c / A_c)) of several channels.

    Args:
        distances: Channel to (n, m) distances.
        means: Channel to A_c, from training samples alone (:func:`mean_distance`).

    Returns:
        (n, m) float32 in (0, 1].

    Raises:
        ValueError: If there are no channels, or other ones in ``means``, or shapes differ.
    """
    if not distances or distances.keys() != means.keys():
        raise ValueError(
            f"distances of {sorted(distances)} and means of {sorted(means)}, expected the same channels"
        )
    shapes = {matrix.shape for matrix in distances.values()}
    if len(shapes) != 1:
        raise ValueError(f"distances of shapes {sorted(shapes)}, expected one shape")
    exponent = np.zeros(shapes.pop(), np.float32)
    for channel in sorted(distances):
        exponent -= distances[channel] / np.float32(means[channel])
    return np.exp(exponent, out=exponent)


def _histograms(values: npt.ArrayLike) -> Matrix:
    matrix = np.ascontiguousarray(values, dtype=np.float32)
    if matrix.ndim != 2:
        raise ValueError(f"histograms of shape {matrix.shape}, expected (samples, words)")
    if matrix.size and not (np.isfinite(matrix.max()) and matrix.min() >= 0.0):
        raise DatasetError(
            "histograms with negative or non-finite values, expected counts or frequencies",
            "compute the features again",
        )
    return matrix


def _in_safe_range(x: Matrix, y: Matrix) -> bool:
    low, high = _SAFE_RANGE
    largest = max(float(x.max(initial=0.0)), float(y.max(initial=0.0)))
    return largest <= high and not bool(((x > 0.0) & (x < low)).any())


def _sum_of_fractions(
    x_nd: Matrix, y_dm: Matrix, start: int, together: bool, sums: npt.NDArray[np.float64]
) -> None:
    """Add the sum over k of x**2 / (x + y), for y from column ``start``, to ``sums`` (n, m - start).

    Four words are taken at a time if ``together``.

    The last row of ``y_dm`` is all ones: words of x that fill up a group of four (as zeros) point to it.
    """
    n, d = x_nd.shape
    m = y_dm.shape[1]
    words, lanes = 128, 512
    word = np.empty(words, np.intp)
    value = np.empty(words, np.float32)
    part = np.empty(lanes, np.float32)
    for first in range(start, m, lanes):
        last = min(m, first + lanes)
        for begin in range(0, d, words):
            end = min(d, begin + words)
            for i in range(n):
                count = 0
                for k in range(begin, end):
                    if x_nd[i, k] > 0.0:
                        word[count] = k
                        value[count] = x_nd[i, k]
                        count += 1
                if count == 0:
                    continue
                part[:] = np.float32(0.0)
                if together:
                    while count % 4:
                        word[count] = d
                        value[count] = 0.0
                        count += 1
                    for q in range(0, count, 4):
                        a, b, c, e = value[q], value[q + 1], value[q + 2], value[q + 3]
                        ya, yb = y_dm[word[q], first:last], y_dm[word[q + 1], first:last]
                        yc, ye = y_dm[word[q + 2], first:last], y_dm[word[q + 3], first:last]
                        aa, bb, cc, ee = a * a, b * b, c * c, e * e
                        for j in range(last - first):
                            da, db = a + ya[j], b + yb[j]
                            dc, de = c + yc[j], e + ye[j]
                            dab, dce = da * db, dc * de
                            top = (aa * db + bb * da) * dce + (cc * de + ee * dc) * dab
                            part[j] += top / (dab * dce)
                else:
                    for q in range(count):
                        a, ya = value[q], y_dm[word[q], first:last]
                        for j in range(last - first):
                            part[j] += a * (a / (a + ya[j]))
                for j in range(last - first):
                    sums[i, first - start + j] += part[j]


@cache
def _compiled() -> Any:
    """The function above as machine code; Numba alone takes half a second to import."""
    import numba

    return numba.njit(cache=True, nogil=True, error_model="numpy")(_sum_of_fractions)
