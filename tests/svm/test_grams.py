"""Gram matrices tile by tile: equal to the plain product, symmetric, whatever threads there are."""

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from fgbench.svm import grams
from fgbench.svm.grams import linear_gram, rbf_gram, squared_distances


def features(n, width=40, seed=0):
    return np.random.default_rng(seed).normal(3, 1, (n, width)).astype(np.float32)


@pytest.mark.parametrize("n", [1, 7, 8, 9, 29])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_tiles_are_the_plain_product(monkeypatch, n, dtype):
    monkeypatch.setattr(grams, "_TILE", 8)
    x, y = features(n), features(21, seed=1)
    actual = linear_gram(x, dtype=dtype)
    assert actual.dtype == dtype
    np.testing.assert_allclose(actual, x.astype(np.float64) @ x.T.astype(np.float64), rtol=1e-5)
    np.testing.assert_array_equal(actual, actual.T)
    np.testing.assert_allclose(linear_gram(y, x), y.astype(np.float64) @ x.T.astype(np.float64), rtol=1e-5)
    own = squared_distances(x, dtype=dtype)
    np.testing.assert_array_equal(own, own.T)
    direct = ((y[:, None].astype(np.float64) - x[None]) ** 2).sum(2)
    np.testing.assert_allclose(squared_distances(y, x), direct, rtol=1e-3)


def test_no_product_has_more_rows_than_a_tile(monkeypatch):
    """The BLAS of NumPy's wheels ends the process on products of 46,341 rows with themselves."""
    monkeypatch.setattr(grams, "_TILE", 8)
    sizes = []
    multiplied = grams._as_it_is
    monkeypatch.setattr(grams, "_as_it_is", lambda *tile: sizes.append(tile[0].shape) or multiplied(*tile))
    linear_gram(features(50))
    assert max(max(size) for size in sizes) == 8


def test_stored_numbers_are_those_of_float32():
    x = features(30)
    for make in (linear_gram, squared_distances):
        np.testing.assert_array_equal(make(x, dtype="float64"), make(x).astype(np.float64))
    kernel = rbf_gram(squared_distances(x), 0.01)
    assert kernel.dtype == np.float32
    wide = squared_distances(x, dtype="float64")
    assert rbf_gram(wide, 0.01, in_place=True) is wide
    np.testing.assert_array_equal(wide, kernel.astype(np.float64))


def test_threads_change_no_bit(monkeypatch):
    monkeypatch.setattr(grams, "_TILE", 64)
    x = features(300, width=500)
    actual = []
    for blas, jobs in ((1, 1), (2, 1), (2, 3)):
        with threadpool_limits(blas, user_api="blas"):
            actual.append(squared_distances(x, jobs=jobs))
    np.testing.assert_array_equal(actual[0], actual[1])
    np.testing.assert_array_equal(actual[0], actual[2])
