"""Tables of two annotators: which classes one gave to the clips that the other gave others."""

from __future__ import annotations

import numpy as np

from fgbench.errors import ArgumentError
from fgbench.evaluation.annotator_pairs import classes_of_both, kappa_of
from fgbench.evaluation.ballots import Indices
from fgbench.naming import counted, first_few
from fgbench.printable import printable_name
from fgbench.reports.rendering.render import text
from fgbench.reports.rendering.table import Cell, Table, data_title
from fgbench.reports.votes.cast_votes import CastVotes

CONFUSED, MATRIX = "votes-pair", "votes-pair-matrix"
"""Names of the tables."""
_BLOCK = 8
"""Columns of the matrix side by side on a page."""


def confusion_of(cast: CastVotes, first: str, second: str) -> Indices:
    """(C, C) clips by the class of one annotator (rows) and of another (columns).

    A clip counts once in each round in which both voted for a class.

    Raises:
        ArgumentError: If one of them has no votes, or both are one.
    """
    places = []
    for name in (first, second):
        if name not in cast.annotators:
            raise ArgumentError(
                f"{printable_name(name)!r} is no annotator of {cast.dataset}, expected two of "
                f"{first_few([printable_name(one) for one in cast.annotators])}",
                "take them as the table of annotators has them (fgbench report --votes)",
                argument="pair",
            )
        places.append(cast.annotators.index(name))
    if places[0] == places[1]:
        raise ArgumentError(
            f"{printable_name(first)!r} twice, expected two annotators",
            "name another one",
            argument="pair",
        )
    return classes_of_both(cast.ballots, *places)


def pair_tables(cast: CastVotes, first: str, second: str) -> list[Table]:
    """The classes that two annotators confuse, most first, and the whole matrix.

    Raises:
        ArgumentError: As of :func:`confusion_of`.
    """
    counts = confusion_of(cast, first, second)
    names = (printable_name(first), printable_name(second))
    title = data_title(f"Classes of {names[0]} and {names[1]}", cast.dataset, synthetic=cast.synthetic)
    shared, same = int(counts.sum()), int(np.trace(counts))
    agreement = f", {same:,} of them with the same class, Cohen's kappa {_kappa(counts)}" if shared else ""
    note = f"{counted(shared, 'clip')} in rounds in which both voted for a class{agreement}."
    return [_confused(cast, counts, names, title, note), _matrix(cast, counts, names, title, note)]


def _kappa(counts: Indices) -> str:
    kappa = kappa_of(counts)
    return "not defined (one class alone)" if kappa is None else text(kappa)


def _confused(cast: CastVotes, counts: Indices, names: tuple[str, str], title: str, note: str) -> Table:
    rows, columns = np.nonzero(counts - np.diag(np.diag(counts)))
    order = np.lexsort((columns, rows, -counts[rows, columns]))
    given = counts.sum(axis=1)
    cells: list[list[Cell]] = [
        [
            cast.classes[row],
            cast.classes[column],
            int(counts[row, column]),
            float(counts[row, column] / given[row]),
        ]
        for row, column in zip(rows[order].tolist(), columns[order].tolist(), strict=True)
    ]
    return Table(
        name=CONFUSED,
        title=title,
        columns=[names[0], names[1], "Clips", "Share"],
        rows=cells,
        notes=[note, f"Share: of the clips that {names[0]} gave the class."],
        keys=2,
    )


def _matrix(cast: CastVotes, counts: Indices, names: tuple[str, str], title: str, note: str) -> Table:
    given = np.flatnonzero(counts.sum(axis=0) + counts.sum(axis=1)).tolist()
    n_full, rest = divmod(len(given), _BLOCK)
    return Table(
        name=MATRIX,
        title=title,
        columns=["Class", *(cast.classes[place] for place in given)],
        rows=[[cast.classes[row], *(int(counts[row, column]) for column in given)] for row in given],
        notes=[
            f"Clips by the class of {names[0]} (rows) and of {names[1]} (columns); classes that neither gave "
            "are left out.",
            note,
        ],
        keys=1,
        blocks=[_BLOCK] * n_full + ([rest] if rest else []),
    )
