"""Tables as Markdown and CSV."""

from __future__ import annotations

import csv
import io

from fgbench.printable import cell_of, printable
from fgbench.reports.paper.best import is_best
from fgbench.reports.rendering.table import Cell, PValue, Spread, Table

_LEAST = 0.001  # smaller p-values are not distinguished


def markdown(table: Table) -> str:
    """Table as Markdown; numbers are aligned to the right."""
    lines = [f"**{in_markdown(table.title)}**"]
    for part in table.parts():
        lines += ["", _line([in_markdown(column) for column in part.columns])]
        lines.append(_line(["---:" if is_number else ":---" for is_number in part.are_numbers()]))
        lines += [_line([_markdown_cell(cell) for cell in row]) for row in part.rows]
    if table.all_notes:
        lines += ["", *(f"- {in_markdown(note)}" for note in table.all_notes)]
    return "\n".join(lines) + "\n"


def _markdown_cell(cell: Cell) -> str:
    shown = in_markdown(text(cell))
    return f"**{shown}**" if is_best(cell) else shown


def comma_separated(table: Table) -> str:
    """Table as CSV below one header line; title and notes are left out.

    Names that a spreadsheet would take for formulas are prefixed with an apostrophe.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([_csv_cell(str(column)) for column in table.columns])
    writer.writerows([[_csv_cell(cell) for cell in row] for row in table.rows])
    return out.getvalue()


def _csv_cell(cell: Cell) -> Cell:
    if cell is None:
        return ""
    return cell_of(printable(cell)) if isinstance(cell, str) else cell


def text(cell: Cell) -> str:
    """Cell as people read it: thousands separated, blank if unknown."""
    if cell is None:
        return ""
    if isinstance(cell, int):
        return f"{cell:,}"
    if isinstance(cell, Spread):
        if cell.is_same:
            return f"{cell.mean:.3f}"
        return f"{cell.mean:.3f} ± {cell.sd:.3f}" if cell.sd >= _LEAST else f"{cell.mean:.3f} ± < {_LEAST:g}"
    if not isinstance(cell, float):
        return cell
    if isinstance(cell, PValue) and cell < _LEAST:
        return f"< {_LEAST:g}"
    number = f"{cell:.3f}"
    return number.removeprefix("-") if float(number) == 0.0 else number


def in_markdown(value: str) -> str:
    """Text on one line, without anything that Markdown would interpret."""
    value = printable(value)
    for character in "\\`*_[]<>|":
        value = value.replace(character, f"\\{character}")
    return value.replace("\n", " ")


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
