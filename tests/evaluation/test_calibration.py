"""Calibration, by hand and against scikit-learn."""

from itertools import pairwise

import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss

from fgbench.evaluation import metrics
from fgbench.evaluation.calibration import (
    calibration_scores,
    confidences_of,
    expected_calibration_error,
    reliability_bins,
)


def drawn(n=500, n_classes=5, seed=0):
    generator = np.random.default_rng(seed)
    probabilities = generator.dirichlet(np.full(n_classes, 0.4), n)
    truth = np.array([generator.choice(n_classes, p=row) for row in probabilities])
    return truth, probabilities.argmax(axis=1), probabilities


def test_bins_by_hand():
    """Four bins of a quarter: 0.25 is in the first, 0.5 in the second, 1 in the last."""
    bins = reliability_bins([0.0, 0.25, 0.5, 0.9, 1.0], [True, False, True, False, True], n_bins=4)
    assert [(entry.low, entry.high, entry.n) for entry in bins] == [
        (0.0, 0.25, 2),
        (0.25, 0.5, 1),
        (0.5, 0.75, 0),
        (0.75, 1.0, 2),
    ]
    assert [entry.accuracy for entry in bins] == [0.5, 1.0, None, 0.5]
    assert [entry.confidence for entry in bins] == [0.125, 0.5, None, pytest.approx(0.95)]
    # 2/5 |0.5 - 0.125| + 1/5 |1 - 0.5| + 2/5 |0.5 - 0.95|
    assert expected_calibration_error(bins) == pytest.approx(0.15 + 0.1 + 0.18)


def test_bins_are_those_of_scikit_learn():
    truth, predicted, probabilities = drawn()
    confidence, right = confidences_of(truth, predicted, probabilities)
    for binning, strategy in (("width", "uniform"), ("size", "quantile")):
        bins = [b for b in reliability_bins(confidence, right, n_bins=10, binning=binning) if b.n]
        accuracy, mean = calibration_curve(right, confidence, n_bins=10, strategy=strategy)
        np.testing.assert_allclose([b.confidence for b in bins], mean)
        np.testing.assert_allclose([b.accuracy for b in bins], accuracy)


def test_adaptive_bins_have_equally_many_samples():
    generator = np.random.default_rng(0)
    bins = reliability_bins(generator.random(47), generator.random(47) < 0.5, n_bins=5, binning="size")
    assert sorted(entry.n for entry in bins) == [9, 9, 9, 10, 10]
    assert all(left.high <= right.low for left, right in pairwise(bins))
    few = reliability_bins([0.2, 0.4], [True, True], binning="size")
    assert [entry.n for entry in few] == [1, 1]


def test_scores_are_scikit_learns():
    truth, predicted, probabilities = drawn()
    actual = calibration_scores(truth, predicted, probabilities)
    per_class = [brier_score_loss(truth == index, probabilities[:, index]) for index in range(5)]
    assert actual.brier == pytest.approx(sum(per_class))
    assert actual.accuracy == pytest.approx(np.mean(truth == predicted))
    assert actual.confidence == pytest.approx(probabilities.max(axis=1).mean())
    # Calibrated by construction: the truth was drawn from the probabilities.
    assert actual.ece < 0.07
    assert actual.ece_adaptive < 0.07


def test_overconfidence_is_seen():
    truth, predicted, _ = drawn()
    sure = np.eye(5)[predicted]
    actual = calibration_scores(truth, predicted, sure)
    assert actual.ece == pytest.approx(1 - np.mean(truth == predicted))
    assert actual.brier == pytest.approx(2 * np.mean(truth != predicted))


def test_confidence_is_that_of_the_class_predicted():
    confidence, right = confidences_of(np.array([0, 1]), np.array([1, 1]), [[0.6, 0.4], [0.1, 0.9]])
    assert confidence.tolist() == [0.4, 0.9]
    assert right.tolist() == [False, True]


def test_samples_without_prediction_take_no_part():
    truth, predicted, probabilities = drawn(100)
    lost = predicted.copy()
    lost[:30] = metrics.MISSING
    probabilities[:30] = np.nan
    actual = calibration_scores(truth, lost, probabilities)
    kept = calibration_scores(truth[30:], predicted[30:], probabilities[30:])
    assert (actual.n, actual.n_missing) == (70, 30)
    assert (actual.ece, actual.ece_adaptive, actual.brier) == (kept.ece, kept.ece_adaptive, kept.brier)


def test_without_predictions_all_is_blank():
    actual = calibration_scores(np.zeros(3, int), np.full(3, metrics.MISSING), np.full((3, 2), np.nan))
    assert (actual.n, actual.ece, actual.ece_adaptive, actual.brier, actual.accuracy) == (
        0,
        None,
        None,
        None,
        None,
    )
    assert expected_calibration_error(reliability_bins([], [])) is None


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match=r"expected \(N,\) both"):
        reliability_bins([0.5], [True, False])
    with pytest.raises(ValueError, match="outside 0 to 1"):
        reliability_bins([1.5], [True])
    with pytest.raises(ValueError, match=r"expected \(N,\), \(N,\) and \(N, C\)"):
        calibration_scores(np.zeros(3, int), np.zeros(3, int), np.zeros((2, 2)))
