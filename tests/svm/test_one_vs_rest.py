"""Support vector machines and calibration, against scikit-learn and SciPy."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.metrics import balanced_accuracy_score
from sklearn.metrics.pairwise import euclidean_distances, rbf_kernel
from sklearn.svm import SVC

from fgbench.errors import ConfigError, DatasetError
from fgbench.svm.calibration import Sigmoid, fit_sigmoid
from fgbench.svm.choice import Candidate, select
from fgbench.svm.grams import linear_gram, rbf_gram, scale_gamma, squared_distances
from fgbench.svm.one_vs_rest import Machine, fit_one_vs_rest

LABELS = ("anger", "joy", "love", "fear")


def samples(n=240, width=30, seed=0, spread=1.3):
    generator = np.random.default_rng(seed)
    middles = np.random.default_rng(7).normal(0, 1, (len(LABELS), width)) * 0.5
    truth = np.arange(n) % len(LABELS)
    return (middles[truth] + generator.normal(0, spread, (n, width))).astype(np.float32), truth


def fit(gram, truth, **options):
    return fit_one_vs_rest(gram, truth, **{"labels": LABELS, "c": 1.0, **options})


@pytest.mark.slow
@pytest.mark.parametrize("c", [0.01, 1.0, 10.0])
@pytest.mark.parametrize("kernel", ["linear", "rbf"])
def test_each_machine_is_scikit_learns_svc_of_the_class_against_the_rest(kernel, c):
    x, truth = samples()
    x_test, _ = samples(seed=1)
    gamma = scale_gamma(x)
    if kernel == "linear":
        gram, cross = linear_gram(x), linear_gram(x_test, x)
    else:
        gram = rbf_gram(squared_distances(x), gamma)
        cross = rbf_gram(squared_distances(x_test, x), gamma)
    machine = fit(gram, truth, c=c)
    decisions = machine.decisions(cross)
    for index in range(len(LABELS)):
        anchor = SVC(kernel=kernel, C=c, gamma="scale").fit(x.astype(np.float64), truth == index)
        np.testing.assert_array_equal(np.flatnonzero(machine.weights[:, index]), np.sort(anchor.support_))
        expected = anchor.decision_function(x_test.astype(np.float64))
        np.testing.assert_allclose(decisions[:, index], expected, atol=5e-3 * np.abs(expected).max())


def test_grams_are_scikit_learns():
    x, _ = samples(50)
    y, _ = samples(40, seed=1)
    x, y = x + 100, y + 100
    np.testing.assert_allclose(squared_distances(x, y), euclidean_distances(x, y, squared=True), rtol=1e-4)
    np.testing.assert_allclose(
        rbf_gram(squared_distances(x, y), 0.02), rbf_kernel(x, y, gamma=0.02), atol=1e-5
    )
    np.testing.assert_allclose(linear_gram(x, y), x.astype(float) @ y.T.astype(float), rtol=1e-6)
    own = squared_distances(x)
    np.testing.assert_array_equal(np.diagonal(own), 0.0)
    np.testing.assert_allclose(own, own.T, rtol=1e-6)


def test_gamma_scale_is_scikit_learns():
    x, truth = samples(60)
    assert scale_gamma(x) == pytest.approx(SVC(gamma="scale").fit(x, truth)._gamma, rel=1e-6)
    with pytest.raises(DatasetError, match="all features are equal"):
        scale_gamma(np.ones((4, 3)))


def test_rbf_can_write_over_the_distances():
    distances = squared_distances(samples(20)[0])
    expected = rbf_gram(distances, 0.1)
    assert rbf_gram(distances, 0.1, in_place=True) is distances
    np.testing.assert_array_equal(distances, expected)


def test_the_number_of_jobs_does_not_matter():
    x, truth = samples()
    one, many = (fit(linear_gram(x), truth, jobs=jobs) for jobs in (1, 3))
    np.testing.assert_array_equal(one.weights, many.weights)
    np.testing.assert_array_equal(one.offsets, many.offsets)


def test_classes_without_training_samples_are_named():
    x, truth = samples(40)
    with pytest.raises(DatasetError, match=r"1 of 4 classes have no training sample: love"):
        fit(linear_gram(x[truth != 2]), truth[truth != 2])


def test_bad_arguments_are_refused():
    x, truth = samples(16)
    gram = linear_gram(x)
    with pytest.raises(ValueError, match=r"expected \(n, n\)"):
        fit(gram[:5], truth)
    with pytest.raises(ConfigError, match="C of 0"):
        fit(gram, truth, c=0)
    with pytest.raises(ValueError, match="expected 0 to 3"):
        fit(gram, truth + 1)
    with pytest.raises(ValueError, match="expected integers"):
        fit(gram, truth * 1.0)
    with pytest.raises(ValueError, match="0 jobs"):
        fit(gram, truth, jobs=0)
    with pytest.raises(DatasetError, match="1 class"):
        fit(gram, truth * 0, labels=["joy"])
    with pytest.raises(ConfigError, match="gamma -1"):
        rbf_gram(gram, -1)
    with pytest.raises(ValueError, match="16 training samples"):
        fit(gram, truth).decisions(gram[:, :4])
    gram[0, 0] = np.nan
    with pytest.raises(DatasetError, match="non-finite"):
        fit(gram, truth)
    with pytest.raises(DatasetError, match="non-finite"):
        linear_gram(gram)
    with pytest.raises(ValueError, match="samples, features"):
        linear_gram(np.zeros(3))


def rbf_candidates(x, x_val, gammas):
    return [
        Candidate(
            {"kernel": "rbf", "gamma": gamma},
            lambda gamma=gamma: rbf_gram(squared_distances(x), gamma),
            lambda gamma=gamma: rbf_gram(squared_distances(x_val, x), gamma),
        )
        for gamma in gammas
    ]


@pytest.mark.slow
def test_selection_takes_the_best_uar_on_validation():
    (x, truth), (x_val, val_truth) = samples(), samples(102, seed=1)
    gammas, c_values = (1e-4, 0.01, 3.0), (10.0, 0.1)
    selected = select(rbf_candidates(x, x_val, gammas), truth, val_truth, labels=LABELS, c_values=c_values)
    assert [(t.parameters["gamma"], t.parameters["C"]) for t in selected.trials] == [
        (gamma, c) for gamma in gammas for c in sorted(c_values)
    ]
    for trial in selected.trials:
        machines = [
            SVC(C=trial.parameters["C"], gamma=trial.parameters["gamma"]).fit(x, truth == index)
            for index in range(4)
        ]
        predicted = np.argmax([machine.decision_function(x_val) for machine in machines], axis=0)
        assert trial.uar == pytest.approx(balanced_accuracy_score(val_truth, predicted), abs=0.02)
    uars = [trial.uar for trial in selected.trials]
    assert selected.best == selected.trials[int(np.argmax(uars))]
    assert max(uars) > min(uars)
    cross = rbf_gram(squared_distances(x_val, x), selected.best.parameters["gamma"])
    np.testing.assert_array_equal(selected.machine.decisions(cross), selected.decisions)


def test_selection_without_anything_to_choose_from_is_refused():
    _, truth = samples(16)
    with pytest.raises(ConfigError, match="no kernel or no value of C"):
        select([], truth, truth, labels=LABELS, c_values=[1.0])
    with pytest.raises(DatasetError, match="no validation samples"):
        select([], truth, truth[:0], labels=LABELS, c_values=[1.0])


def platt_loss(parameters, decisions, target):
    chance = np.clip(expit(parameters[0] * decisions + parameters[1]), 1e-15, 1 - 1e-15)
    return -(target * np.log(chance) + (1 - target) * np.log(1 - chance)).sum()


def test_the_sigmoid_minimises_platts_loss():
    (x, truth), (x_val, val_truth) = samples(), samples(100, seed=1)
    decisions = fit(linear_gram(x), truth).decisions(linear_gram(x_val, x))
    sigmoid = fit_sigmoid(decisions, val_truth)
    positive = (val_truth[:, None] == np.arange(4)).ravel()
    target = np.where(positive, 101 / 102, 1 / 302)
    best = minimize(platt_loss, [1.0, 0.0], (decisions.ravel().astype(float), target), tol=1e-10)
    assert [sigmoid.slope, sigmoid.offset] == pytest.approx(best.x, rel=1e-3)


def test_probabilities_add_up_to_one_and_keep_the_order():
    decisions = np.random.default_rng(0).normal(-1, 2, (50, 33)).astype(np.float32)
    actual = Sigmoid(1.7, -0.4).probabilities(decisions)
    raw = expit(1.7 * decisions.astype(float) - 0.4)
    np.testing.assert_allclose(actual, raw / raw.sum(axis=1, keepdims=True), atol=1e-6)
    np.testing.assert_array_equal(actual.argmax(axis=1), decisions.argmax(axis=1))


def test_far_negative_decisions_still_have_probabilities():
    actual = Sigmoid(1.0, 0.0).probabilities(np.array([[-2000, -1999, -2100]], np.float32))
    assert actual.sum() == pytest.approx(1.0)
    assert actual.argmax() == 1


def test_decisions_that_fall_with_the_truth_give_equal_probabilities():
    truth = np.arange(40) % 4
    decisions = -np.eye(4, dtype=np.float32)[truth] + np.random.default_rng(0).normal(0, 0.1, (40, 4))
    sigmoid = fit_sigmoid(decisions.astype(np.float32), truth)
    assert sigmoid.slope == 0.0
    np.testing.assert_allclose(sigmoid.probabilities(decisions.astype(np.float32)), 0.25)


def test_calibration_needs_samples():
    with pytest.raises(DatasetError, match="no validation samples"):
        fit_sigmoid(np.empty((0, 4), np.float32), np.empty(0, int))
    with pytest.raises(ValueError, match=r"expected \(m, C\)"):
        fit_sigmoid(np.zeros((3, 4), np.float32), np.zeros(2, int))


def test_a_machine_without_support_gives_its_offsets():
    machine = Machine(np.zeros((5, 3), np.float32), np.array([1, 2, 3], np.float32))
    np.testing.assert_array_equal(machine.decisions(np.ones((2, 5), np.float32)), [[1, 2, 3]] * 2)
