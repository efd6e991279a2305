"""Files of tables and figures, in every format. Writes ``<name>.<format>``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from fgbench import storage
from fgbench.reports.hypertext import html_page, html_picture, html_table
from fgbench.reports.latex import latex
from fgbench.reports.model import Figure, Table
from fgbench.reports.render import PICTURE_FORMATS, comma_separated, draw_table, markdown, picture

TEXT_FORMATS: dict[str, Callable[[Table], str]] = {
    "md": markdown,
    "tex": latex,
    "csv": comma_separated,
    "html": lambda table: html_page(table.title, [html_table(table)]),
}
"""Formats that are text."""

FORMATS = (*TEXT_FORMATS, *PICTURE_FORMATS)
"""All formats."""


def all_formats(item: Table | Figure) -> list[str]:
    """The formats that suit: every one for figures, those that are text for tables."""
    return list(TEXT_FORMATS if isinstance(item, Table) else FORMATS)


def file_names(item: Table | Figure, formats: Sequence[str] | None = None) -> list[str]:
    """Names of the files that :func:`write_item` writes, in the order of the formats."""
    table = item if isinstance(item, Table) else item.table
    return [f"{table.name}.{kind}" for kind in _chosen(item, formats)]


def _chosen(item: Table | Figure, formats: Sequence[str] | None) -> list[str]:
    return list(dict.fromkeys(formats or (["md"] if isinstance(item, Table) else ["md", "png"])))


def write_item(item: Table | Figure, folder: Path, formats: Sequence[str] | None = None) -> list[Path]:
    """Write a table or figure.

    Args:
        item: What.
        folder: Where; it is made.
        formats: Some of :data:`FORMATS`; ``None``: Markdown, figures also PNG.

    Returns:
        The files, in the order of the formats.

    Raises:
        ResourceError: If the folder cannot be written.
    """
    table = item if isinstance(item, Table) else item.table
    chosen = _chosen(item, formats)
    draw = partial(draw_table, item) if isinstance(item, Table) else item.draw
    is_drawn = isinstance(item, Figure) and "html" in chosen
    drawing = draw() if is_drawn or set(chosen) & set(PICTURE_FORMATS) else None
    written = []
    for kind in chosen:
        path = folder / f"{table.name}.{kind}"
        if kind in PICTURE_FORMATS and drawing is not None:
            storage.write_bytes(path, picture(drawing, kind))
        elif kind == "html" and is_drawn and drawing is not None:
            shown = html_picture(picture(drawing, "png"), table.title)
            storage.write_text(path, html_page(table.title, [shown, html_table(table)]))
        else:
            storage.write_text(path, TEXT_FORMATS[kind](table))
        written.append(path)
    return written
