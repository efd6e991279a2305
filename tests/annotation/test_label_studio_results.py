"""Results of one annotation of Label Studio, edited by hand or given twice: nothing is chosen in silence."""

import pytest

from fgbench.annotation.label_studio.results import results_of
from tests.support.annotated_rounds import annotation


def marked(*ranges):
    return {"from_name": "key_frame", "value": {"ranges": list(ranges)}}


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ([{"from_name": "confidence", "value": {"rating": 1}}], "several_answers"),
        ([marked({"start": 2.5, "end": 2.5})], "bad_answer"),
        ([marked({"start": 5, "end": 5}, {"start": 7})], "bad_answer"),
        ([marked()], "bad_answer"),
        ([marked({"start": 7, "end": 7})], "several_key_frames"),
    ],
)
def test_a_second_result_of_another_value_is_no_vote(more, reason):
    """A second confidence or key frame that differs, or that is no number of a frame."""
    assert results_of(annotation("anna")["result"] + more).problem[0] == reason


def test_a_result_given_twice_is_one():
    """Equal results count once."""
    twice = results_of(annotation("anna")["result"] * 2)
    assert (twice.label, twice.confidence, twice.frame, twice.problem) == ("anger", 0.8, 5, None)
