"""Scores, against scikit-learn."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    confusion_matrix,
    f1_score,
    precision_score,
    recall_score,
)

from fgbench.evaluation import metrics


def drawn(n=300, n_classes=6, seed=0):
    generator = np.random.default_rng(seed)
    truth = generator.integers(0, n_classes, n)
    return truth, np.where(generator.random(n) < 0.5, truth, generator.integers(0, n_classes, n))


@pytest.mark.parametrize("seed", range(5))
def test_scores_are_scikit_learns(seed):
    truth, predicted = drawn(seed=seed)
    matrix = metrics.confusion_matrix(truth, predicted, n_classes=6)
    np.testing.assert_array_equal(matrix[:, :6], confusion_matrix(truth, predicted))
    np.testing.assert_array_equal(matrix[:, 6], 0)
    np.testing.assert_allclose(metrics.recalls(matrix), recall_score(truth, predicted, average=None))
    np.testing.assert_allclose(metrics.precisions(matrix), precision_score(truth, predicted, average=None))
    np.testing.assert_allclose(metrics.f1_scores(matrix), f1_score(truth, predicted, average=None))
    assert metrics.uar(matrix) == pytest.approx(balanced_accuracy_score(truth, predicted))
    assert metrics.war(matrix) == pytest.approx(accuracy_score(truth, predicted))
    assert metrics.macro_f1(matrix) == pytest.approx(f1_score(truth, predicted, average="macro"))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(-1, 4)), min_size=1, max_size=30))
def test_a_missing_prediction_is_a_wrong_one(pairs):
    truth, predicted = (np.array(column) for column in zip(*pairs, strict=True))
    matrix = metrics.confusion_matrix(truth, predicted, n_classes=5)
    assert matrix.sum() == len(pairs)
    assert metrics.war(matrix) == pytest.approx(np.mean(truth == predicted))
    expected = np.mean([np.mean(predicted[truth == index] == index) for index in np.unique(truth)])
    assert metrics.uar(matrix) == pytest.approx(expected)


def test_a_class_without_test_samples_is_blank_and_left_out():
    measured = metrics.scores(metrics.confusion_matrix([0, 0, 1], [0, 2, 1], n_classes=4), list("abcd"))
    assert [entry.recall for entry in measured.classes] == [0.5, 1.0, None, None]
    assert [entry.precision for entry in measured.classes] == [1.0, 1.0, 0.0, None]
    assert [entry.f1 for entry in measured.classes] == [pytest.approx(2 / 3), 1.0, 0.0, None]
    assert [entry.n for entry in measured.classes] == [2, 1, 0, 0]
    assert (measured.n, measured.n_missing, measured.n_classes) == (3, 0, 2)
    assert measured.uar == 0.75
    assert measured.war == pytest.approx(2 / 3)
    assert measured.macro_f1 == pytest.approx((2 / 3 + 1) / 2)


def test_without_samples_all_is_blank():
    matrix = metrics.confusion_matrix(np.empty(0, int), np.empty(0, int), n_classes=2)
    measured = metrics.scores(matrix, ["a", "b"])
    assert (measured.uar, measured.war, measured.macro_f1) == (None, None, None)
    assert math.isnan(metrics.uar(matrix))
    assert math.isnan(metrics.war(matrix))


def test_missing_predictions_are_counted():
    measured = metrics.scores(
        metrics.confusion_matrix([0, 1, 1], [metrics.MISSING, 1, 1], n_classes=2), ["a", "b"]
    )
    assert measured.n_missing == 1
    assert measured.uar == 0.5
    assert measured.to_json()["classes"][0] == {
        "label": "a",
        "n": 1,
        "recall": 0.0,
        "precision": None,
        "f1": 0.0,
    }


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="2 true and 1 predicted"):
        metrics.confusion_matrix([0, 1], [0], n_classes=2)
    with pytest.raises(ValueError, match="true classes from -1 to 1, expected 0 to 1"):
        metrics.confusion_matrix([-1, 1], [0, 1], n_classes=2)
    with pytest.raises(ValueError, match="predicted classes from 0 to 2, expected -1 to 1"):
        metrics.confusion_matrix([0, 1], [0, 2], n_classes=2)
    with pytest.raises(ValueError, match="expected integers"):
        metrics.confusion_matrix([0.0, 1.0], [0, 1], n_classes=2)
    with pytest.raises(ValueError, match=r"expected \(C, C \+ 1\)"):
        metrics.scores(np.zeros((2, 3), np.int64), ["a"])
