"""Sentences on what is not known of a run, and on what makes it no fair test."""

import pytest

from fgbench.reports.protocols import reservations


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (7, ["7 of the test clips were trained or selected on: this is no fair test."]),
        (0, []),
        (None, ["What a/0/0 was trained on is not at hand: that it knows test clips cannot be ruled out."]),
    ],
)
def test_test_clips_that_a_network_was_trained_on_are_told(known, expected):
    assert reservations({"clips_trained_on": known, "weights": {"run": "a/0/0"}}) == expected
