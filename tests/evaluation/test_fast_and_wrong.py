"""The rule on annotators who are fast and wrong: its tests by scipy, its verdicts on planted annotators."""

import numpy as np
import pytest
from scipy.stats import binomtest, fisher_exact

from fgbench.evaluation.fast_and_wrong import verdicts
from fgbench.evaluation.left_out_annotators import against_others
from tests.support.plain_votes import ballots_of, median_of_others


def planted(seed, *, hasty=(), careless=(), n_units=80, n_annotators=6):
    """Votes with times: of the hasty a fifth of the others' time, of the careless at random."""
    random = np.random.default_rng(seed)
    rows, spent = [], []
    for unit in range(n_units):
        for annotator in range(n_annotators):
            is_right = annotator not in careless and random.random() < 0.8
            rows.append((unit, annotator, unit % 4 if is_right else int(random.integers(4))))
            spent.append(random.uniform(8, 12) * (0.2 if annotator in hasty else 1))
    ballots = ballots_of(rows, n_units=n_units, n_annotators=n_annotators, n_classes=4)
    return ballots, np.array(spent)


def judged(ballots, spent_s, gold_right=None, gold=None):
    nothing = np.zeros(ballots.n_annotators, np.int64)
    return verdicts(
        ballots,
        spent_s,
        others=against_others(ballots),
        gold_right=nothing if gold_right is None else np.array(gold_right),
        gold=nothing if gold is None else np.array(gold),
    )


def test_the_p_values_are_those_of_exact_tests():
    """Binomial test of the times, Fisher's test of agreement and of known answers, Holm over annotators."""
    ballots, spent = planted(0, hasty=(1,), careless=(1, 2))
    right, gold = [9, 4, 5, 10, 9, 9], [11, 12, 10, 10, 9, 12]
    actual = judged(ballots, spent, right, gold)
    others = against_others(ballots)
    larger = []
    for one in range(6):
        mine = [row for row in range(len(spent)) if ballots.annotators[row] == one]
        fast = sum(spent[row] < median_of_others(ballots, spent, row) / 2 for row in mine)
        assert (actual.timed[one], actual.fast[one]) == (80, fast)
        p_fast = binomtest(fast, 80, 0.5, alternative="greater").pvalue
        assert actual.p_fast[one] == pytest.approx(p_fast)
        tests = []
        for hits, n in ((others.agreeing, others.compared), (np.array(right), np.array(gold))):
            if n is others.compared or n[one] >= 10:
                rest = [hits.sum() - hits[one], (n - hits).sum() - (n - hits)[one]]
                tests.append(fisher_exact([[hits[one], n[one] - hits[one]], rest], alternative="less").pvalue)
        p_wrong = min(1, len(tests) * min(tests))
        assert actual.p_wrong[one] == pytest.approx(p_wrong)
        larger.append(max(p_fast, p_wrong))
    assert actual.p[1] == pytest.approx(6 * larger[1])
    assert [actual.is_fast_and_wrong(one) for one in range(6)] == [False, True, False, False, False, False]


def test_the_fast_who_are_right_and_the_wrong_who_take_their_time_are_not_both():
    ballots, spent = planted(1, hasty=(0,), careless=(3,))
    assert not any(judged(ballots, spent).is_fast_and_wrong(one) for one in range(6))


def test_false_verdicts_are_rarer_than_the_level():
    """Annotators who are all alike: of 200 draws, hardly any verdict."""
    found = 0
    for seed in range(200):
        actual = judged(*planted(seed, n_units=25))
        found += any(actual.is_fast_and_wrong(one) for one in range(6))
    assert found <= 10


def test_few_votes_have_no_verdict():
    """Fewer than 20 votes with times, or no times at all."""
    ballots, spent = planted(2, hasty=(1,), careless=(1,), n_units=19)
    assert [judged(ballots, spent).is_fast_and_wrong(one) for one in range(6)] == [None] * 6
    ballots, spent = planted(2, hasty=(1,), careless=(1,))
    assert judged(ballots, np.full(spent.shape, np.nan)).is_fast_and_wrong(1) is None


def test_known_answers_alone_can_tell_who_is_wrong():
    """Where the others are all as careless, their agreement tells nothing."""
    ballots, spent = planted(3, hasty=(1,), careless=range(6))
    right, gold = [28, 9, 27, 29, 28, 27], [30] * 6
    assert judged(ballots, spent).is_fast_and_wrong(1) is False
    assert judged(ballots, spent, right, gold).is_fast_and_wrong(1) is True
