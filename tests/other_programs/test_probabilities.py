"""Scores of classes: probabilities and percent, and what is neither."""

import pytest

from fgbench.errors import DatasetError
from fgbench.inference.other_programs.prediction_table import PredictionRow
from fgbench.inference.other_programs.probabilities import as_probabilities


def rows(*scores):
    return [
        PredictionRow(where=f"x.csv line {n}", name=f"c{n}", scores=one)
        for n, one in enumerate(scores, start=2)
    ]


def test_rounded_rows_are_brought_to_one():
    actual, was_percent = as_probabilities(rows((0.33, 0.33, 0.33), None, (1.0, 0.0, 0.0)))
    assert actual[0] == pytest.approx((1 / 3, 1 / 3, 1 / 3))
    assert actual[1] is None
    assert not was_percent


def test_percent_is_known():
    actual, was_percent = as_probabilities(rows((20.0, 79.6), (50.0, 50.0)))
    assert actual[0] == pytest.approx((20 / 99.6, 79.6 / 99.6))
    assert was_percent


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        ([(0.5, 0.5), (0.5, -0.1)], r"x.csv line 3 \(c3\) has a score below 0: -0.1"),
        ([(float("nan"), 0.5)], r"x.csv line 2 \(c2\) has a score that is not finite: nan"),
        ([(float("inf"), 0.5)], "not finite: inf"),
        ([(0.5, 0.5), (0.5, 0.4)], r"x.csv line 3 \(c3\): its scores add up to 0.9, expected 1"),
        ([(0.0, 0.0)], "add up to 0, expected 1"),
        ([(50.0, 50.0), (0.5, 0.5)], "add up to 1, those of rows before to 100"),
    ],
)
def test_what_is_no_probability(scores, message):
    with pytest.raises(DatasetError, match=message):
        as_probabilities(rows(*scores))


def test_what_is_left_out_may_belong_to_the_sum_or_not():
    """A class that is left out is part of the sum; a column of anything else is not."""
    actual, _ = as_probabilities(rows((0.5, 0.3, 0.2)), [2])
    assert actual[0] == pytest.approx((0.5, 0.3, 0.0))
    actual, _ = as_probabilities(rows((0.6, 0.4, 37.0), (0.6, 0.4, -1.0)), [2])
    assert actual[0] == actual[1] == pytest.approx((0.6, 0.4, 0.0))
