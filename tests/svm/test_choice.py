"""The choice of kernel and C by held-out samples: of one part, or of folds that the others decide."""

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score
from sklearn.svm import SVC

from fgbench.errors import DatasetError
from fgbench.svm.choice import Fold, choose, fit_present
from fgbench.svm.grams import linear_gram
from fgbench.svm.one_vs_rest import fit_one_vs_rest

LABELS = ("anger", "joy", "love", "fear")


def samples(n=120, width=8, seed=0):
    generator = np.random.default_rng(seed)
    middles = np.random.default_rng(7).normal(0, 1, (len(LABELS), width)) * 0.5
    truth = np.arange(n) % len(LABELS)
    return (middles[truth] + generator.normal(0, 0.9, (n, width))).astype(np.float32), truth


class Linear:
    """A linear kernel that notes who was fitted to and who was decided."""

    def __init__(self, x, name="linear"):
        self.gram, self.parameters, self.asked = linear_gram(x), {"kernel": name}, []

    def fitted(self, rows):
        return self.gram[rows][:, rows].astype(np.float64)

    def held_out(self, rows, fitted):
        self.asked.append((rows, fitted))
        return self.gram[rows][:, fitted]


def thirds(n):
    positions = np.arange(n)
    return [Fold(positions[positions % 3 != k], positions[positions % 3 == k]) for k in range(3)]


def chosen(kernels, folds, truth, **options):
    options = {"labels": LABELS, "c_values": [10.0, 0.1], "fit": fit_one_vs_rest, "jobs": 1, **options}
    return choose(kernels, folds, truth, **options)


def test_one_fold_is_a_choice_on_a_validation_part():
    x, truth = samples()
    actual = chosen([Linear(x)], [Fold(slice(0, 80), slice(80, 120))], truth)
    # The products of the same matrix: those of a smaller one differ in their last bits, by the machine.
    gram, cross = Linear(x).fitted(slice(0, 80)), Linear(x).held_out(slice(80, 120), slice(0, 80))
    np.testing.assert_allclose(gram, x[:80].astype(np.float64) @ x[:80].T.astype(np.float64), atol=1e-4)
    np.testing.assert_allclose(cross, x[80:].astype(np.float64) @ x[:80].T.astype(np.float64), atol=1e-4)
    machines = [fit_one_vs_rest(gram, truth[:80], labels=LABELS, c=c) for c in (0.1, 10.0)]
    decisions = [machine.decisions(cross) for machine in machines]
    uars = [balanced_accuracy_score(truth[80:], values.argmax(axis=1)) for values in decisions]
    assert [trial.parameters["C"] for trial in actual.trials] == [0.1, 10.0]
    assert [trial.uar for trial in actual.trials] == pytest.approx(uars)
    best = int(np.argmax(uars))
    assert actual.best == actual.trials[best]
    np.testing.assert_array_equal(actual.decisions, decisions[best])
    np.testing.assert_array_equal(actual.machine.weights, machines[best].weights)
    np.testing.assert_array_equal(actual.truth, truth[80:])


def test_folds_are_decided_by_machines_of_the_others_and_scored_together():
    x, truth = samples()
    folds, kernel = thirds(120), Linear(x)
    actual = chosen([kernel], folds, truth, c_values=[1.0])
    for rows, fitted in kernel.asked:
        assert not set(rows) & set(fitted)
    assert actual.machine is None, "none of them is fitted to all"
    order = np.concatenate([fold.held_out for fold in folds])
    np.testing.assert_array_equal(actual.truth, truth[order])
    expected = np.empty((120, len(LABELS)))
    for fold in folds:
        for index in range(len(LABELS)):
            anchor = SVC(kernel="linear").fit(x[fold.fitted].astype(float), truth[fold.fitted] == index)
            expected[fold.held_out, index] = anchor.decision_function(x[fold.held_out].astype(float))
    np.testing.assert_allclose(actual.decisions, expected[order], atol=2e-2)
    score = balanced_accuracy_score(truth[order], actual.decisions.argmax(axis=1))
    assert actual.best.uar == pytest.approx(score)


@pytest.mark.slow
def test_the_first_of_equals_is_chosen_whatever_the_number_of_jobs():
    x, truth = samples()
    runs = [
        chosen([Linear(x), Linear(x, "again")], thirds(120), truth, c_values=[1.0, 1.5], jobs=jobs)
        for jobs in (1, 4)
    ]
    assert runs[0].best.parameters["kernel"] == "linear"
    assert runs[0].trials == runs[1].trials
    np.testing.assert_array_equal(runs[0].decisions, runs[1].decisions)


def test_a_class_that_a_fold_is_not_fitted_to_is_decided_by_minus_one():
    x, truth = samples()
    positions = np.arange(120)
    folds = [Fold(positions[truth != 3], positions[truth == 3]), Fold(positions[60:], positions[:60])]
    actual = chosen([Linear(x)], folds, truth, c_values=[1.0])
    np.testing.assert_array_equal(actual.decisions[:30, 3], np.float32(-1.0))
    machine = fit_one_vs_rest(linear_gram(x[truth != 3]), truth[truth != 3], labels=LABELS[:3], c=1.0)
    cross = linear_gram(x[truth == 3], x[truth != 3])
    np.testing.assert_allclose(actual.decisions[:30, :3], machine.decisions(cross), atol=1e-5)


def test_a_fold_of_one_class_is_an_error():
    gram = np.eye(6)
    with pytest.raises(DatasetError, match="an inner fold trains on 1 class, expected at least 2") as caught:
        fit_present(fit_one_vs_rest, gram, np.zeros(6, int), labels=LABELS, c=1.0, jobs=1, is_whole=False)
    assert "selection: part" in caught.value.hint
