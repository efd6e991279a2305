"""Settling votes."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fgbench.records import Vote
from fgbench.voting import Rules, duplicate_voter, largest_group, settle

RULES = Rules(min_votes=3, key_frame_tolerance=2, min_confidence=0.5)


def votes(labels, frames=None, confidences=None, in_round=1):
    frames = frames or [None] * len(labels)
    confidences = confidences or [0.8] * len(labels)
    return [
        Vote(annotator=f"a{place}", label=label, confidence=confidence, key_frame=frame, round=in_round)
        for place, (label, frame, confidence) in enumerate(zip(labels, frames, confidences, strict=True))
    ]


def test_three_of_five_settle_label_and_key_frame():
    decision = settle(votes(["anger", "anger", "wrath", "anger", "hate"], [10, 12, 30, 11, 50]), RULES)
    assert decision.status == "settled"
    assert (decision.label, decision.key_frame, decision.agreement) == ("anger", 11, 0.6)


def test_two_of_five_ask_for_a_second_round_and_then_drop():
    labels = ["anger", "anger", "wrath", "wrath", "hate"]
    assert settle(votes(labels), RULES).status == "reannotate"
    second = settle(votes(labels) + votes(labels, in_round=2), RULES)
    assert second.status == "dropped"
    assert "2 of 5 agree, 3 needed" in second.detail


def test_only_the_last_round_counts():
    first = votes(["anger"] * 5)
    assert settle(first + votes(["wrath"] * 5, in_round=2), RULES).label == "wrath"


def test_key_frames_beyond_the_tolerance_do_not_agree():
    decision = settle(votes(["anger"] * 5, [10, 12, 15, 18, 21]), RULES)
    assert decision.status == "reannotate"
    assert "key frame: 2 of 5" in decision.detail


def test_confidence_of_the_losers_does_not_count():
    low = votes(["anger", "anger", "anger", "wrath", "wrath"], confidences=[0.5, 0.4, 0.5, 1.0, 1.0])
    assert settle(low, RULES).status == "reannotate"
    high = votes(["anger", "anger", "anger", "wrath", "wrath"], confidences=[0.5, 0.5, 0.5, 0.0, 0.0])
    assert settle(high, RULES).status == "settled"


def test_without_key_frames_the_label_alone_settles():
    decision = settle(votes(["anger"] * 4), RULES)
    assert (decision.status, decision.key_frame) == ("settled", None)


def test_no_votes_is_an_error():
    with pytest.raises(ValueError, match="no votes"):
        settle([], RULES)


def test_duplicate_voter_is_found():
    twice = [*votes(["anger"] * 3), votes(["wrath"])[0]]
    assert duplicate_voter(twice) == ("a0", 1)
    assert duplicate_voter(votes(["anger"] * 3) + votes(["anger"] * 3, in_round=2)) is None


@given(st.lists(st.integers(0, 40), max_size=7), st.integers(0, 5))
def test_largest_group_against_all_subsets(frames, tolerance):
    fitting = [
        subset
        for size in range(len(frames) + 1)
        for subset in itertools.combinations(frames, size)
        if not subset or max(subset) - min(subset) <= tolerance
    ]
    group = largest_group(frames, tolerance)
    assert len(group) == max(len(subset) for subset in fitting)
    assert not group or max(group) - min(group) <= tolerance
