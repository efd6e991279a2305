"""Settling votes."""

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fgbench.preparation.voting import (
    Judgement,
    Rules,
    class_confidences,
    duplicate_voter,
    judgements,
    largest_groups,
    low_classes,
    settle,
)
from fgbench.records import Vote

RULES = Rules(min_votes=3, key_frame_tolerance=2, min_confidence=0.5)


def votes(labels, frames=None, confidences=None, in_round=1):
    frames = frames or [None] * len(labels)
    confidences = confidences or [0.8] * len(labels)
    return [
        Vote(annotator=f"a{index}", label=label, confidence=confidence, key_frame=frame, round=in_round)
        for index, (label, frame, confidence) in enumerate(zip(labels, frames, confidences, strict=True))
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


def test_key_frames_with_times_agree_by_these_where_the_rules_ask_for_seconds():
    rules = replace(RULES, key_frame_tolerance_s=0.2)
    cast = [
        replace(vote, time_s=at)
        for vote, at in zip(
            votes(["anger"] * 5, [3, 6, 9, 20, 21]), (0.1, 0.2, 0.1 + 0.2, 0.9, 1.2), strict=True
        )
    ]
    assert settle(cast, rules).key_frame == 6  # 0.1 to 0.30000000000000004 s
    assert settle(cast, RULES).status == "reannotate"
    # One without a time is compared by frames, and so are all with it.
    assert settle([*cast[1:], replace(cast[0], time_s=None)], rules).status == "reannotate"
    late = [replace(vote, time_s=2 * vote.time_s) for vote in cast]
    assert "key frame: 2 of 5 agree" in settle(late, rules).detail


@pytest.mark.slow
@given(st.lists(st.integers(0, 40), min_size=1, max_size=9), st.sampled_from([10, 12.5, 25, 50]))
def test_times_of_an_even_rate_give_what_frames_give(frames, fps):
    rules = replace(RULES, key_frame_tolerance=int(0.2 * fps), key_frame_tolerance_s=0.2)
    plain = votes(["anger"] * len(frames), frames)
    timed = [replace(vote, time_s=vote.key_frame / fps) for vote in plain]
    assert settle(timed, rules) == settle(plain, rules)


def test_a_key_frame_that_the_clip_does_not_have_agrees_with_none():
    cast = votes(["anger"] * 5, [4, 4, 5, None, None])
    cast[3:] = [replace(vote, outside=60) for vote in cast[3:]]
    assert settle(cast, RULES).key_frame == 4
    cast[2] = replace(cast[2], key_frame=None, outside=61)
    decision = settle(cast, RULES)
    assert (decision.status, decision.label) == ("reannotate", "anger")
    assert decision.detail == ("round 1: key frame: 2 of 5 agree, 3 needed (beyond the clip: frame 60, 61)")
    # Without it the label alone would settle the clip.
    only = [replace(vote, key_frame=None, outside=60) for vote in cast]
    assert "key frame: 0 of 5 agree" in settle(only, RULES).detail


@given(st.lists(st.integers(0, 40), max_size=7), st.integers(0, 5))
def test_largest_group_against_all_subsets(frames, tolerance):
    fitting = [
        subset
        for size in range(len(frames) + 1)
        for subset in itertools.combinations(frames, size)
        if not subset or max(subset) - min(subset) <= tolerance
    ]
    size = max(len(subset) for subset in fitting)
    spread = min(max(subset) - min(subset) for subset in fitting if len(subset) == size) if size else 0
    expected = {subset for subset in map(tuple, map(sorted, fitting)) if len(subset) == size}
    expected = {subset for subset in expected if size and subset[-1] - subset[0] == spread}
    assert list(map(tuple, largest_groups(frames, tolerance))) == sorted(expected)


@pytest.mark.parametrize(
    ("cast", "status", "reason"),
    [
        ("aaabbb", "reannotate", "3 of 6 agree, 4 needed (a tie of a, b)"),
        ("bbbaaa", "reannotate", "3 of 6 agree, 4 needed (a tie of a, b)"),
        ("aaabbcde", "reannotate", "3 of 8 agree, 5 needed"),
        ("aaaabbbb", "reannotate", "4 of 8 agree, 5 needed (a tie of a, b)"),
        ("aaaaabbb", "settled", ""),
        ("aab", "reannotate", "2 of 3 agree, 3 needed"),
        ("aaa", "settled", ""),
        ("aaab", "settled", ""),
        ("aaabb", "settled", ""),
        ("aaaabbb", "settled", ""),
    ],
)
def test_a_label_needs_three_votes_and_more_than_half(cast, status, reason):
    decision = settle(votes(list(cast)), RULES)
    assert decision.status == status
    assert reason in decision.detail
    assert decision.label == ("a" if status == "settled" else None)


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=9), st.integers(1, 5))
def test_what_labels_are_called_settles_nothing(cast, min_votes):
    rules = Rules(min_votes=min_votes, key_frame_tolerance=2, min_confidence=0.5)
    renamed = {"a": "z", "b": "y", "c": "x"}
    one, other = settle(votes(cast), rules), settle(votes([renamed[label] for label in cast]), rules)
    assert one.status == other.status
    assert other.label == renamed.get(one.label)
    enough = [
        label for label in "abc" if cast.count(label) >= min_votes and 2 * cast.count(label) > len(cast)
    ]
    assert ([one.label] if one.label else []) == enough


