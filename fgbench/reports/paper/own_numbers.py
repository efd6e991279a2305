"""Tables without the paper's numbers, for users who publish their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from fgbench.reports.rendering.table import Cell, OfPaper, Table

_KINDS = ("Of", "Number")
"""Titles of the column with the source of a row."""

_OURS = "this data set"
_PAPER = "paper"
_COMPARED = ("difference", "UAR less ")


def without_paper(table: Table) -> Table:
    """A table without the rows of the paper and of differences from it.

    Columns that are blank then are dropped, as are rows of methods without runs, and the column with the
    source of a row if all are of this data set.
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
        column
        for column in range(len(heads))
        if column < keys or any(row[column] is not None for row in rows)
    ]
    if kind is not None and all(row[kind] == _OURS for row in rows):
        kept.remove(kind)
    return replace(
        table,
        columns=[heads[column] for column in kept],
        rows=[[row[column] for column in kept] for row in rows],
        notes=notes,
        keys=sum(column < table.keys for column in kept),
        blocks=_blocks(table, kept),
    )


def _is_papers(cell: Cell) -> bool:
    return cell == _PAPER or str(cell).startswith(_COMPARED)


def _blocks(table: Table, kept: Sequence[int]) -> list[int]:
    """Widths of the blocks of the remaining columns, without empty blocks."""
    widths, begin = [], table.keys
    for width in table.blocks:
        widths.append(sum(begin <= column < begin + width for column in kept))
        begin += width
    return [width for width in widths if width]
