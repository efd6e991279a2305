"""Shares of annotators: balance, pairs, and that they follow from the seed."""

from itertools import combinations

import pytest

from fgbench.annotation.shares import deal_shares, pair_counts, seeded_order


@pytest.mark.parametrize(
    ("clips", "people", "per_clip"), [(1, 6, 5), (50, 6, 5), (100, 10, 5), (37, 9, 3), (40, 7, 2), (13, 5, 1)]
)
def test_shares_are_balanced(clips, people, per_clip):
    """Every clip has its voters, numbers of clips differ by at most 1, those of pairs by at most 2."""
    dealt = deal_shares(clips, people, per_clip, seed=3)
    assert len(dealt) == clips
    assert all(len(set(one)) == per_clip and list(one) == sorted(one) for one in dealt)
    loads = [sum(person in one for one in dealt) for person in range(people)]
    assert max(loads) - min(loads) <= 1
    pairs = [sum({a, b} <= set(one) for one in dealt) for a, b in combinations(range(people), 2)]
    assert max(pairs) - min(pairs) <= 2
    counts = pair_counts(dealt, people)
    assert [counts[person][person] for person in range(people)] == loads
    assert [counts[a][b] for a, b in combinations(range(people), 2)] == pairs


def test_shares_of_five_people_for_five_votes_are_all():
    """The paper's groups of five vote on everything."""
    assert deal_shares(3, 5, 5, seed=0) == [(0, 1, 2, 3, 4)] * 3


def test_shares_follow_from_the_seed():
    """The same seed deals the same, another one something else."""
    assert deal_shares(30, 8, 5, seed=1) == deal_shares(30, 8, 5, seed=1)
    assert deal_shares(30, 8, 5, seed=1) != deal_shares(30, 8, 5, seed=2)


def test_many_clips_are_dealt_evenly_without_a_search():
    """Beyond the search, pairs still differ by less than 2 in a hundred."""
    counts = pair_counts(deal_shares(3000, 12, 5, seed=0), 12)
    pairs = [counts[a][b] for a, b in combinations(range(12), 2)]
    assert max(pairs) - min(pairs) <= 0.02 * 3000 * 5 * 4 / (12 * 11)


def test_too_few_people_are_refused():
    """Each clip needs different annotators."""
    with pytest.raises(ValueError, match="5 annotators per clip, of 4"):
        deal_shares(3, 4, 5, seed=0)


def test_known_answers_are_spread():
    """Every stretch of the order has one of the items with known answers, at a place of the seed."""
    names, known = [f"c{number:02d}" for number in range(45)], [f"k{number}" for number in range(5)]
    order = seeded_order(names, known, seed=0)
    assert sorted(order) == sorted(names + known)
    assert [sum(one in known for one in order[at : at + 10]) for at in range(0, 50, 10)] == [1] * 5
    assert order == seeded_order(names[::-1], known[::-1], seed=0)
    places = {
        tuple(order.index(one) for one in known)
        for order in [seeded_order(names, known, seed=s) for s in range(5)]
    }
    assert len(places) == 5
