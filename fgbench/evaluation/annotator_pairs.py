"""Annotators in pairs: Cohen's kappa on the units that both voted on, and which classes they exchange.

Kappa is (observed agreement - that by chance) / (1 - that by chance), chance from the shares of the classes
that each of the two gave (Cohen, A Coefficient of Agreement for Nominal Scales, 1960). Not stated in the
paper, which reports no agreement.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fgbench.evaluation.ballots import Ballots, Floats, Indices

LEAST_SHARED = 20
"""Units shared below which a pair gets no kappa: of fewer, chance moves it by tenths; ours."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Kappas:
    """P pairs of annotators with enough units in common, ordered by first and second.

    Attributes:
        first: (P,) index of one annotator.
        second: (P,) index of the other, which is larger.
        shared: (P,) units on which both voted for a class.
        agreeing: (P,) those of them on which both voted for the same one.
        kappa: (P,) Cohen's kappa; NaN where both gave one class alone, the same.
    """

    first: Indices
    second: Indices
    shared: Indices
    agreeing: Indices
    kappa: Floats


def kappas(ballots: Ballots, *, least: int = LEAST_SHARED) -> Kappas:
    """Cohen's kappa of all pairs of annotators.

    Args:
        ballots: The votes; those for no class are left out.
        least: Least number of units in common.
    """
    n_annotators, n_classes = ballots.n_annotators, ballots.n_classes
    keys, shared = np.zeros(0, np.int64), np.zeros(0, np.int64)
    for one, other in ballots.pairs():
        found, n = np.unique(_key(ballots, one, other), return_counts=True)
        keys, shared = _added(np.r_[keys, found], np.r_[shared, n])
    keys, shared = keys[shared >= least], shared[shared >= least]
    agreeing = np.zeros(keys.size, np.int64)
    marginals = np.zeros((2, keys.size * n_classes), np.int64)
    for one, other in ballots.pairs() if keys.size else ():
        key = _key(ballots, one, other)
        place = np.minimum(np.searchsorted(keys, key), keys.size - 1)
        kept = keys[place] == key
        place, one, other = place[kept], one[kept], other[kept]
        same = ballots.classes[one] == ballots.classes[other]
        agreeing += np.bincount(place[same], minlength=keys.size)
        for side, rows in enumerate((one, other)):
            cells = place * n_classes + ballots.classes[rows]
            marginals[side] += np.bincount(cells, minlength=marginals.shape[1])
    by_class = marginals.reshape(2, keys.size, n_classes).astype(np.float64)
    by_chance = (by_class[0] * by_class[1]).sum(axis=1)
    room = shared.astype(np.float64) ** 2 - by_chance
    kappa = np.divide(shared * agreeing - by_chance, room, out=np.full(keys.size, np.nan), where=room > 0)
    return Kappas(
        first=keys // max(n_annotators, 1),
        second=keys % max(n_annotators, 1),
        shared=shared,
        agreeing=agreeing,
        kappa=kappa,
    )


def _key(ballots: Ballots, one: Indices, other: Indices) -> Indices:
    return ballots.annotators[one] * ballots.n_annotators + ballots.annotators[other]


def _added(keys: Indices, counts: Indices) -> tuple[Indices, Indices]:
    """Different keys in rising order, with the sum of the counts of each."""
    found, place = np.unique(keys, return_inverse=True)
    return found, np.bincount(place, counts, found.size).astype(np.int64)


def exchanged(ballots: Ballots) -> Indices:
    """(C, C) pairs of votes on the same unit by their two classes, symmetric.

    Each pair of votes counts once: in ``[i, j]`` and ``[j, i]`` where the classes differ, in ``[i, i]`` where
    both are the same.
    """
    n_classes = ballots.n_classes
    counts = np.zeros(n_classes * n_classes, np.int64)
    for one, other in ballots.pairs():
        low, high = np.sort([ballots.classes[one], ballots.classes[other]], axis=0)
        counts += np.bincount(low * n_classes + high, minlength=counts.size)
    upper = counts.reshape(n_classes, n_classes)
    return upper + np.triu(upper, 1).T


@dataclass(frozen=True, slots=True, kw_only=True)
class Confusion:
    """Two classes that annotators give to the same units.

    Attributes:
        first: Index of one class.
        second: Index of the other.
        n: Pairs of votes on one unit of which one is for each.
        share: Of the pairs of votes that are both for one of these two classes, the share that differ.
    """

    first: int
    second: int
    n: int
    share: float


def most_exchanged(counts: Indices) -> list[Confusion]:
    """Pairs of classes that are exchanged at all, those with most pairs of votes first.

    Args:
        counts: (C, C) as of :func:`exchanged`.
    """
    first, second = np.nonzero(np.triu(counts, 1))
    n = counts[first, second]
    within = n + counts[first, first] + counts[second, second]
    order = np.lexsort((second, first, -n))
    return [
        Confusion(
            first=int(first[row]), second=int(second[row]), n=int(n[row]), share=float(n[row] / within[row])
        )
        for row in order
    ]


def classes_of_both(ballots: Ballots, first: int, second: int) -> Indices:
    """(C, C) units by the class of one annotator (rows) and of another (columns).

    Args:
        ballots: The votes; those for no class are left out.
        first: Index of the one.
        second: Index of the other.
    """
    one, other = (
        np.flatnonzero(ballots.for_classes & (ballots.annotators == who)) for who in (first, second)
    )
    _, rows, columns = np.intersect1d(
        ballots.units[one], ballots.units[other], assume_unique=True, return_indices=True
    )
    counts = np.zeros((ballots.n_classes, ballots.n_classes), np.int64)
    np.add.at(counts, (ballots.classes[one[rows]], ballots.classes[other[columns]]), 1)
    return counts


def kappa_of(counts: Indices) -> float | None:
    """Cohen's kappa of a pair; ``None`` without units, or where both gave one class alone, the same.

    Args:
        counts: (C, C) as of :func:`classes_of_both`.
    """
    n = int(counts.sum())
    by_chance = int((counts.sum(axis=0) * counts.sum(axis=1)).sum())
    return None if n * n == by_chance else (n * int(np.trace(counts)) - by_chance) / (n * n - by_chance)
