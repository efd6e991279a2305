"""Kernels of ``lbp-svm`` between histograms, against scikit-learn; what is computed, and how often."""

import tracemalloc
from itertools import product

import numpy as np
import pytest
from sklearn.metrics.pairwise import additive_chi2_kernel, chi2_kernel, rbf_kernel

from fgbench.config import LbpSvmConfig
from fgbench.methods.lbp_svm import kernels as _lbp_kernels
from fgbench.methods.lbp_svm.kernels import Histograms, LbpKernels, normalised
from fgbench.svm import grams

FACTORS = (0.5, 2.0)
ALL = slice(None)


def histograms(n, seed=0):
    """Of 4 cells of 12 labels, some of them empty."""
    generator = np.random.default_rng(seed)
    cells = generator.random((n, 4, 12)) * (generator.random((n, 4, 12)) < 0.6)
    cells[:, :, 0] += 1e-3
    return (cells / cells.sum(axis=2, keepdims=True)).reshape(n, 48).astype(np.float32)


def kernels(x, *, scaled_by=ALL, exact=True, landmarks=30, jobs=1, **changes):
    config = LbpSvmConfig(name="x", c_values=(1.0,), gamma_factors=FACTORS, landmarks=landmarks, **changes)
    return LbpKernels(config, Histograms(x.copy), scaled_by=scaled_by, exact=exact, seed=0, jobs=jobs)


def reference(x, y, scaled, parameters):
    """scikit-learn's kernel, with the gamma worked out here."""
    if parameters["normalisation"] == "hellinger":
        x, y, scaled = np.sqrt(x), np.sqrt(y), np.sqrt(scaled)
    x, y, scaled = x.astype(np.float64), y.astype(np.float64), scaled.astype(np.float64)
    if parameters["kernel"] == "linear":
        return x @ y.T, None
    if parameters["kernel"] == "rbf":
        scale = 1.0 / (scaled.shape[1] * scaled.var())
        return rbf_kernel(x, y, gamma=parameters["gamma"]), scale
    sums = -additive_chi2_kernel(scaled)
    pairs = ~np.eye(len(scaled), dtype=bool)
    return chi2_kernel(x, y, gamma=parameters["gamma"]), 1.0 / sums[pairs].mean()


@pytest.mark.parametrize("scaled_by", [ALL, slice(0, 25)])
def test_kernels_are_scikit_learns(scaled_by):
    x, others = histograms(40), histograms(15, seed=1)
    made = kernels(x, scaled_by=scaled_by)
    rows, fitted = np.arange(30, 40), np.arange(0, 30, 2)
    scales = {}
    names = []
    for kernel in made:
        reported = kernel.parameters
        names.append((reported["normalisation"], reported["kernel"]))
        expected, scale = reference(x, x, x[scaled_by], reported)
        assert kernel.fitted(fitted).dtype == np.float64
        np.testing.assert_allclose(kernel.fitted(fitted), expected[np.ix_(fitted, fitted)], atol=2e-6)
        np.testing.assert_allclose(kernel.held_out(rows, fitted), expected[np.ix_(rows, fitted)], atol=2e-6)
        np.testing.assert_allclose(
            kernel.held_out(slice(30, 40), slice(0, 30)), expected[30:, :30], atol=2e-6
        )
        if scale is not None:
            scales.setdefault(names[-1], []).append(reported["gamma"] / scale)
    each = [1, len(FACTORS), len(FACTORS)] * 2
    pairs = product(("none", "hellinger"), ("linear", "rbf", "chi2"))
    assert names == [pair for pair, count in zip(pairs, each, strict=True) for _ in range(count)]
    for one in scales.values():
        np.testing.assert_allclose(one, FACTORS, rtol=1e-5)
    for reported in ({"kernel": "chi2", "gamma": 0.3}, {"kernel": "rbf", "gamma": 2.0}, {"kernel": "linear"}):
        for normalisation in ("none", "hellinger", "none"):
            parameters = {**reported, "normalisation": normalisation}
            cross, _ = reference(others, x[fitted], x, parameters)
            np.testing.assert_allclose(made.others(others.copy(), parameters, fitted), cross, atol=2e-6)
            own, _ = reference(x, x, x, parameters)
            np.testing.assert_allclose(made.again(parameters).fitted(ALL), own, atol=2e-6)


