"""Votes of many annotators as arrays, and counts of them per unit.

A unit is one clip in one round: what the same people judge independently of each other. Votes that are for no
class (unsure, not usable, an unknown label) are cast and have the class :data:`NONE`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

Indices = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

NONE = -1
"""Class of a vote for no class."""

_PAIRS_AT_ONCE = 2_000_000
"""Pairs of votes held at once (32 MB)."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Ballots:
    """N votes.

    Attributes:
        units: (N,) index of the unit, 0 to U - 1.
        annotators: (N,) index of the annotator, 0 to A - 1; at most one vote of each per unit.
        classes: (N,) index of the class, 0 to C - 1; :data:`NONE` for none.
        n_units: U.
        n_annotators: A.
        n_classes: C.

    Raises:
        ValueError: If lengths differ, an index is out of range, or an annotator votes twice on a unit.
    """

    units: Indices
    annotators: Indices
    classes: Indices
    n_units: int
    n_annotators: int
    n_classes: int

    def __post_init__(self) -> None:
        if not len(self.units) == len(self.annotators) == len(self.classes):
            raise ValueError("arrays of different lengths, expected one unit, annotator and class per vote")
        for what, values, least, above in (
            ("unit", self.units, 0, self.n_units),
            ("annotator", self.annotators, 0, self.n_annotators),
            ("class", self.classes, NONE, self.n_classes),
        ):
            if values.size and not (least <= values.min() and values.max() < above):
                raise ValueError(f"index of a {what} out of range, expected {least} to {above - 1}")
        if np.unique(self.units * max(self.n_annotators, 1) + self.annotators).size < len(self.units):
            raise ValueError("an annotator with two votes on one unit, expected one")

    def chosen(self, rows: Flags) -> Ballots:
        """The votes of some rows; units, annotators and classes keep their indices."""
        return replace(
            self, units=self.units[rows], annotators=self.annotators[rows], classes=self.classes[rows]
        )

    @cached_property
    def for_classes(self) -> Flags:
        """(N,) whether each vote is for a class."""
        return np.asarray(self.classes != NONE, np.bool_)

    @cached_property
    def sizes(self) -> Indices:
        """(U,) number of votes for classes of each unit."""
        return np.bincount(self.units[self.for_classes], minlength=self.n_units).astype(np.int64)

    @cached_property
    def tallies(self) -> Tallies:
        """Votes per unit and class."""
        valid = self.for_classes
        keys = self.units[valid] * max(self.n_classes, 1) + self.classes[valid]
        cells, place, counts = np.unique(keys, return_inverse=True, return_counts=True)
        same = np.zeros(len(self.units), np.int64)
        same[valid] = counts[place]
        return Tallies(
            units=cells // max(self.n_classes, 1),
            classes=cells % max(self.n_classes, 1),
            counts=counts.astype(np.int64),
            same=same,
            n_units=self.n_units,
        )

    def pairs(self) -> Iterator[tuple[Indices, Indices]]:
        """Rows of all pairs of votes for classes on the same unit, each pair once, some at a time.

        The first row of a pair is that of the annotator with the smaller index.
        """
        rows = np.flatnonzero(self.for_classes)
        rows = rows[np.lexsort((self.annotators[rows], self.units[rows]))]
        starts = np.flatnonzero(np.r_[True, np.diff(self.units[rows]) != 0]) if rows.size else rows
        sizes = np.diff(np.r_[starts, rows.size])
        for size in np.unique(sizes[sizes > 1]).tolist():
            of_size = starts[sizes == size]
            first, second = np.triu_indices(size, 1)
            step = max(1, _PAIRS_AT_ONCE // first.size)
            for begin in range(0, of_size.size, step):
                part = of_size[begin : begin + step, None]
                yield rows[(part + first).ravel()], rows[(part + second).ravel()]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tallies:
    """Votes counted per unit and class; K cells have any.

    Attributes:
        units: (K,) unit of each cell, in rising order.
        classes: (K,) its class.
        counts: (K,) votes of each cell.
        same: (N,) votes of the cell of each vote, itself included; 0 for votes for no class.
        n_units: U.
    """

    units: Indices
    classes: Indices
    counts: Indices
    same: Indices
    n_units: int

    def squares(self) -> Indices:
        """(U,) sum of the squared counts of each unit."""
        return np.bincount(self.units, self.counts**2, self.n_units).astype(np.int64)

    def highest(self) -> Level:
        """The highest count of each unit."""
        top = np.zeros(self.n_units, np.int64)
        np.maximum.at(top, self.units, self.counts)
        return self._level(top)

    def next_highest(self, top: Level) -> Level:
        """The highest count of each unit below the highest."""
        below = self.counts < top.counts[self.units]
        following = np.zeros(self.n_units, np.int64)
        np.maximum.at(following, self.units[below], self.counts[below])
        return self._level(following)

    def _level(self, counts: Indices) -> Level:
        holding = self.counts == counts[self.units]
        units, n_units = self.units[holding], self.n_units
        return Level(
            counts=counts,
            holders=np.bincount(units, minlength=n_units).astype(np.int64),
            total=np.bincount(units, self.classes[holding], n_units).astype(np.int64),
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Level:
    """A count of each unit, and the classes that have it.

    Attributes:
        counts: (U,) the count; 0 without votes.
        holders: (U,) number of classes with as many votes; 0 without votes.
        total: (U,) sum of their indices: the class where there is one, and the other one of two.
    """

    counts: Indices
    holders: Indices
    total: Indices
