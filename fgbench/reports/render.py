"""Rendering of tables and figures: Markdown, CSV and PNG."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import TYPE_CHECKING

from fgbench.reports.model import Cell, Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawing


def markdown(table: Table) -> str:
    """Table as Markdown; numbers are aligned to the right."""
    numeric = [
        all(isinstance(row[place], int | float | None) for row in table.rows)
        for place in range(len(table.columns))
    ]
    lines = [f"**{_escaped(table.title)}**", ""]
    lines.append(_line([_escaped(column) for column in table.columns]))
    lines.append(_line(["---:" if right else ":---" for right in numeric]))
    lines += [_line([_escaped(text(cell)) for cell in row]) for row in table.rows]
    if table.notes:
        lines += ["", *(f"- {_escaped(note)}" for note in table.notes)]
    return "\n".join(lines) + "\n"


def comma_separated(table: Table) -> str:
    """Table as CSV with one line of heads; title and notes are left out."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(table.columns)
    writer.writerows([["" if cell is None else cell for cell in row] for row in table.rows])
    return out.getvalue()


def draw_table(table: Table) -> Drawing:
    """Table as a drawing."""
    from matplotlib.figure import Figure as Canvas
    from matplotlib.transforms import Bbox

    drawing = Canvas(figsize=(9, 0.8 + 0.3 * (len(table.rows) + 1)), dpi=150, layout="constrained")
    axes = drawing.subplots()
    axes.set_axis_off()
    axes.set_title(table.title, fontsize=10)
    cells = [[text(cell) for cell in row] for row in table.rows]
    grid = axes.table(cellText=cells, colLabels=list(table.columns), bbox=Bbox.unit(), cellLoc="right")
    grid.auto_set_font_size(False)
    grid.set_fontsize(9)
    grid.auto_set_column_width(list(range(len(table.columns))))
    for (row, _), cell in grid.get_celld().items():
        cell.set_edgecolor("0.8")
        if row == 0:
            cell.set_text_props(weight="bold")
    drawing.supxlabel("\n".join(table.notes), fontsize=8, ha="center")
    return drawing


def png(drawing: Drawing) -> bytes:
    """Drawing as PNG; equal drawings give equal bytes."""
    out = io.BytesIO()
    drawing.savefig(out, format="png", metadata={"Software": None})
    return out.getvalue()


def text(cell: Cell) -> str:
    """Cell as people read it: thousands separated, a blank for what is not known."""
    if cell is None:
        return ""
    if isinstance(cell, int):
        return f"{cell:,}"
    return f"{cell:.3f}" if isinstance(cell, float) else cell


def _escaped(value: str) -> str:
    for character in "\\`*_[]<>|":
        value = value.replace(character, f"\\{character}")
    return value.replace("\n", " ")


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


TEXT_FORMATS: dict[str, Callable[[Table], str]] = {"md": markdown, "csv": comma_separated}
"""Formats that are text."""

FORMATS = (*TEXT_FORMATS, "png")
"""All formats."""
