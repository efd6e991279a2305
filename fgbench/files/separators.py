"""Separator of the cells of a text table, by its first line."""

from __future__ import annotations

import re

SEPARATORS = ",;\t"
"""Separators that spreadsheets write; of equally many the earlier one is taken."""


def separator_of(first_line: str) -> str:
    """Return the separator that the first line of a table has most often; a comma where it has none."""
    return max(SEPARATORS, key=first_line.count)


_NAMED = re.compile(r'"?sep=([,;\t])"?\s*', re.IGNORECASE)


def named_separator(first_line: str) -> str | None:
    """Return the separator that a first line such as ``sep=;`` names, which Excel reads and writes; ``None``
    for any other line, which is then the first of the table."""
    match = _NAMED.fullmatch(first_line)
    return match[1] if match else None
