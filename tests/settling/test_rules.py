"""Rules by the votes of one clip, their names, and what a recipe may say."""

import pytest

from fgbench.config import ConsensusConfig
from fgbench.config.settling_rules import rule_names
from fgbench.preparation import settling
from fgbench.preparation.settling import Choice
from fgbench.preparation.stages._annotation_card import rule as described
from fgbench.preparation.voting import Rules, settle
from fgbench.records import Vote

RULES = Rules(min_votes=3, key_frame_tolerance=5, min_confidence=0.5)


def votes(labels, key_frames=None, in_round=1):
    return [
        Vote(
            annotator=f"n{who}",
            label=label,
            confidence=None,
            key_frame=key_frames[who] if key_frames else None,
            round=in_round,
        )
        for who, label in enumerate(labels)
    ]


def chosen(name, labels):
    return settling.load(name).choose(votes(labels), 3)


def test_every_rule_has_a_version_an_account_and_one_way_to_choose():
    assert {"paper", "majority", "dawid-skene", "mace", "glad"} <= set(rule_names())
    for name in rule_names():
        rule = settling.load(name)
        assert rule.version >= 1
        assert (rule.choose is None) != (rule.fit is None)
        assert ConsensusConfig(rule=name).rule == name


def test_a_misspelt_rule_is_an_error_with_the_nearest():
    with pytest.raises(ValueError, match=r"unknown rule 'dawid_skene'; did you mean 'dawid-skene'\?"):
        ConsensusConfig(rule="dawid_skene")


@pytest.mark.parametrize(
    ("labels", "paper", "majority"),
    [
        ("aaabc", "a", "a"),
        ("aabcd", None, "a"),
        ("aabbc", None, None),
        ("a", None, "a"),
        (["a", "", "", "", ""], None, "a"),
        (["", ""], None, None),
        ("aaabb", "a", "a"),
        ("aaabbb", None, None),
    ],
)
def test_majority_takes_a_plurality_and_paper_more_than_half(labels, paper, majority):
    assert (chosen("paper", labels).label, chosen("majority", labels).label) == (paper, majority)


def test_ties_are_told():
    assert chosen("majority", "bbaac") == Choice(None, "a tie of a, b, 2 of 5 votes each")
    assert chosen("majority", ["", ""]) == Choice(None, "none of 2 votes is for a class")


def test_a_tie_is_voted_on_again_and_then_dropped():
    first = votes("aabb")
    choice = settling.load("majority").choose(first, 3)
    assert settle(first, RULES, choice).status == "reannotate"
    assert settle(first, RULES, choice).detail == "round 1: label: a tie of a, b, 2 of 4 votes each"
    assert settle(votes("aabb", in_round=2), RULES, choice).status == "dropped"


def test_key_frames_are_settled_alike_by_all_rules():
    cast = votes("aabcd", [10, 11, 12, 40, 70])
    apart = votes("aabcd", [10, 20, 30, 40, 70])
    decision = settle(cast, RULES, Choice("a"))
    assert (decision.status, decision.label, decision.key_frame) == ("settled", "a", 11)
    assert decision.agreement == 2 / 5
    again = settle(apart, RULES, Choice("a"))
    assert (again.status, again.detail) == ("reannotate", "round 1: key frame: 1 of 5 agree, 3 needed")


def test_a_label_that_nobody_voted_for_has_no_agreement():
    decision = settle(votes("aaa"), RULES, Choice("b"))
    assert (decision.label, decision.agreement, decision.confidence) == ("b", 0.0, None)


def test_the_data_card_tells_the_rule():
    assert described(ConsensusConfig()).startswith(
        "A label, or a key frame (up to 0.2 s apart), stands with at least 3 votes that are more than half "
        "of those cast; else the clip is voted on again"
    )
    assert described(ConsensusConfig(rule="majority")).startswith(
        "A label stands with more votes than any other, a key frame (up to 0.2 s apart) with at least 3 votes"
    )
    assert "probability of at least 0.7," in described(ConsensusConfig(rule="mace", min_certainty=0.7))
