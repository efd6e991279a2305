"""Best numbers of a table among those that are comparable; they are printed bold."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

from fgbench.reports.rendering.table import Best, Cell, Spread, centre

BOLD = "Bold: the best of those that compare on this data set; all of them where several print alike."
_DIGITS = 3
"""Number of printed decimals."""


def mark_best(
    rows: Sequence[Sequence[Cell]], groups: Mapping[int, Hashable], columns: Sequence[int]
) -> list[list[Cell]]:
    """Rows with the highest number of each column marked, among the rows of each group of two or more.

    Numbers that print alike are equal.

    Args:
        rows: Rows of a table.
        groups: Index of each comparable row to its group.
        columns: Indices of the columns in which more is better.
    """
    marked = [list(row) for row in rows]
    members: dict[Hashable, list[int]] = {}
    for row, group in groups.items():
        members.setdefault(group, []).append(row)
    for group_rows in members.values():
        for column in columns:
            values = {
                row: round(value, _DIGITS)
                for row in group_rows
                if (value := centre(rows[row][column])) is not None
            }
            if len(values) < 2:
                continue
            best = max(values.values())
            for row, value in values.items():
                if value == best:
                    marked[row][column] = _best(marked[row][column])
    return marked


def bold_note(rows: Sequence[Sequence[Cell]]) -> list[str]:
    """The sentence on bold numbers, where there are some."""
    return [BOLD] if any(is_best(cell) for row in rows for cell in row) else []


def is_best(cell: Cell) -> bool:
    """Whether a cell is marked."""
    return isinstance(cell, Best) or (isinstance(cell, Spread) and cell.is_best)


def _best(cell: Cell) -> Cell:
    if isinstance(cell, Spread):
        return Spread(cell.mean, cell.sd, is_best=True)
    assert isinstance(cell, int | float)
    return Best(cell)
