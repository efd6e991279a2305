"""Results that notebooks show as the lines that commands print, with all names escaped."""

from __future__ import annotations

from html import escape
from typing import Protocol

from fgbench.printable import printable


class _HasLines(Protocol):
    def lines(self) -> list[str]:
        """Return lines of text."""
        ...


class NotebookLines:
    """Base of values with ``lines()``."""

    __slots__ = ()

    def _repr_html_(self: _HasLines) -> str:
        return lines_html(self.lines())


def lines_html(lines: list[str]) -> str:
    """Return lines as HTML: columns stay below each other, long lines are broken.

    Args:
        lines: Lines of text.
    """
    return f'<pre style="white-space:pre-wrap">{escape(printable(chr(10).join(lines)))}</pre>'
