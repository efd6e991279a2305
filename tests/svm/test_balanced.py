"""Machines that weigh a class and the rest alike, against scikit-learn's ``class_weight="balanced"``."""

import numpy as np
import pytest
from sklearn.svm import SVC, LinearSVC

from fgbench.svm.grams import linear_gram
from fgbench.svm.one_vs_rest import fit_one_vs_rest
from fgbench.svm.primal import LinearFit

LABELS = ("a", "b", "c")


@pytest.fixture(scope="module")
def problem():
    random = np.random.default_rng(4)
    truth = np.repeat([0, 1, 2], [60, 20, 10])
    means = random.normal(size=(3, 6))
    return (means[truth] + random.normal(size=(90, 6))).astype(np.float32), truth


def test_machines_on_kernels_are_those_of_scikit_learn(problem):
    features, truth = problem
    machine = fit_one_vs_rest(linear_gram(features), truth, labels=LABELS, c=0.5, balanced=True)
    decisions = machine.decisions(linear_gram(features))
    for number in range(3):
        model = SVC(kernel="linear", C=0.5, class_weight="balanced").fit(features, truth == number)
        np.testing.assert_allclose(decisions[:, number], model.decision_function(features), atol=2e-2)


def test_machines_on_features_are_those_of_scikit_learn(problem):
    features, truth = problem
    machine = LinearFit(balanced=True)(features, truth, labels=LABELS, c=0.5)
    decisions = machine.decisions(features)
    for number in range(3):
        model = LinearSVC(C=0.5, class_weight="balanced", tol=1e-8, max_iter=100_000, intercept_scaling=1e3)
        model.fit(features, truth == number)
        np.testing.assert_allclose(decisions[:, number], model.decision_function(features), atol=2e-2)
