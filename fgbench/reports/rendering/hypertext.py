"""Tables and figures as HTML: fragments to put into a page, and small pages that stand alone."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence

from fgbench.printable import markup_of
from fgbench.reports.paper.best import is_best
from fgbench.reports.rendering.render import text
from fgbench.reports.rendering.table import Cell, Spread, Table

_STYLE = """
body { font: 15px/1.4 system-ui, sans-serif; color: #1a1a1a; margin: 1.5rem auto; max-width: 80rem;
  padding: 0 1rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; margin: 0.5rem 0; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-weight: 600; padding: 0.3rem 0; }
thead th { border-top: 2px solid; border-bottom: 1px solid; }
tbody tr:last-child > * { border-bottom: 2px solid; }
th, td { padding: 0.15rem 0.6rem; text-align: left; white-space: nowrap; font-weight: 400; }
thead th { font-weight: 600; }
.n { text-align: right; }
img { max-width: 100%; height: auto; }
"""


def html_table(table: Table) -> str:
    """Table as a fragment of HTML; labels, names and notes are escaped. Blocks stand one below the other."""
    lines = []
    for number, part in enumerate(table.parts()):
        numeric = [
            all(isinstance(row[place], int | float | Spread | None) for row in part.rows)
            for place in range(len(part.columns))
        ]
        caption = markup_of(table.title) + (" (continued)" if number else "")
        lines += [
            '<div class="wide" tabindex="0">',
            "<table>",
            f"<caption>{caption}</caption>",
            "<thead><tr>",
        ]
        lines += [
            f'<th scope="col"{_side(right)}>{markup_of(str(column))}</th>'
            for column, right in zip(part.columns, numeric, strict=True)
        ]
        lines.append("</tr></thead>")
        lines.append("<tbody>")
        for row in part.rows:
            cells = [
                f"<td{_side(right)}>{_bold(cell)}</td>" for cell, right in zip(row, numeric, strict=True)
            ]
            lines.append(f"<tr>{''.join(cells)}</tr>")
        lines += ["</tbody>", "</table>", "</div>"]
    if table.all_notes:
        lines += ["<ul>", *(f"<li>{markup_of(note)}</li>" for note in table.all_notes), "</ul>"]
    return "\n".join(lines) + "\n"


def html_page(title: str, fragments: Sequence[str]) -> str:
    """A page that stands alone, without scripts.

    Args:
        title: Its title; is escaped.
        fragments: Pieces of HTML, escaped already.
    """
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{markup_of(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        + "".join(fragments)
        + "</body>\n</html>\n"
    )


def html_picture(png: bytes, title: str) -> str:
    """A picture inside the page, as a fragment."""
    data = b64encode(png).decode("ascii")
    return f'<img src="data:image/png;base64,{data}" alt="{markup_of(title)}">\n'


def _bold(cell: Cell) -> str:
    shown = markup_of(text(cell))
    return f"<b>{shown}</b>" if is_best(cell) else shown


def _side(right: bool) -> str:
    return ' class="n"' if right else ""
