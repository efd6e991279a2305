"""Tables and figures as HTML: fragments for a page, or small pages of their own."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence

from fgbench.reports.paper.best import is_best
from fgbench.reports.rendering.render import text
from fgbench.reports.rendering.table import Table
from fgbench.reports.rendering.templates import fill


def html_table(table: Table) -> str:
    """Table as a fragment of HTML; labels, names and notes are escaped. Blocks follow one below the other."""
    parts = []
    for part in table.parts():
        columns = [
            {"name": str(column), "is_number": is_number}
            for column, is_number in zip(part.columns, part.are_numbers(), strict=True)
        ]
        rows = [[{"text": text(cell), "is_best": is_best(cell)} for cell in row] for row in part.rows]
        parts.append({"columns": columns, "rows": rows})
    return fill("table.html", title=table.title, parts=parts, notes=table.all_notes)


def html_page(title: str, fragments: Sequence[str]) -> str:
    """A page of its own, without scripts.

    Args:
        title: Title; will be escaped.
        fragments: HTML fragments, already escaped.
    """
    return fill("document.html", title=title, fragments=fragments)


def html_picture(png: bytes, title: str) -> str:
    """Fragment with an embedded picture."""
    return fill("picture.html", data=b64encode(png).decode("ascii"), title=title)
