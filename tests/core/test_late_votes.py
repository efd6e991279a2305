"""Late votes: which rounds of a clip are late, by the paper's rule and by majority; nothing else changes."""

import pyarrow as pa
import pytest

from fgbench.preparation.late_votes import late_in, late_rounds, may_be_late, without_rounds
from fgbench.preparation.settling import load
from fgbench.preparation.voting import Rules
from fgbench.records import Vote

RULES = Rules(min_votes=3, key_frame_tolerance=2, min_confidence=0.5)


def vote(who, label, number=1, *, frame=None):
    return Vote(annotator=f"n{who}", label=label, confidence=0.9, key_frame=frame, round=number)


def votes(*rounds):
    """Votes of the first round, of the second, ...; a letter per vote."""
    return [
        vote(who, label, number)
        for number, cast in enumerate(rounds, start=1)
        for who, label in enumerate(cast)
    ]


def late(cast, rule="paper"):
    choose = load(rule).choose
    return sorted(late_rounds(cast, RULES, lambda of_round: choose(of_round, RULES.min_votes)))


@pytest.mark.parametrize(
    ("rounds", "expected"),
    [
        (("aaaaa",), []),
        (("aaaaa", "b"), [2]),
        (("aaaaa", "bb"), [2]),
        (("aaaaa", "bbb"), []),  # a vote of its own
        (("aabbc", "b"), []),  # not settled before
        (("aabbc", "aaaaa", "b"), [3]),
        (("aaaaa", "b", "c"), [2, 3]),
        (("aaaaa", "bbbcc", "c"), [3]),
        (("aaaaa", "bbccd", "c"), []),
    ],
)
def test_few_votes_are_late_where_an_earlier_round_settled_the_clip(rounds, expected):
    assert late(votes(*rounds)) == expected


def test_a_clip_of_no_use_is_decided_too():
    cast = [vote(who, "not_usable") for who in range(5)]
    assert late([*cast, vote(0, "a", 2)]) == [2]


def test_a_key_frame_that_was_not_agreed_on_settles_nothing():
    cast = [vote(who, "a", frame=10 * who) for who in range(5)]
    assert late([*cast, vote(0, "a", 2, frame=10)]) == []


def test_by_majority_one_late_vote_does_not_overrule_five():
    assert late(votes("aaaaa", "b"), "majority") == [2]
    assert late(votes("aabb", "b"), "majority") == []  # a tie, and somebody decides it


def test_what_is_left_keeps_its_order():
    cast = votes("ab", "c", "d")
    assert without_rounds(cast, {2}) == [cast[0], cast[1], cast[3]]
    assert [may_be_late(votes(*rounds), RULES) for rounds in (("a",), ("a", "b"), ("a", "bbb"), ())] == [
        False,
        True,
        False,
        False,
    ]


def test_late_votes_are_those_without_a_settled_label_on_clips_that_have_one():
    table = pa.table({"clip_id": ["a", "a", "b", "c", "a"], "settled": ["x", None, None, "x", None]})
    assert late_in(table) == {"a": 2}
