"""Votes on the page: agreement of annotators, by round, class, annotator and pair."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fgbench.reports.rendering.render import text
from fgbench.reports.rendering.table import Cell, Table
from fgbench.reports.votes.agreement import vote_figures
from fgbench.reports.votes.cast_votes import NoVotesError, read_votes
from fgbench.reports.votes.ceiling import ceiling
from fgbench.reports.votes.figures import VoteFigures
from fgbench.reports.votes.heat_map import agreement_figure
from fgbench.reports.votes.tables import vote_tables

MOST_PAIRS = 500
"""Rows of the table of pairs on the page, those with most clips in common; all are in the files."""

_ANNOTATOR_PARTS = ("Agreement and answers", "Known answers and key frames", "Time and verdict")
"""Heads of the parts of the table of annotators."""

_ROUND_PARTS = ("Labels", "Key frames and confidences", "Other answers, and clips settled")
"""Heads of the parts of the table of rounds."""


def votes_json(workdir: Path) -> dict[str, Any] | None:
    """Data of the view of votes; ``None`` where the data set has none.

    Returns:
        Totals; the tables ``rounds`` and ``annotators`` (both in parts), ``pairs``, ``confused``, each with
        its cells as text; per round the ``classes`` with alpha and its interval; the matrix ``kappas``; and
        the ``ceiling``, where votes on test clips can be scored.

    Raises:
        ManifestError: If manifests are damaged.
    """
    try:
        cast = read_votes(workdir)
    except NoVotesError:
        return None
    figures = vote_figures(cast)
    rounds, classes, annotators, pairs, confused = vote_tables(cast, figures)
    heat_map = agreement_figure(cast, figures).table
    most = sorted(pairs.rows, key=lambda row: -int(str(row[2])))[:MOST_PAIRS]
    return {
        "n_clips": len(cast.clips),
        "n_votes": sum(one.votes for one in figures.annotators),
        "n_annotators": len(figures.annotators),
        "alpha": figures.alpha,
        "rounds": {"parts": _parts(rounds, _ROUND_PARTS), "notes": rounds.all_notes},
        "classes": {"rounds": _by_round(figures), "notes": classes.all_notes},
        "annotators": {
            "parts": _parts(annotators, _ANNOTATOR_PARTS),
            "notes": annotators.all_notes,
        },
        "kappas": {
            "names": [str(row[0]) for row in heat_map.rows],
            "rows": [list(row[2:]) for row in heat_map.rows],
            "notes": heat_map.all_notes[1:],  # the first explains bars that the page does not have
        },
        "pairs": {**_table(pairs), "rows": [_cells(row) for row in most], "n": len(pairs.rows)},
        "confused": _table(confused),
        "ceiling": _ceiling_json(workdir),
    }


def _parts(table: Table, heads: tuple[str, ...]) -> list[dict[str, Any]]:
    """The blocks of a wide table, each with its head."""
    return [{"head": head, **_table(part)} for head, part in zip(heads, table.parts(), strict=True)]


def _table(table: Table) -> dict[str, Any]:
    """Columns, whether they are numbers, cells as text, and notes."""
    return {
        "columns": list(table.columns),
        "numbers": table.are_numbers(),
        "rows": [_cells(row) for row in table.rows],
        "notes": table.all_notes,
    }


def _cells(row: Any) -> list[str]:
    return [text(cell) for cell in row]


def _by_round(figures: VoteFigures) -> list[dict[str, Any]]:
    """Per round its classes: label, clips, votes, settled, alpha, low, high, confidence."""
    return [
        {
            "round": one.round,
            "classes": [
                [of.label, of.clips, of.votes, of.settled, of.alpha, of.low, of.high, of.confidence]
                for of in figures.classes
                if of.round == one.round
            ],
        }
        for one in figures.rounds
    ]


def _ceiling_json(workdir: Path) -> dict[str, Any] | None:
    found = ceiling(workdir)
    if found is None:
        return None
    interval = found.left_out.interval
    return {
        "uar": _number(found.left_out.mean),
        "low": None if interval is None else interval.low,
        "high": None if interval is None else interval.high,
        "settled": _number(found.settled.mean),
        "notes": found.notes,
    }


def _number(cell: Cell) -> float | None:
    return float(cell) if isinstance(cell, float) else None
