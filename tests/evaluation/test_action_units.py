"""Scores of action-unit detection."""

import numpy as np
import pytest
from sklearn.metrics import f1_score, precision_score, recall_score

from fgbench.errors import ManifestError
from fgbench.runs.unit_results import (
    PREDICTIONS,
    RESULT,
    AuPredictions,
    mean_f1,
    read_au_predictions,
    read_au_result,
    unit_scores,
    write_au_run,
)

UNITS = ("au01", "au02", "au04")
DETAILS = {"dataset": "made up", "synthetic": True, "recipe": "au", "manifest_digest": "ab" * 32}


def _drawn(n=300):
    rng = np.random.default_rng(3)
    return rng.integers(-1, 2, (n, 3)).astype(np.int8), rng.random((n, 3), dtype=np.float32)


def test_scores_are_those_of_scikit_learn_on_the_labelled_frames():
    labels, probabilities = _drawn()
    for index, score in enumerate(unit_scores(labels, probabilities, UNITS)):
        known = labels[:, index] != 0
        truth, actual = labels[known, index] > 0, probabilities[known, index] >= 0.5
        assert score.f1 == pytest.approx(f1_score(truth, actual))
        assert score.precision == pytest.approx(precision_score(truth, actual))
        assert score.recall == pytest.approx(recall_score(truth, actual))
        assert score.f1_always == pytest.approx(f1_score(truth, np.ones_like(actual)))
        assert (score.n_positive, score.n_negative) == (truth.sum(), (~truth).sum())


def test_a_hand_counted_example():
    labels = np.array([[1], [1], [-1], [0], [-1]], np.int8)
    probabilities = np.array([[0.9], [0.2], [0.7], [0.9], [0.1]], np.float32)
    (score,) = unit_scores(labels, probabilities, ["au01"])
    assert (score.precision, score.recall, score.f1) == (0.5, 0.5, 0.5)
    assert score.f1_always == pytest.approx(4 / 6)


def test_what_is_not_defined_is_blank_and_left_out_of_the_mean():
    labels = np.array([[1, -1], [1, -1]], np.int8)
    scores = unit_scores(labels, np.array([[0.9, 0.9], [0.1, 0.1]], np.float32), ["au01", "au02"])
    assert (scores[1].f1, scores[1].recall) == (None, None)
    assert mean_f1(scores) == scores[0].f1
    assert mean_f1(scores[1:]) is None


def test_shapes_that_do_not_agree_are_refused():
    labels, probabilities = _drawn()
    with pytest.raises(ValueError, match="expected"):
        unit_scores(labels, probabilities[:, :2], UNITS)


def test_a_run_is_read_as_it_was_written(tmp_path):
    labels, probabilities = _drawn(5)
    ids = [f"s{number}" for number in range(5)]
    predictions = AuPredictions(
        units=UNITS,
        sample_ids=ids,
        clip_ids=ids,
        subject_ids=[None, *"abcd"],
        labels=labels,
        probabilities=probabilities,
    )
    write_au_run(tmp_path, predictions, config={"name": "au"}, device="cpu", details=DETAILS)
    au_predictions = read_au_predictions(tmp_path)
    assert np.array_equal(au_predictions.labels, labels)
    assert np.array_equal(au_predictions.probabilities, probabilities)
    assert (au_predictions.units, au_predictions.sample_ids, au_predictions.subject_ids) == (
        UNITS,
        ids,
        [None, *"abcd"],
    )
    result = read_au_result(tmp_path)
    assert result["mean_f1"] == mean_f1(unit_scores(labels, probabilities, UNITS))
    (tmp_path / PREDICTIONS).write_bytes(b"no table")
    with pytest.raises(ManifestError, match=r"predictions\.parquet is (missing|damaged)"):
        read_au_predictions(tmp_path)
    (tmp_path / RESULT).unlink()
    with pytest.raises(ManifestError, match="not finished"):
        read_au_result(tmp_path)


@pytest.mark.parametrize("text", ["{}", "[]", "1", "NaN", '"x"', "[" * 5000, '{"format": 1, "units": 3}'])
def test_a_result_of_another_shape_is_one_clear_error(tmp_path, text):
    (tmp_path / RESULT).write_text(text)
    with pytest.raises(ManifestError, match=RESULT):
        read_au_result(tmp_path)
