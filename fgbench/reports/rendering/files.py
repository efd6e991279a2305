"""Files of tables and figures in every format. Writes ``<name>.<format>``."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fgbench import storage
from fgbench.reports.paper.own_numbers import without_paper
from fgbench.reports.rendering.drawing_style import drawn
from fgbench.reports.rendering.drawings import PICTURE_FORMATS, picture
from fgbench.reports.rendering.hypertext import html_page, html_picture, html_table
from fgbench.reports.rendering.latex import latex
from fgbench.reports.rendering.render import comma_separated, markdown
from fgbench.reports.rendering.table import Figure, Table

TEXT_FORMATS: dict[str, Callable[[Table], str]] = {
    "md": markdown,
    "tex": latex,
    "csv": comma_separated,
    "html": lambda table: html_page(table.title, [html_table(table)]),
}
"""Text formats."""

_COMMAND = re.compile(r"\bfgbench [a-z]|\bruns/")

FORMATS = (*TEXT_FORMATS, *PICTURE_FORMATS)
"""All formats."""

PAPER_FORMATS = ("tex", "pdf")
"""Formats for papers, where none is named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Style of tables and figures.

    Attributes:
        for_paper: Whether for the user's paper: figures as wide as a column or page, without title, and no
            commands in notes.
        with_paper: Whether with the numbers of the paper that fgbench follows.
    """

    for_paper: bool = False
    with_paper: bool = True

    def table(self, table: Table) -> Table:
        """Table in this style."""
        if not self.with_paper:
            table = without_paper(table)
        if self.for_paper:
            table = replace(table, notes=[note for note in table.notes if not _COMMAND.search(note)])
        return table


def all_formats(item: Table | Figure) -> list[str]:
    """Possible formats: all for figures, text formats for tables."""
    return list(TEXT_FORMATS if isinstance(item, Table) else FORMATS)


def file_names(item: Table | Figure, formats: Sequence[str] | None = None) -> list[str]:
    """Names of the files that :func:`write_item` writes, in the order of the formats."""
    table = item if isinstance(item, Table) else item.table
    return [f"{table.name}.{kind}" for kind in _chosen(item, formats)]


def _chosen(item: Table | Figure, formats: Sequence[str] | None) -> list[str]:
    """Formats without repetitions; tables take text formats, Markdown if none is wanted."""
    if isinstance(item, Figure):
        return list(dict.fromkeys(formats or ["md", "png"]))
    return list(dict.fromkeys(kind for kind in formats or () if kind in TEXT_FORMATS)) or ["md"]


def write_item(
    item: Table | Figure, folder: Path, formats: Sequence[str] | None = None, *, look: Look | None = None
) -> list[Path]:
    """Write a table or figure.

    Args:
        item: Table or figure.
        folder: Folder; created if missing.
        formats: Some of :data:`FORMATS`; ``None``: Markdown, figures also PNG. Only figures have pictures.
        look: Style.

    Returns:
        The files, in the order of the formats.

    Raises:
        ResourceError: If the folder cannot be written.
    """
    look = look or Look()
    table = look.table(item if isinstance(item, Table) else item.table)
    chosen = _chosen(item, formats)
    written = []
    with drawn(for_paper=look.for_paper, with_paper=look.with_paper):
        is_drawn = isinstance(item, Figure) and bool(set(chosen) & {"html", *PICTURE_FORMATS})
        drawing = item.draw() if isinstance(item, Figure) and is_drawn else None
        for kind in chosen:
            path = folder / f"{table.name}.{kind}"
            if kind in PICTURE_FORMATS and drawing is not None:
                storage.write_bytes(path, picture(drawing, kind))
            elif kind == "html" and drawing is not None:
                shown = html_picture(picture(drawing, "png"), table.title)
                storage.write_text(path, html_page(table.title, [shown, html_table(table)]))
            else:
                storage.write_text(path, TEXT_FORMATS[kind](table))
            written.append(path)
    return written
