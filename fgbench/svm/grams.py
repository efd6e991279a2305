"""Gram matrices of the linear and the RBF kernel, in float32 by one matrix product.

The squared distances are shared by all widths of the RBF kernel.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fgbench.errors import ConfigError, DatasetError

Matrix = npt.NDArray[np.float32]


def linear_gram(x: npt.ArrayLike, y: npt.ArrayLike | None = None) -> Matrix:
    """Scalar products of the rows of ``x`` (n, d) and ``y`` (m, d; ``None``: ``x``), (n, m) float32."""
    x_nd = _features(x)
    y_md = x_nd if y is None else _features(y)
    result: Matrix = x_nd @ y_md.T
    return result


def squared_distances(x: npt.ArrayLike, y: npt.ArrayLike | None = None) -> Matrix:
    """Squared Euclidean distances of the rows of ``x`` (n, d) and ``y`` (m, d; ``None``: ``x``).

    Returns:
        (n, m) float32, not negative; the diagonal is 0 for ``y=None``. Features are moved to the mean of
        ``y`` first, where products lose least in float32.
    """
    x_nd = _features(x)
    y_md = x_nd if y is None else _features(y)
    middle = y_md.mean(axis=0, dtype=np.float64).astype(np.float32)
    moved_y = y_md - middle
    moved_x = moved_y if y is None else x_nd - middle
    result: Matrix = moved_x @ moved_y.T
    result *= np.float32(-2.0)
    result += np.einsum("nd,nd->n", moved_x, moved_x)[:, None]
    result += np.einsum("md,md->m", moved_y, moved_y)
    np.maximum(result, 0.0, out=result)
    if y is None:
        np.fill_diagonal(result, 0.0)
    return result


def rbf_gram(distances: Matrix, gamma: float, *, in_place: bool = False) -> Matrix:
    """RBF kernel exp(-gamma * distances) of squared distances, float32.

    Args:
        distances: (n, m) squared distances.
        gamma: Inverse width, above 0.
        in_place: Write over ``distances`` (saves their size in memory).

    Raises:
        ConfigError: If gamma is not above 0.
    """
    if not gamma > 0.0:
        raise ConfigError(f"gamma {gamma}, expected above 0")
    result = np.multiply(distances, np.float32(-gamma), out=distances if in_place else None)
    return np.exp(result, out=result)


def scale_gamma(x: npt.ArrayLike) -> float:
    """scikit-learn's ``gamma="scale"``: 1 / (number of features * variance of all values of ``x``).

    Raises:
        DatasetError: If all features are equal.
    """
    x_nd = _features(x)
    variance = float(x_nd.var(dtype=np.float64))
    if not variance > 0.0:
        raise DatasetError("all features are equal, expected some variance", "check the feature extraction")
    return 1.0 / (float(x_nd.shape[1]) * variance)


def _features(values: npt.ArrayLike) -> Matrix:
    matrix = np.ascontiguousarray(values, dtype=np.float32)
    if matrix.ndim != 2:
        raise ValueError(f"features of shape {matrix.shape}, expected (samples, features)")
    if not np.isfinite(matrix.sum(dtype=np.float64)):
        raise DatasetError(
            "features with non-finite values, expected finite ones", "compute the features again"
        )
    return matrix
