"""Pairs of annotators: Cohen's own example, kappa of scikit-learn, and exchanges counted pair by pair."""

from itertools import combinations

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from fgbench.evaluation import ballots as ballots_module
from fgbench.evaluation.annotator_pairs import exchanged, kappas, most_exchanged
from fgbench.evaluation.ballots import NONE
from tests.support.plain_votes import ballots_of, drawn_ballots, rows_of

# Two judges, three categories, 200 units: agreement 0.70, by chance 0.41, kappa 0.492 (Cohen's example).
COHEN = [[88, 14, 18], [10, 40, 10], [2, 6, 12]]


def test_cohens_own_example():
    rows, unit = [], 0
    for one in range(3):
        for other in range(3):
            for _ in range(COHEN[one][other]):
                rows += [(unit, 0, one), (unit, 1, other)]
                unit += 1
    actual = kappas(ballots_of(rows, n_units=unit, n_annotators=2, n_classes=3, seed=0))
    assert (actual.first.tolist(), actual.second.tolist()) == ([0], [1])
    assert (actual.shared.tolist(), actual.agreeing.tolist()) == ([200], [140])
    assert actual.kappa == pytest.approx([0.29 / 0.59], abs=1e-12)


@pytest.mark.parametrize("at_once", [7, 1_000_000])
@pytest.mark.parametrize("seed", range(4))
def test_kappa_is_that_of_scikit_learn(seed, at_once, monkeypatch):
    """Whatever number of pairs is held at once; pairs with few units in common have none."""
    monkeypatch.setattr(ballots_module, "_PAIRS_AT_ONCE", at_once)
    ballots = drawn_ballots(seed, n_units=50)
    label = {(unit, who): what for unit, who, what in rows_of(ballots) if what != NONE}
    expected = []
    for one, other in combinations(range(6), 2):
        shared = [unit for unit in range(50) if (unit, one) in label and (unit, other) in label]
        if len(shared) >= 21:
            both = [[label[unit, who] for unit in shared] for who in (one, other)]
            expected.append((one, other, len(shared), cohen_kappa_score(*both)))
    actual = kappas(ballots, least=21)
    assert 0 < len(expected) < 15
    found = list(zip(actual.first.tolist(), actual.second.tolist(), actual.shared.tolist(), strict=True))
    assert found == [line[:3] for line in expected]
    assert actual.kappa == pytest.approx([line[3] for line in expected], abs=1e-12)


def test_kappa_of_one_class_alone_is_blank():
    rows = [(unit, who, 0) for unit in range(20) for who in (0, 1)]
    assert np.isnan(kappas(ballots_of(rows, n_units=20, n_annotators=2, n_classes=2)).kappa).all()


def test_no_votes_have_no_pairs():
    ballots = ballots_of([], n_units=0, n_annotators=0, n_classes=2)
    assert kappas(ballots).kappa.size == 0
    assert exchanged(ballots).tolist() == [[0, 0], [0, 0]]


@pytest.mark.parametrize("seed", range(4))
def test_exchanges_of_classes_are_counted_over_all_pairs_of_votes(seed):
    """Symmetric, each pair of votes once; the upper half adds up to the number of pairs."""
    ballots = drawn_ballots(seed)
    expected, n_pairs = np.zeros((4, 4), int), 0
    for (unit, _, one), (same_unit, _, other) in combinations(rows_of(ballots), 2):
        if unit == same_unit and NONE not in (one, other):
            n_pairs += 1
            expected[one, other] += 1
            expected[other, one] += one != other
    actual = exchanged(ballots)
    assert actual.tolist() == expected.tolist()
    assert np.triu(actual).sum() == n_pairs
    found = most_exchanged(actual)
    assert [one.n for one in found] == sorted((one.n for one in found), reverse=True)
    for one in found:
        cells = actual[np.ix_([one.first, one.second], [one.first, one.second])]
        assert one.n == cells[0, 1]
        assert one.share == pytest.approx(one.n / (cells[0, 0] + cells[1, 1] + one.n))
