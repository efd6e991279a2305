"""Gram matrices of the linear and the RBF kernel: products in float32, tile by tile.

Tiles of at most ``_TILE`` rows and columns are multiplied each on one thread of the BLAS, several at the
same time. So the result depends neither on the number of cores nor on ``OMP_NUM_THREADS`` (it may differ in
the last bits between kinds of processors), and no product has more rows than the BLAS of NumPy's wheels can
count: from 46,341 rows on, ``x @ x.T`` ends the process there.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from fgbench.errors import ConfigError, DatasetError

Matrix = npt.NDArray[np.float32]
Numbers = Literal["float32", "float64"]
"""Type that a Gram matrix is stored as; its values are float32 in both cases."""

_TILE = 2048
"""Most rows and columns of a product. Changing it changes the last bits."""


def linear_gram(
    x: npt.ArrayLike, y: npt.ArrayLike | None = None, *, dtype: Numbers = "float32", jobs: int | None = None
) -> npt.NDArray[Any]:
    """Compute scalar products of rows.

    Args:
        x: (n, d) features, read as float32.
        y: (m, d) features; ``None`` stands for ``x``, and gives a symmetric matrix.
        dtype: Type of the result.
        jobs: Threads; ``None`` is one per core. The result does not depend on it.

    Returns:
        (n, m) ``dtype``.

    Raises:
        ValueError: If the arguments are not matrices.
        DatasetError: If there are non-finite values.
    """
    x_nd = _features(x)
    return _products(x_nd, None if y is None else _features(y), _as_it_is, dtype=dtype, jobs=jobs)


def squared_distances(
    x: npt.ArrayLike, y: npt.ArrayLike | None = None, *, dtype: Numbers = "float32", jobs: int | None = None
) -> npt.NDArray[Any]:
    """Compute squared Euclidean distances of the rows of ``x`` (n, d) and ``y`` (m, d; ``None``: ``x``).

    Arguments and errors are those of :func:`linear_gram`.

    Returns:
        (n, m) ``dtype``, not negative; the diagonal is 0 for ``y=None``. Features are moved to the mean of
        ``y`` first, where products are most exact in float32.
    """
    x_nd = _features(x)
    y_md = x_nd if y is None else _features(y)
    middle = y_md.mean(axis=0, dtype=np.float64).astype(np.float32)
    moved_y = y_md - middle
    moved_x = moved_y if y is None else x_nd - middle
    x_norms = np.einsum("nd,nd->n", moved_x, moved_x)
    y_norms = x_norms if y is None else np.einsum("md,md->m", moved_y, moved_y)

    def distances(tile: Matrix, rows: slice, columns: slice) -> None:
        tile *= np.float32(-2.0)
        tile += x_norms[rows, None] + y_norms[columns]  # one sum, so that the matrix is symmetric
        np.maximum(tile, 0.0, out=tile)

    result = _products(moved_x, None if y is None else moved_y, distances, dtype=dtype, jobs=jobs)
    if y is None:
        np.fill_diagonal(result, 0.0)
    return result


def rbf_gram(distances: npt.NDArray[Any], gamma: float, *, in_place: bool = False) -> npt.NDArray[Any]:
    """Compute the RBF kernel exp(-gamma * distances) of squared distances, in float32.

    Args:
        distances: (n, m) squared distances, float32 or float64.
        gamma: Inverse width, above 0.
        in_place: Write over ``distances`` (saves their size in memory).

    Returns:
        (n, m) of the type of ``distances``.

    Raises:
        ConfigError: If gamma is not above 0.
    """
    if not gamma > 0.0:
        raise ConfigError(f"gamma {gamma}, expected above 0")
    result = distances if in_place else np.empty_like(distances)
    for begin in range(0, len(distances), _TILE):
        rows = slice(begin, begin + _TILE)
        exponent = np.multiply(distances[rows], np.float32(-gamma), dtype=np.float32, casting="same_kind")
        result[rows] = np.exp(exponent, out=exponent)
    return result


def scale_gamma(x: npt.ArrayLike) -> float:
    """Compute scikit-learn's ``gamma="scale"``: 1 / (number of features * variance of all values of ``x``).

    Raises:
        DatasetError: If all features are equal.
    """
    x_nd = _features(x)
    middle = float(x_nd.mean(dtype=np.float64))
    # In blocks: all deviations, in float64, would take twice the memory of the features.
    blocks = (x_nd[begin : begin + _TILE].astype(np.float64) for begin in range(0, len(x_nd), _TILE))
    variance = sum(float(np.square(block - middle).sum()) for block in blocks) / x_nd.size
    if not variance > 0.0:
        raise DatasetError("all features are equal, expected some variance", "check the feature extraction")
    return 1.0 / (float(x_nd.shape[1]) * variance)


Finish = Callable[[Matrix, slice, slice], None]
"""Converts a tile of products (rows, columns) in place."""


def _as_it_is(tile: Matrix, rows: slice, columns: slice) -> None:
    """Keep the scalar products."""


def _products(
    x_nd: Matrix, y_md: Matrix | None, finish: Finish, *, dtype: Numbers, jobs: int | None
) -> npt.NDArray[Any]:
    """Compute products of the rows of ``x_nd`` and ``y_md`` (``None``: ``x_nd``), finished tile by tile."""
    from threadpoolctl import threadpool_limits

    other = x_nd if y_md is None else y_md
    result = np.empty((len(x_nd), len(other)), dtype)

    def work(starts: tuple[int, int]) -> None:
        rows, columns = (slice(begin, begin + _TILE) for begin in starts)
        tile: Matrix = x_nd[rows] @ other[columns].T
        finish(tile, rows, columns)
        result[rows, columns] = tile
        if y_md is None and rows != columns:
            result[columns, rows] = tile.T

    tiles = [
        (row, column)
        for row in range(0, len(x_nd), _TILE)
        for column in range(0, len(other), _TILE)
        if y_md is not None or column <= row
    ]
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(jobs or os.cpu_count()) as pool:
        list(pool.map(work, tiles))
    return result


def _features(values: npt.ArrayLike) -> Matrix:
    matrix = np.ascontiguousarray(values, dtype=np.float32)
    if matrix.ndim != 2:
        raise ValueError(f"features of shape {matrix.shape}, expected (samples, features)")
    if not np.isfinite(matrix.sum(dtype=np.float64)):
        raise DatasetError(
            "features with non-finite values, expected finite ones", "compute the features again"
        )
    return matrix