@pytest.mark.slow
def test_all_landmarks_approximate_nothing():
    """With every training image a landmark, products of the features are the kernel."""
    x, others = histograms(20), histograms(9, seed=1)
    made = kernels(x, exact=False)
    for kernel in made:
        features = kernel.fitted(ALL)
        assert features.dtype == np.float32
        expected, _ = reference(x, x, x, kernel.parameters)
        np.testing.assert_allclose(features @ features.T, expected, atol=2e-4)
    for name in ("linear", "rbf", "chi2"):
        parameters = {"normalisation": "hellinger", "kernel": name, "gamma": 0.8}
        features = made.again(parameters).fitted(np.arange(5))
        cross, _ = reference(others, x[:5], x, parameters)
        np.testing.assert_allclose(made.others(others.copy(), parameters, ALL) @ features.T, cross, atol=2e-4)


@pytest.mark.slow
def test_landmarks_and_gammas_are_those_of_the_samples_that_are_named():
    """Selection images of a part have no say in either."""
    x = histograms(40)
    changed = np.concatenate([x[:25], histograms(15, seed=5)])
    for exact in (True, False):
        first, second = (
            list(kernels(values, scaled_by=slice(0, 25), exact=exact, landmarks=9)) for values in (x, changed)
        )
        for one, other in zip(first, second, strict=True):
            assert one.parameters == other.parameters
            np.testing.assert_allclose(
                one.fitted(slice(0, 25)), other.fitted(slice(0, 25)), rtol=1e-4, atol=1e-4
            )


@pytest.mark.slow
def test_nothing_depends_on_the_jobs():
    x = histograms(50)
    for exact in (True, False):
        for one, other in zip(*(kernels(x, exact=exact, jobs=jobs) for jobs in (1, 4)), strict=True):
            assert one.parameters == other.parameters
            np.testing.assert_array_equal(one.fitted(ALL), other.fitted(ALL))


def test_pairs_are_computed_once_for_all_widths_and_folds(monkeypatch):
    computed = []
    pairs = _lbp_kernels._pairs

    def counted(x, y, kernel, **options):
        computed.append(kernel)
        return pairs(x, y, kernel, **options)

    monkeypatch.setattr(_lbp_kernels, "_pairs", counted)
    positions = np.arange(30)
    for kernel in kernels(histograms(30)):
        for part in range(3):
            kernel.fitted(positions[positions % 3 != part])
    assert computed == ["linear", "rbf", "chi2"] * 2


def test_one_matrix_of_pairs_and_one_kernel_are_held_at_a_time(monkeypatch):
    """12 bytes per pair, which is what ``plan_memory`` counts: 4 of distances, 8 of the kernel."""
    monkeypatch.setattr(grams, "_TILE", 64)  # of a small kernel too, tiles are small
    monkeypatch.setattr(_lbp_kernels, "_ROWS", 64)
    n = 700
    made = kernels(histograms(n))
    list(kernels(histograms(9)))  # compilation and imports are not counted
    tracemalloc.start()
    try:
        for kernel in made:
            kernel.fitted(ALL)
            del kernel
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert 11 * n * n < peak < 15 * n * n  # histograms and their copies: less than 1


def test_the_hellinger_normalisation_makes_products_bhattacharyya_coefficients():
    x = histograms(6)
    products = normalised(x.copy(), "hellinger") @ normalised(x.copy(), "hellinger").T
    expected = [[sum((a * b) ** 0.5 for a, b in zip(one, other, strict=True)) for other in x] for one in x]
    np.testing.assert_allclose(products, expected, atol=1e-5)
    np.testing.assert_allclose(np.diagonal(products), 4.0, atol=1e-5)  # one per cell
