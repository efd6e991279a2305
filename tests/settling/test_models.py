"""Rules that fit a model to the votes on all clips: their probabilities, order, ties, limits and errors."""

import functools
import importlib.util
import random
from dataclasses import replace

import numpy as np
import pytest

from fgbench.config import ConsensusConfig
from fgbench.config.settling_rules import rule_names
from fgbench.errors import ConfigError, DependencyError
from fgbench.preparation import settling
from fgbench.preparation.settling import LatestVotes, _crowd_kit, dawid_skene
from fgbench.preparation.settling._probabilities import fitted_choices
from fgbench.records import Vote
from tests.support import many_votes, plain_dawid_skene, plain_settling_models
from tests.support.collected_votes import collected
from tests.support.drawn_annotators import cast, mixed_group

LABELS = ("anger", "calm", "gloom", "wrath")
MODELS = [name for name in rule_names() if settling.load(name).fit is not None]


def drawn(seed, n_clips=300, labels=LABELS):
    generator = np.random.default_rng(seed)
    true = generator.integers(len(labels), size=n_clips)
    group = mixed_group(len(labels), generator)
    return true, cast(true, group, labels, generator)


def arrays(item, rater, label):
    clips, raters, labels = (int(max(column)) + 1 for column in (item, rater, label))
    return LatestVotes(
        clip_ids=tuple(f"p{number:02d}" for number in range(clips)),
        labels=tuple(map(str, range(labels))),
        n_annotators=raters,
        clip=np.array(item),
        annotator=np.array(rater),
        label=np.array(label),
    )


def vote(who, label, in_round=1):
    return Vote(annotator=who, label=label, confidence=None, key_frame=None, round=in_round)


def test_dawid_skene_gives_the_example_of_its_paper():
    words = plain_dawid_skene.EXAMPLE.split()
    rows = [
        (patient, rater, int(digit) - 1)
        for patient, word in enumerate(words)
        for rater, digit in zip(plain_dawid_skene.EXAMPLE_RATERS, word, strict=True)
    ]
    actual = settling.load("dawid-skene").fit(arrays(*zip(*rows, strict=True)))
    expected = plain_dawid_skene.probabilities(*zip(*rows, strict=True))
    assert len(words) == 45
    np.testing.assert_allclose(actual.mean(axis=0), plain_dawid_skene.EXAMPLE_SHARES, atol=0.006)
    np.testing.assert_allclose(actual, expected, atol=0.03)
    assert (actual.argmax(axis=1) == expected.argmax(axis=1)).all()


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("rounds", [1, 7, 60])
def test_dawid_skene_equals_em_written_out(seed, rounds):
    votes = collected(drawn(seed)[1])
    actual = dawid_skene.fitted(votes, rounds=rounds, gain=-np.inf)
    expected = plain_dawid_skene.probabilities(votes.clip, votes.annotator, votes.label, rounds)
    np.testing.assert_allclose(actual, expected, atol=1e-6)


@pytest.mark.parametrize("seed", [0, 1])
def test_dawid_skene_ends_where_it_has_converged(seed):
    votes = collected(drawn(seed)[1])
    actual = settling.load("dawid-skene").fit(votes)
    expected = plain_dawid_skene.probabilities(votes.clip, votes.annotator, votes.label)
    assert (actual.argmax(axis=1) == expected.argmax(axis=1)).all()
    assert np.abs(actual - expected).max() < 0.02


def test_dawid_skene_equals_another_program_on_many_annotators_of_few_votes_each():
    """Sixty annotators, each of whom gave some of the labels alone: crowd-kit."""
    votes = many_votes.latest(150)
    actual = dawid_skene.fitted(votes, rounds=5, gain=-np.inf)
    expected = _crowd_kit.fitted("", "DawidSkene", votes, largest=10**6, n_iter=5, tol=-np.inf)
    np.testing.assert_allclose(actual, expected, atol=1e-6)


@functools.cache
def fitted(name):
    """Votes that a model was fitted to, what they are about, and its probabilities."""
    true, of_clips = drawn(3)
    votes = collected(of_clips)
    return true, of_clips, votes, settling.load(name).fit(votes)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["glad", "mace"])
