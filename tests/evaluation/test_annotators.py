"""Each annotator against the others: counted vote by vote, and by independent libraries."""

import krippendorff
import numpy as np
import pytest
from scipy.stats import binomtest

from fgbench.evaluation.agreement import nominal_agreement
from fgbench.evaluation.ballots import NONE
from fgbench.evaluation.exact_shares import exact_intervals
from fgbench.evaluation.human_ceiling import settled_by_others
from fgbench.evaluation.left_out_annotators import (
    against_others,
    alphas_without,
    distances,
    others_medians,
    plurality_of_others,
    quartiles,
)
from tests.support.plain_votes import (
    as_matrix,
    ballots_of,
    drawn_ballots,
    majority,
    median_of_others,
    others_of,
    plurality,
    rows_of,
)

SEEDS = range(6)


def test_votes_that_are_no_votes_are_refused():
    """Indices out of range, and an annotator who votes twice on a unit."""
    with pytest.raises(ValueError, match="two votes on one unit"):
        ballots_of([(0, 0, 1), (0, 0, 2)], n_units=1, n_annotators=1, n_classes=3)
    with pytest.raises(ValueError, match="index of a class out of range, expected -1 to 2"):
        ballots_of([(0, 0, 3)], n_units=1, n_annotators=1, n_classes=3)


@pytest.mark.parametrize("seed", SEEDS)
def test_agreement_with_the_plurality_of_the_others(seed):
    """Ties of the others, votes alone and votes for no class are left out."""
    ballots = drawn_ballots(seed)
    compared, agreeing = np.zeros(6, int), np.zeros(6, int)
    for row, (_, annotator, label) in enumerate(rows_of(ballots)):
        of_others = plurality(others_of(ballots, row))
        if label != NONE and of_others is not None:
            compared[annotator] += 1
            agreeing[annotator] += label == of_others
    actual = against_others(ballots)
    assert actual.compared.tolist() == compared.tolist()
    assert actual.agreeing.tolist() == agreeing.tolist()
    assert actual.shares == pytest.approx(agreeing / compared)


@pytest.mark.parametrize("seed", SEEDS)
def test_alpha_without_each_annotator_is_that_of_the_package_krippendorff(seed):
    """Few voters per unit, so that units with two votes lose both."""
    ballots = drawn_ballots(seed, share_cast=0.45)
    matrix = as_matrix(ballots)
    expected = [
        krippendorff.alpha(
            np.delete(matrix, one, axis=0), level_of_measurement="nominal", value_domain=[0, 1, 2, 3]
        )
        for one in range(6)
    ]
    assert alphas_without(ballots) == pytest.approx(expected, abs=1e-12)


def test_alpha_of_all_is_that_of_the_package_krippendorff():
    """The figure of rounds and classes beside that of the annotators."""
    ballots = drawn_ballots(11)
    units = [[] for _ in range(ballots.n_units)]
    for unit, _, label in rows_of(ballots):
        units[unit] += [] if label == NONE else [str(label)]
    names = [str(unit) for unit in range(len(units))]
    expected = krippendorff.alpha(as_matrix(ballots), level_of_measurement="nominal")
    assert nominal_agreement(units, clusters=names).alpha == pytest.approx(expected, abs=1e-12)


def test_alpha_without_one_of_two_annotators_is_not_defined():
    ballots = ballots_of([(0, 0, 1), (0, 1, 1), (1, 0, 0), (1, 1, 1)], n_units=2, n_annotators=2, n_classes=2)
    assert np.isnan(alphas_without(ballots)).all()


@pytest.mark.parametrize("seed", SEEDS)
def test_medians_of_the_others(seed):
    """Also the bias and the spread of each annotator, which are quartiles of the differences."""
    ballots = drawn_ballots(seed)
    random = np.random.default_rng(seed)
    values = random.integers(0, 9, len(ballots.units)).astype(float)
    values[random.random(len(values)) < 0.2] = np.nan
    expected = np.array([median_of_others(ballots, values, row) for row in range(len(values))])
    assert others_medians(ballots, values) == pytest.approx(expected, nan_ok=True)
    actual = distances(ballots, values)
    for annotator in range(6):
        own = (values - expected)[ballots.annotators == annotator]
        own = own[~np.isnan(own)]
        assert actual.n[annotator] == own.size
        assert actual.bias[annotator] == pytest.approx(np.median(own))
        assert actual.spread[annotator] == pytest.approx(np.subtract(*np.percentile(own, [75, 25])))


def test_figures_without_any_number_are_blank():
    ballots = drawn_ballots(0)
    nothing = np.full(len(ballots.units), np.nan)
    assert np.isnan(others_medians(ballots, nothing)).all()
    assert np.isnan(quartiles(ballots, nothing)).all()
    assert distances(ballots, nothing).n.tolist() == [0] * 6


@pytest.mark.parametrize("seed", SEEDS)
def test_the_class_that_most_of_the_others_voted_for(seed):
    """Of votes for no class too; none where the others are tied."""
    ballots = drawn_ballots(seed, n_classes=3, n_annotators=5)
    expected = [plurality(others_of(ballots, row)) for row in range(len(ballots.units))]
    actual = plurality_of_others(ballots).tolist()
    assert actual == [NONE if one is None else one for one in expected]


@pytest.mark.parametrize("least", [1, 2, 3])
@pytest.mark.parametrize("seed", SEEDS)
def test_the_label_that_the_others_settle(seed, least):
    """Ties at the top of a unit are resolved by the vote that is left out."""
    ballots = drawn_ballots(seed, n_classes=3, n_annotators=7, share_cast=0.85)
    expected = [majority(others_of(ballots, row), least) for row in range(len(ballots.units))]
    assert settled_by_others(ballots, least=least).tolist() == expected


def test_exact_intervals_are_those_of_scipy():
    right, n = np.array([0, 3, 7, 10, 0]), np.array([5, 9, 20, 10, 0])
    low, high = exact_intervals(right, n)
    for place in range(4):
        expected = binomtest(int(right[place]), int(n[place])).proportion_ci(0.95, method="exact")
        assert (low[place], high[place]) == (pytest.approx(expected.low), pytest.approx(expected.high))
    assert np.isnan([low[4], high[4]]).all()