def test_a_key_frame_needs_more_than_half_of_the_votes_too():
    frames = [10, 10, 10, 30, 30, 30]
    decision = settle(votes(["anger"] * 6, frames), RULES)
    assert decision.status == "reannotate"
    assert "key frame: 3 of 6 agree, 4 needed" in decision.detail
    assert decision.key_frame is None
    # Who marked none has voted all the same.
    decision = settle(votes(["anger"] * 8, [10, 10, 10, 10, None, None, None, None]), RULES)
    assert "key frame: 4 of 8 agree, 5 needed" in decision.detail


@given(st.lists(st.integers(0, 12), min_size=3, max_size=9))
def test_no_end_of_the_clip_is_preferred_between_key_frames(frames):
    """Overlapping groups as large and as narrow share a frame: it is the key frame, also played backwards."""
    forward = settle(votes(["anger"] * len(frames), frames), RULES)
    backward = settle(votes(["anger"] * len(frames), [12 - frame for frame in frames]), RULES)
    assert forward.status == backward.status
    if forward.status == "settled":
        assert all(forward.key_frame in group for group in largest_groups(frames, 2))
        groups = largest_groups(frames, 2)
        spanned = [frame for frame in frames if groups[0][0] <= frame <= groups[-1][-1]]
        if len(spanned) % 2:  # of an even number the lower median is taken
            assert forward.key_frame == 12 - backward.key_frame


def test_the_key_frame_of_overlapping_groups_is_the_one_they_share():
    assert settle(votes(["anger"] * 5, [10, 11, 12, 13, 14]), RULES).key_frame == 12


def test_who_tells_no_confidence_has_none():
    decision = settle(votes(["anger"] * 5, confidences=[0.2, None, None, 0.4, None]), RULES)
    assert (decision.status, decision.confidence) == ("reannotate", pytest.approx(0.3))
    decision = settle(votes(["anger"] * 5, confidences=[None] * 5), RULES)
    assert (decision.status, decision.confidence) == ("settled", None)


def test_classes_of_low_confidence_are_told_by_the_first_round():
    first = votes(["wrath", "wrath", "anger"], confidences=[0.3, 0.5, 0.9])
    second = votes(["wrath"] * 3, confidences=[1.0] * 3, in_round=2)
    reported = judgements(first + second, None, None)
    assert reported == [Judgement("wrath", 0.3), Judgement("wrath", 0.5), Judgement("anger", 0.9)]
    reported += judgements([], "wrath", None) + judgements([], "pride", None) + judgements([], "hate", 0.5)
    reported += judgements([], None, 0.1)
    actual = class_confidences(reported)
    assert actual == {"anger": 0.9, "hate": 0.5, "pride": None, "wrath": pytest.approx(0.4)}
    assert low_classes(actual, 0.5) == ["wrath"]
    assert low_classes(actual, 0.0) == []


@pytest.mark.parametrize(
    ("given", "least"), [([0.7] * 5 + [0.0] * 2, 0.5), ([0.1, 0.7], 0.4), ([0.0, 0.6, 0.6], 0.4)]
)
def test_a_mean_of_just_the_least_confidence_is_enough(given, least):
    """Whatever is rounded: of these, floats have a mean below it."""
    rules = replace(RULES, min_confidence=least, min_votes=1)
    assert settle(votes(["anger"] * len(given), confidences=given), rules).status == "settled"
    less = settle(votes(["anger"] * len(given), confidences=[max(0.0, one - 0.003) for one in given]), rules)
    assert less.detail == f"round 1: confidence {least - 0.01:.2f}, {least:.2f} needed"


@pytest.mark.parametrize(
    ("given", "least"), [([0.7] * 3, 0.7), ([0.0, 0.2, 1.0], 0.4), ([0.8, 1.0, 1.0, 0.4], 0.8)]
)
def test_a_class_of_just_the_least_confidence_stays(given, least):
    confidences = class_confidences(Judgement("zeal", confidence) for confidence in given)
    assert low_classes(confidences, least) == []
    assert low_classes(confidences, least + 0.001) == ["zeal"]
