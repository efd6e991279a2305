"""Chi-square kernels, against scikit-learn."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics.pairwise import additive_chi2_kernel, chi2_kernel

from fgbench.errors import DatasetError
from fgbench.svm.kernels import chi2_distances, combined_kernel, mean_distance


def histograms(n, width, filled=1.0, seed=0):
    generator = np.random.default_rng(seed)
    values = generator.random((n, width)) * (generator.random((n, width)) < filled)
    values[:, 0] += 1e-3
    return (values / values.sum(axis=1, keepdims=True)).astype(np.float32)


def reference(x, y):
    """scikit-learn's sum is twice the distance, with the sign of a kernel."""
    return -0.5 * additive_chi2_kernel(x.astype(np.float64), y.astype(np.float64))


@pytest.mark.parametrize("filled", [0.002, 0.05, 0.5, 1.0])
@pytest.mark.parametrize(("n", "m", "width"), [(1, 1, 1), (3, 700, 130), (150, 5, 4000)])
def test_distances_are_scikit_learns(n, m, width, filled):
    x, y = histograms(n, width, filled), histograms(m, width, filled, seed=1)
    actual = chi2_distances(x, y)
    assert actual.dtype == np.float32
    assert actual.min() >= 0.0
    np.testing.assert_allclose(actual, reference(x, y), atol=1e-6)


def test_one_channel_is_scikit_learns_kernel():
    """exp(-D / A) is exp(-gamma * sum) with gamma = 1 / (2 A)."""
    x, y = histograms(40, 300, 0.3), histograms(30, 300, 0.3, seed=1)
    mean = mean_distance(chi2_distances(x))
    actual = combined_kernel({"hog": chi2_distances(y, x)}, {"hog": mean})
    np.testing.assert_allclose(actual, chi2_kernel(y, x, gamma=1 / (2 * mean)), atol=1e-6)


def test_several_channels_multiply():
    x = {name: histograms(25, 200, 0.2, seed=seed) for seed, name in enumerate(["hof", "hog", "traj"])}
    distances = {name: chi2_distances(values) for name, values in x.items()}
    means = {name: mean_distance(matrix) for name, matrix in distances.items()}
    expected = np.prod([np.exp(-reference(x[name], x[name]) / means[name]) for name in x], axis=0)
    np.testing.assert_allclose(combined_kernel(distances, means), expected, atol=1e-6)


def test_a_training_matrix_is_symmetric_with_zeros_in_the_diagonal():
    x = histograms(300, 500, 0.1)
    actual = chi2_distances(x)
    np.testing.assert_array_equal(actual, actual.T)
    np.testing.assert_array_equal(np.diagonal(actual), 0.0)
    np.testing.assert_allclose(actual, reference(x, x), atol=1e-6)


def test_a_training_matrix_becomes_symmetric_in_place():
    """4 bytes per pair, and little else."""
    n = 1500
    x = histograms(n, 8)
    chi2_distances(x[:9])  # compilation is not counted
    tracemalloc.start()
    try:
        actual = chi2_distances(x, jobs=1)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    np.testing.assert_array_equal(actual, actual.T)
    assert peak < 6 * n * n


def test_empty_histograms_are_half_the_sum_away():
    x = histograms(5, 60)
    x[2] = 0.0
    np.testing.assert_allclose(chi2_distances(x)[2], [0.5, 0.5, 0.0, 0.5, 0.5], atol=1e-6)


def test_disjoint_histograms_are_one_away():
    np.testing.assert_allclose(chi2_distances(np.eye(6)), 1.0 - np.eye(6), atol=1e-7)


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(power=st.integers(-30, 30), seed=st.integers(0, 5), filled=st.sampled_from([0.1, 1.0]))
def test_any_scale_is_right(power, seed, filled):
    scale = 10.0**power
    x = (histograms(9, 70, filled, seed=seed) * scale).astype(np.float32)
    y = (histograms(8, 70, filled, seed=seed + 9) * scale).astype(np.float32)
    np.testing.assert_allclose(chi2_distances(x, y), reference(x, y), atol=1e-6 * scale)


def test_very_unequal_values_are_right():
    x = (10.0 ** np.random.default_rng(0).uniform(-25, 0, (20, 90))).astype(np.float32)
    np.testing.assert_allclose(chi2_distances(x), reference(x, x), atol=1e-5)


def test_the_number_of_jobs_does_not_matter():
    x, y = histograms(300, 80), histograms(200, 80, seed=1)
    np.testing.assert_array_equal(chi2_distances(x, y, jobs=1), chi2_distances(x, y, jobs=4))


def test_the_mean_is_over_different_pairs():
    distances = np.array([[0, 1, 2], [1, 0, 6], [2, 6, 0]], np.float32)
    assert mean_distance(distances) == 3.0


@pytest.mark.parametrize("bad", [-0.1, np.nan, np.inf])
def test_bad_values_are_refused(bad):
    x = histograms(4, 10)
    x[1, 2] = bad
    with pytest.raises(DatasetError, match="negative or non-finite"):
        chi2_distances(x)


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="of 5 and of 6 words"):
        chi2_distances(histograms(2, 5), histograms(2, 6))
    with pytest.raises(ValueError, match="expected \\(samples, words\\)"):
        chi2_distances(np.zeros(3))
    with pytest.raises(ValueError, match="0 jobs"):
        chi2_distances(histograms(2, 5), jobs=0)
    with pytest.raises(ValueError, match="same channels"):
        combined_kernel({"hog": np.zeros((2, 2), np.float32)}, {"hof": 1.0})
    with pytest.raises(ValueError, match="one shape"):
        combined_kernel(
            {"a": np.zeros((2, 2), np.float32), "b": np.zeros((2, 3), np.float32)}, {"a": 1.0, "b": 1.0}
        )
    with pytest.raises(ValueError, match="between training samples"):
        mean_distance(np.zeros((2, 3), np.float32))
    with pytest.raises(DatasetError, match="all histograms are equal"):
        mean_distance(np.zeros((3, 3), np.float32))
    with pytest.raises(DatasetError, match="1 training samples"):
        mean_distance(np.zeros((1, 1), np.float32))
