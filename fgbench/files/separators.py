"""Separator of the cells of a text table, by its first line."""

from __future__ import annotations

SEPARATORS = ",;\t"
"""Separators that spreadsheets write; of equally many the earlier one is taken."""


def separator_of(first_line: str) -> str:
    """Return the separator that the first line of a table has most often; a comma where it has none."""
    return max(SEPARATORS, key=first_line.count)
