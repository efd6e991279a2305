"""Tables and figures as HTML: fragments to put into a page, and small pages that stand alone."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence

from fgbench.reports.paper.best import is_best
from fgbench.reports.rendering.render import text
from fgbench.reports.rendering.table import Spread, Table
from fgbench.reports.rendering.templates import fill


def html_table(table: Table) -> str:
    """Table as a fragment of HTML; labels, names and notes are escaped. Blocks stand one below the other."""
    parts = []
    for part in table.parts():
        columns = [
            {
                "name": str(column),
                "is_number": all(isinstance(row[place], int | float | Spread | None) for row in part.rows),
            }
            for place, column in enumerate(part.columns)
        ]
        rows = [[{"text": text(cell), "is_best": is_best(cell)} for cell in row] for row in part.rows]
        parts.append({"columns": columns, "rows": rows})
    return fill("table.html", title=table.title, parts=parts, notes=table.all_notes)


def html_page(title: str, fragments: Sequence[str]) -> str:
    """A page that stands alone, without scripts.

    Args:
        title: Its title; is escaped.
        fragments: Pieces of HTML, escaped already.
    """
    return fill("document.html", title=title, fragments=fragments)


def html_picture(png: bytes, title: str) -> str:
    """A picture inside the page, as a fragment."""
    return fill("picture.html", data=b64encode(png).decode("ascii"), title=title)