def test_glad_and_mace_equal_their_papers_written_out(name):
    """The same labels wherever one leads by 0.1, and nearly the same probabilities."""
    _, _, votes, actual = fitted(name)
    expected = getattr(plain_settling_models, name)(votes.clip, votes.annotator, votes.label)
    clear = np.diff(np.sort(expected)[:, -2:]).ravel() > 0.1
    assert clear.mean() > 0.9
    assert (actual.argmax(axis=1) == expected.argmax(axis=1))[clear].all()
    assert np.abs(actual - expected).mean() < 0.01


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_models_are_better_than_the_majority_and_sure_of_themselves(name):
    """Of a group with spammers, one lazy and two who take classes for each other."""
    true, of_clips, votes, probabilities = fitted(name)
    expected = {clip_id: LABELS[label] for (clip_id, _), label in zip(of_clips, true, strict=True)}
    majority = settling.load("majority").choose
    by_most = {clip_id: majority(votes, 3).label for clip_id, votes in of_clips}
    chosen = fitted_choices(replace(settling.load(name), fit=lambda _: probabilities), votes, 0.5)
    right = sum(chosen[clip_id].label == label for clip_id, label in expected.items())
    right_by_most = sum(by_most[clip_id] == label for clip_id, label in expected.items())
    assert chosen.keys() == expected.keys()
    assert right > right_by_most
    assert right > 0.85 * len(expected)


def test_the_order_of_votes_and_the_spelling_of_names_change_nothing_that_models_are_fitted_to():
    of_clips = drawn(5, n_clips=20)[1]
    first = collected(of_clips)
    loud = [
        (clip_id, [vote(f" {one.annotator.upper()}", one.label) for one in votes])
        for clip_id, votes in of_clips
    ]
    shuffled = [(clip_id, random.Random(1).sample(votes, len(votes))) for clip_id, votes in loud]
    random.Random(2).shuffle(shuffled)
    other = collected(shuffled)
    assert (other.clip_ids, other.labels, other.n_annotators) == (first.clip_ids, first.labels, 12)
    for column in ("clip", "annotator", "label"):
        assert np.array_equal(getattr(other, column), getattr(first, column))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["dawid-skene", "mace"])
def test_a_model_that_is_fitted_again_gives_the_same_bits(name):
    votes = collected(drawn(5, n_clips=5)[1])
    assert np.array_equal(settling.load(name).fit(votes), settling.load(name).fit(votes))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["dawid-skene", "mace"])
def test_what_annotators_are_called_changes_no_label(name):
    """MACE of crowd-kit mixes up annotators whose names are not in the order in which they come."""
    of_clips = drawn(6, n_clips=40)[1]
    renamed = [
        (clip_id, [vote(f"x{99 - int(one.annotator[1:]):02d}", one.label) for one in votes])
        for clip_id, votes in of_clips
    ]
    one, other = (settling.load(name).fit(collected(votes)) for votes in (of_clips, renamed))
    assert (one.argmax(axis=1) == other.argmax(axis=1)).mean() > 0.97
    assert np.abs(one - other).mean() < 0.02


@pytest.mark.parametrize("name", ["dawid-skene", "glad"])
def test_a_tie_settles_nothing(name):
    """The random starts of MACE prefer one of the annotators."""
    tied = [
        ("a", [vote("ann", "calm"), vote("ben", "wrath")]),
        ("b", [vote("ann", "wrath"), vote("ben", "calm")]),
    ]
    choice = fitted_choices(settling.load(name), collected(tied), 0.5)["a"]
    assert choice.label is None
    assert choice.problem == "a tie of calm, wrath, certainty 0.50 each"


def renamed(votes, seed):
    """The same votes with clips, annotators and labels called otherwise, and the new place of each."""
    generator = np.random.default_rng(seed)
    clip, annotator, label = (
        generator.permutation(count) for count in (len(votes.clip_ids), votes.n_annotators, len(votes.labels))
    )
    columns = clip[votes.clip], annotator[votes.annotator], label[votes.label]
    order = np.lexsort(columns[::-1])
    of = {name: column[order] for name, column in zip(("clip", "annotator", "label"), columns, strict=True)}
    return replace(votes, **of), clip, label


@pytest.mark.parametrize("seed", [0, 1])
def test_dawid_skene_gives_the_same_bits_whatever_clips_annotators_and_labels_are_called(seed):
    votes = collected(drawn(seed, n_clips=60)[1])
    other, clip, label = renamed(votes, seed)
    expected = dawid_skene.fitted(votes)
    assert np.array_equal(dawid_skene.fitted(other)[clip][:, label], expected)


