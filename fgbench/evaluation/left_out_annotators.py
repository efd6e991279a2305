"""Each annotator against the others on the same units: agreement, alpha without them, key frames, time.

All is not stated in the paper, which reports no agreement.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fgbench.evaluation.ballots import NONE, Ballots, Floats, Indices


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AgainstOthers:
    """Votes compared with what the others voted for most, per annotator.

    Attributes:
        compared: (A,) votes for classes on units where the others have one class that most of them voted for.
        agreeing: (A,) those of them that are for this class.
    """

    compared: Indices
    agreeing: Indices

    @property
    def shares(self) -> Floats:
        """(A,) share that agrees; NaN without votes compared."""
        n = self.compared
        shares: Floats = np.divide(self.agreeing, n, out=np.full(n.shape, np.nan), where=n > 0)
        return shares


def against_others(ballots: Ballots) -> AgainstOthers:
    """Compare each vote with the plurality of the other votes on its unit.

    Votes for no class, votes of one person alone, and those whose fellow voters are tied are not compared.
    """
    others = plurality_of_others(ballots)
    compared = ballots.for_classes & (others != NONE)
    agreeing = compared & (others == ballots.classes)
    return AgainstOthers(
        compared=np.bincount(ballots.annotators[compared], minlength=ballots.n_annotators).astype(np.int64),
        agreeing=np.bincount(ballots.annotators[agreeing], minlength=ballots.n_annotators).astype(np.int64),
    )


def plurality_of_others(ballots: Ballots) -> Indices:
    """(N,) class that most of the other votes on the unit of each vote are for.

    :data:`fgbench.evaluation.ballots.NONE` where several classes have as many, or no other vote is for one.
    """
    tallies, units = ballots.tallies, ballots.units
    top = tallies.highest()
    following = tallies.next_highest(top)
    same = tallies.same
    is_top = ballots.for_classes & (same == top.counts[units])
    alone = is_top & (top.holders[units] == 1)
    # The highest count of the other classes, how many of them have it, and which one does if it is one.
    rival = np.where(alone, following.counts[units], top.counts[units])
    rivals = np.where(alone, following.holders[units], top.holders[units] - is_top)
    total = top.total[units] - np.where(is_top, ballots.classes, 0)
    which = np.where(alone, following.total[units], total)
    own = ballots.for_classes & (same - 1 > rival)
    rest = np.maximum(same - 1, 0)
    return np.where(own, ballots.classes, np.where((rest < rival) & (rivals == 1), which, NONE))


def alphas_without(ballots: Ballots) -> Floats:
    """(A,) Krippendorff's nominal alpha of the votes without those of each annotator; NaN where undefined.

    The sums of alpha are changed by the votes that leave, so that the time grows with the number of votes and
    not with that of annotators times votes.
    """
    n_annotators, n_classes = ballots.n_annotators, ballots.n_classes
    sizes, squares = ballots.sizes, ballots.tallies.squares()
    valid = np.flatnonzero(ballots.for_classes & (sizes[ballots.units] > 1))
    units, who, what = ballots.units[valid], ballots.annotators[valid], ballots.classes[valid]
    size, same = sizes[units], ballots.tallies.same[valid]
    mismatches = _mismatches(sizes, squares)
    observed = mismatches.sum() + np.bincount(
        who, _mismatches(size - 1, squares[units] - 2 * same + 1) - mismatches[units], n_annotators
    )
    counts = np.tile(np.bincount(what, minlength=n_classes), (n_annotators, 1))
    counts -= np.bincount(who * n_classes + what, minlength=counts.size).reshape(counts.shape)
    # Of two votes, the one that stays has nothing to be compared with and leaves too.
    paired = np.flatnonzero(size == 2)
    paired = paired[np.argsort(units[paired], kind="stable")]
    partner = paired.reshape(-1, 2)[:, ::-1].ravel()
    gone = who[paired] * n_classes + what[partner]
    counts -= np.bincount(gone, minlength=counts.size).reshape(counts.shape)
    n = counts.sum(axis=1)
    expected = n.astype(np.float64) ** 2 - (counts.astype(np.float64) ** 2).sum(axis=1)
    ratio = np.full(n_annotators, np.nan)
    np.divide((n - 1) * observed, expected, out=ratio, where=expected > 0)
    return np.asarray(1 - ratio, np.float64)


def _mismatches(sizes: Indices, squares: Indices) -> Floats:
    """Ordered pairs of different votes of each unit by the number of votes less one; 0 for fewer than two."""
    pairs = (sizes**2 - squares).astype(np.float64)
    return np.divide(pairs, sizes - 1, out=np.zeros(pairs.shape), where=sizes > 1)


def others_medians(ballots: Ballots, values: Floats) -> Floats:
    """(N,) median of the values of the other annotators on the same unit; NaN without any.

    Args:
        ballots: N votes.
        values: (N,) a number per vote, e.g. the time of the key frame in seconds; NaN where there is none.
    """
    medians = np.full(values.shape, np.nan)
    rows = np.flatnonzero(np.isfinite(values))
    if not rows.size:
        return medians
    rows = rows[np.lexsort((values[rows], ballots.units[rows]))]
    starts = np.flatnonzero(np.r_[True, np.diff(ballots.units[rows]) != 0])
    sizes = np.repeat(np.diff(np.r_[starts, rows.size]), np.diff(np.r_[starts, rows.size]))
    begin = np.repeat(starts, np.diff(np.r_[starts, rows.size]))
    rank = np.arange(rows.size) - begin
    fit = sizes > 1
    rest = sizes - 1
    ordered = values[rows]

    def other(place: Indices) -> Floats:
        """The value at a place among the sorted others."""
        shifted = place + (place >= rank)
        taken: Floats = ordered[(begin + shifted)[fit]]
        return taken

    medians[rows[fit]] = (other((rest - 1) // 2) + other(rest // 2)) / 2
    return medians


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Distances:
    """Differences from the others' medians, per annotator.

    Attributes:
        n: (A,) votes compared.
        bias: (A,) median of the differences; NaN without any.
        spread: (A,) distance between their quartiles; NaN without any.
    """

    n: Indices
    bias: Floats
    spread: Floats


def distances(ballots: Ballots, values: Floats) -> Distances:
    """Distances of the values of each annotator from the medians of the others'.

    Args:
        ballots: N votes.
        values: (N,) as of :func:`others_medians`.
    """
    low, bias, high = quartiles(ballots, values - others_medians(ballots, values))
    there = np.isfinite(values - others_medians(ballots, values))
    n = np.bincount(ballots.annotators[there], minlength=ballots.n_annotators).astype(np.int64)
    return Distances(n=n, bias=bias, spread=high - low)


def quartiles(ballots: Ballots, values: Floats) -> Floats:
    """(3, A) quartiles of the values of each annotator, the median between; NaN without any.

    Args:
        ballots: N votes.
        values: (N,) a number per vote; NaN where there is none.
    """
    found = np.full((3, ballots.n_annotators), np.nan)
    rows = np.flatnonzero(np.isfinite(values))
    rows = rows[np.argsort(ballots.annotators[rows], kind="stable")]
    who, starts = np.unique(ballots.annotators[rows], return_index=True)
    for one, part in zip(who.tolist(), np.split(values[rows], starts[1:]), strict=bool(who.size)):
        found[:, one] = np.quantile(part, (0.25, 0.5, 0.75))
    return found
