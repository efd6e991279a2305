"""Approximated kernels, against scikit-learn's and against the kernels themselves."""

import numpy as np
import pytest
from sklearn.kernel_approximation import Nystroem
from sklearn.metrics.pairwise import rbf_kernel

from fgbench.svm.nystroem import draw_landmarks, inverse_root, map_rows

X = np.random.default_rng(0).normal(0, 1, (300, 8)).astype(np.float32)
GAMMA = 0.05


def features(landmarks, rows=X, **more):
    root = inverse_root(rbf_kernel(landmarks, gamma=GAMMA))
    kernel = rbf_kernel(rows, landmarks, gamma=GAMMA).astype(np.float32)
    return map_rows(len(rows), lambda part: kernel[part], root, **more)


def test_products_are_those_of_scikit_learns_features():
    model = Nystroem(kernel="rbf", gamma=GAMMA, n_components=40, random_state=0).fit(X)
    expected = model.transform(X)
    actual = features(X[model.component_indices_])
    np.testing.assert_allclose(actual @ actual.T, expected @ expected.T, atol=2e-3)


def test_with_all_samples_as_landmarks_products_are_the_kernel():
    actual = features(X[:100])[:100]
    np.testing.assert_allclose(actual @ actual.T, rbf_kernel(X[:100], gamma=GAMMA), atol=2e-3)


def test_landmarks_that_come_twice_do_no_harm():
    once, twice = features(X[:30]), features(np.concatenate([X[:30], X[:30]]))
    np.testing.assert_allclose(twice @ twice.T, once @ once.T, atol=2e-3)


def test_neither_the_number_of_jobs_nor_writing_in_place_matters(monkeypatch):
    monkeypatch.setattr("fgbench.svm.nystroem._ROWS", 64)
    one = features(X[:20], jobs=1)
    np.testing.assert_array_equal(one, features(X[:20], jobs=4))
    root = inverse_root(rbf_kernel(X[:20], gamma=GAMMA))
    held = rbf_kernel(X, X[:20], gamma=GAMMA).astype(np.float32)
    actual = map_rows(len(held), lambda part: held[part], root, out=held)
    assert actual is held
    np.testing.assert_array_equal(actual, one)


def test_landmarks_are_drawn_once_each_and_from_all_samples():
    drawn = np.array([draw_landmarks(50, 10, seed=seed) for seed in range(300)])
    assert all(len(set(row)) == 10 for row in drawn.tolist())
    assert (np.diff(drawn, axis=1) > 0).all()
    times = np.bincount(drawn.ravel(), minlength=50)  # binomial: mean 60, sd 7
    assert times.min() > 30
    assert times.max() < 90
    np.testing.assert_array_equal(draw_landmarks(50, 10, seed=7), drawn[7])
    np.testing.assert_array_equal(draw_landmarks(5, 10, seed=0), np.arange(5))


def test_other_shapes_are_refused():
    with pytest.raises(ValueError, match=r"between landmarks \(m, m\)"):
        inverse_root(np.ones((2, 3)))