@pytest.mark.parametrize("seed", [0, 1, 2, 3])
def test_labels_with_as_many_reasons_stay_a_tie_however_long_a_model_is_fitted(seed):
    """Each vote has a counterpart: the other label of the first two, by another annotator."""
    generator = np.random.default_rng(seed)
    item, rater, label = [], [], []
    for number in range(30):
        for who in generator.choice(4, size=3, replace=False).tolist():
            given = int(generator.integers(3))
            item += [2 * number, 2 * number + 1]
            rater += [who, who ^ 1]
            label += [given, (1, 0, 2)[given]]
    item += [60, 60, 60, 60]
    rater += [0, 1, 2, 3]
    label += [0, 1, 1, 0]
    probabilities = dawid_skene.fitted(arrays(item, rater, label), gain=-np.inf)
    assert probabilities[60, 0] == probabilities[60, 1]


@pytest.mark.parametrize("n_votes", [4, 8, 10, 11])
def test_a_label_with_just_the_least_certainty_stands(n_votes):
    """Of annotators who vote once, three of four are 0.75, whatever is rounded."""
    n_for = n_votes - 2 if n_votes == 11 else n_votes * 3 // 4 if n_votes < 10 else 9
    cast_votes = [vote(f"a{who:02d}", "calm" if who < n_for else "wrath") for who in range(n_votes)]
    choices = fitted_choices(settling.load("dawid-skene"), collected([("a", cast_votes)]), n_for / n_votes)
    assert choices["a"] == settling.Choice("calm")


@pytest.mark.parametrize("name", MODELS)
def test_one_label_alone_needs_no_model(name):
    rule = settling.load(name)
    one = [("a", [vote("ann", "calm")]), ("b", [vote("ben", "calm"), vote("ben", "calm", 2)])]
    assert {choice.label for choice in fitted_choices(rule, collected(one), 0.5).values()} == {"calm"}
    assert fitted_choices(rule, collected([("a", [vote("ann", "")])]), 0.5) == {}


def test_only_the_latest_round_counts():
    votes = [vote("ann", "calm"), vote("ben", "calm"), vote("ann", "wrath", 2), vote("ben", "", 2)]
    actual = collected([("b", votes), ("a", [vote("Ann ", "calm")])])
    assert (actual.clip_ids, actual.labels, actual.n_annotators) == (("a", "b"), ("calm", "wrath"), 1)
    assert [actual.clip.tolist(), actual.label.tolist()] == [[0, 1], [0, 1]]


def test_certainty_below_the_least_one_is_a_problem_with_two_decimals():
    of_clips = drawn(7, n_clips=100)[1]
    rule = settling.load("dawid-skene")
    votes = collected(of_clips)
    top = rule.fit(votes).max(axis=1)
    choices = list(fitted_choices(rule, votes, 0.99).values())
    assert [bool(choice.problem) for choice in choices] == (top < 0.99).tolist()
    unsure = int(np.flatnonzero(top < 0.99)[0])
    label = choices[unsure].label
    below = np.floor(top[unsure] * 100) / 100
    assert choices[unsure].problem == f"certainty of {label} {below:.2f}, 0.99 needed"


def test_a_certainty_just_below_the_least_one_is_not_told_as_that():
    of_clips = drawn(7, n_clips=100)[1]
    rule = settling.load("dawid-skene")
    top = rule.fit(collected(of_clips)).max(axis=1)
    least = float(np.ceil(top.min() * 1000) / 1000 + 0.001)
    problems = [choice.problem for choice in fitted_choices(rule, collected(of_clips), least).values()]
    told = [float(problem.split()[-3].rstrip(",")) for problem in problems if problem]
    assert told
    assert max(told) < least


@pytest.mark.parametrize("name", MODELS)
def test_more_votes_than_a_model_is_fitted_to_are_an_error_before_it_begins(name):
    n = 12_500_001
    many = LatestVotes(
        clip_ids=(),
        labels=tuple("abcdefgh"),
        n_annotators=2,
        clip=np.zeros(n, np.int8),
        annotator=np.zeros(n, np.int8),
        label=np.zeros(n, np.int8),
    )
    with pytest.raises(
        ConfigError, match=f"consensus.rule {name} is fitted to at most .* here are 12,500,001 votes"
    ) as caught:
        settling.load(name).fit(many)
    assert ("dawid-skene, which takes more" in caught.value.hint) == (name != "dawid-skene")


@pytest.mark.parametrize("name", ["glad", "mace"])
def test_without_crowd_kit_the_error_tells_the_extra(name, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda package: None)
    with pytest.raises(DependencyError, match="crowd-kit") as caught:
        settling.require(name)
    assert "fgbench[votes]" in caught.value.hint
    settling.require("paper")
    settling.require("majority")
    settling.require("dawid-skene")


def test_identity_tells_rule_and_version():
    assert settling.identity(ConsensusConfig()) == "paper 1"
    assert settling.identity(ConsensusConfig(rule="dawid-skene")) == "dawid-skene 3"
