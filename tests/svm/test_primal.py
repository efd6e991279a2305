"""Linear machines on many samples, against scikit-learn's ``LinearSVC`` and the loss itself."""

import weakref

import numpy as np
import pytest
from sklearn.svm import LinearSVC

from fgbench.errors import ConfigError, DatasetError
from fgbench.svm import primal
from fgbench.svm.choice import Candidate, select
from fgbench.svm.primal import LinearFit, fit_linear, linear_bytes_needed, moments_of

LABELS = "abcde"


def drawn(n=1500, d=30, *, seed=0):
    """Features of very unequal spread, far from 0, that tell the classes apart in part."""
    generator = np.random.default_rng(seed)
    truth = generator.integers(0, len(LABELS), n)
    kinds = np.random.default_rng(99).normal(0, 1, (len(LABELS), d))
    values = (kinds[truth] + generator.normal(0, 2, (n, d))) * np.logspace(0, -3, d) + 3.0
    return values.astype(np.float32), truth


def loss(x, truth, weights, offsets, c):
    """Of each class, in float64."""
    signs = np.where(np.arange(len(LABELS)) == truth[:, None], 1.0, -1.0)
    lacks = np.maximum(0.0, 1.0 - signs * (x.astype(np.float64) @ weights + offsets))
    return 0.5 * (weights**2).sum(axis=0) + c * (lacks**2).sum(axis=0)


@pytest.mark.slow
@pytest.mark.parametrize("c", [0.01, 1.0, 100.0])
def test_machines_are_scikit_learns(c):
    x, truth = drawn()
    machine = fit_linear(x, truth, labels=LABELS, c=c)
    actual = loss(x, truth, machine.weights.astype(np.float64), machine.offsets.astype(np.float64), c)
    moved = x.astype(np.float64) - x.mean(axis=0)
    for index in range(len(LABELS)):
        # LinearSVC punishes the offset too, the less so the larger its scale is.
        model = LinearSVC(C=c, dual=False, tol=1e-8, max_iter=5000, intercept_scaling=100.0)
        model.fit(moved, truth == index)
        weights, offset = model.coef_[0], model.intercept_[0] - model.coef_[0] @ x.mean(axis=0)
        expected = loss(x, np.where(truth == index, index, -1), weights[:, None], offset, c)[index]
        assert actual[index] == pytest.approx(expected, rel=1e-4)
        np.testing.assert_allclose(machine.decisions(x)[:, index], x @ weights + offset, atol=0.03)


def test_neither_the_number_of_jobs_nor_the_threads_of_the_blas_matter():
    from threadpoolctl import threadpool_limits

    x, truth = drawn(5000)
    actual = []
    for jobs, threads in ((1, 1), (3, 2)):
        with threadpool_limits(threads, user_api="blas"):
            actual.append(fit_linear(x, truth, labels=LABELS, c=1.0, jobs=jobs))
    np.testing.assert_array_equal(actual[0].weights, actual[1].weights)
    np.testing.assert_array_equal(actual[0].offsets, actual[1].offsets)


def test_more_features_than_samples_are_fitted_alike():
    x, truth = drawn(80, 300)
    machine = fit_linear(x, truth, labels=LABELS, c=0.1)
    actual = loss(x, truth, machine.weights.astype(np.float64), machine.offsets.astype(np.float64), 0.1)
    for index in range(len(LABELS)):
        model = LinearSVC(C=0.1, dual=False, tol=1e-8, max_iter=5000, intercept_scaling=100.0)
        model.fit(x.astype(np.float64) - x.mean(axis=0), truth == index)
        weights = model.coef_[0]
        offset = model.intercept_[0] - weights @ x.mean(axis=0)
        expected = loss(x, np.where(truth == index, index, -1), weights[:, None], offset, 0.1)[index]
        assert actual[index] == pytest.approx(expected, rel=1e-3)


def test_moments_are_computed_once_for_every_c_and_do_not_keep_features(monkeypatch):
    x, truth = drawn(200)
    asked = []
    monkeypatch.setattr(primal, "moments_of", lambda values: asked.append(len(values)) or moments_of(values))
    fit = LinearFit()
    for c in (0.1, 1.0):
        actual = fit(x, truth, labels=LABELS, c=c)
        np.testing.assert_array_equal(actual.weights, fit_linear(x, truth, labels=LABELS, c=c).weights)
        asked.remove(200)  # that of the function itself
    assert asked == [200]
    alive = weakref.ref(x)
    del x
    assert alive() is None


def test_c_is_chosen_on_validation():
    """By the recall of each C, computed here anew."""
    (x, truth), (other, reported) = drawn(300), drawn(200, seed=1)
    values = (1e-6, 1e-2, 10.0)
    chosen = select(
        [Candidate({"kernel": "linear"}, lambda: x, lambda: other)],
        truth,
        reported,
        labels=LABELS,
        c_values=values,
        fit=LinearFit(),
    )
    recalls = []
    for c in values:
        index = fit_linear(x, truth, labels=LABELS, c=c).decisions(other).argmax(axis=1)
        recalls.append(
            np.mean([(index[reported == position] == position).mean() for position in range(len(LABELS))])
        )
    assert [trial.uar for trial in chosen.trials] == pytest.approx(recalls)
    assert chosen.best.parameters["C"] == values[int(np.argmax(recalls))]


@pytest.mark.slow
def test_the_plan_is_what_a_fit_takes():
    import tracemalloc

    x, truth = drawn(20_000, 200)
    fit_linear(x[:200], truth[:200], labels=LABELS, c=1.0, jobs=1)  # imports are not counted
    tracemalloc.start()
    try:
        fit_linear(x, truth, labels=LABELS, c=1.0, jobs=1)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    planned = linear_bytes_needed(20_000, 200, len(LABELS), jobs=1)
    assert planned / 2 < peak <= planned


def test_what_cannot_be_fitted_is_refused():
    x, truth = drawn(50)
    with pytest.raises(ValueError, match=r"expected float32 \(n, d\)"):
        fit_linear(x.astype(np.float64), truth, labels=LABELS, c=1.0)
    with pytest.raises(ValueError, match="49 classes for 50 training samples"):
        fit_linear(x, truth[1:], labels=LABELS, c=1.0)
    with pytest.raises(ConfigError, match="C of 0"):
        fit_linear(x, truth, labels=LABELS, c=0.0)
    with pytest.raises(DatasetError, match="no training sample: f"):
        fit_linear(x, truth, labels="abcdef", c=1.0)
    x[3, 4] = np.nan
    with pytest.raises(DatasetError, match="non-finite"):
        fit_linear(x, truth, labels=LABELS, c=1.0)
