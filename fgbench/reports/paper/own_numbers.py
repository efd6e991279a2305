"""Tables without the paper's numbers: our own alone, for people who publish theirs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from fgbench.reports.rendering.table import Cell, OfPaper, Table

_KINDS = ("Of", "Number")
"""Heads of the column that tells whose a row is."""

_OURS = "this data set"
_PAPER = "paper"
_COMPARED = ("difference", "UAR less ")


def without_paper(table: Table) -> Table:
    """A table without the rows of the paper and of differences from it.

    What is blank then goes too: columns, and rows of methods that have no run. The column that tells whose a
    row is goes where all are of this data set.
    """
    heads = list(table.columns)
    notes = [note for note in table.notes if not isinstance(note, OfPaper)]
    kind = next((heads.index(head) for head in _KINDS if head in heads), None)
    rows = [list(row) for row in table.rows if kind is None or not _is_papers(row[kind])]
    if len(rows) == len(table.rows):
        return replace(table, notes=notes)
    keys = table.keys or (0 if kind is None else kind + 1)
    rows = [row for row in rows if any(cell is not None for cell in row[keys:])]
    kept = [
        place for place in range(len(heads)) if place < keys or any(row[place] is not None for row in rows)
    ]
    if kind is not None and all(row[kind] == _OURS for row in rows):
        kept.remove(kind)
    return replace(
        table,
        columns=[heads[place] for place in kept],
        rows=[[row[place] for place in kept] for row in rows],
        notes=notes,
        keys=sum(place < table.keys for place in kept),
        blocks=_blocks(table, kept),
    )


def _is_papers(cell: Cell) -> bool:
    return cell == _PAPER or str(cell).startswith(_COMPARED)


def _blocks(table: Table, kept: Sequence[int]) -> list[int]:
    """Widths of the blocks with the columns that are kept; without those that are empty."""
    found, begin = [], table.keys
    for width in table.blocks:
        found.append(sum(begin <= place < begin + width for place in kept))
        begin += width
    return [width for width in found if width]
