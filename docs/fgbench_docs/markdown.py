"""Small pieces of Markdown that the generated parts are made of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence


def table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; what would end a cell is escaped.

    Args:
        titles: Titles of the columns.
        rows: Cells, in Markdown, as many as titles.
    """
    lines = [_row(titles), _row(["---"] * len(titles)), *map(_row, rows)]
    return "\n".join(lines) + "\n"


def code(text: str) -> str:
    """Text as code on one line; empty for none."""
    one_line = " ".join(text.split())
    if not one_line:
        return ""
    fence = "``" if "`" in one_line else "`"
    padding = " " if one_line[0] == "`" or one_line[-1] == "`" else ""
    return f"{fence}{padding}{one_line}{padding}{fence}"


def prose(text: str) -> str:
    """A docstring or comment on one line: without roles of Sphinx, and escaped for Markdown and HTML."""
    one_line = " ".join(text.split()).replace("``", "`")
    plain = re.sub(r":(?:attr|class|data|func|meth|mod):(?=`)", "", one_line)
    # Between backquotes everything is text already.
    pieces = re.split(r"(`[^`]*`)", plain)
    return "".join(piece if piece.startswith("`") else escaped(piece) for piece in pieces)


def escaped(text: str) -> str:
    """Text without signs that Markdown or HTML would read."""
    safe = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([*_\[\]])", r"\\\1", safe)


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
