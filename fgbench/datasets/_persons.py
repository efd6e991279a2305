"""Names of subjects in users' own tables, and the words in use for unknown subjects.

Pure functions on cells. Public data sets have ids of their own, which are read unchanged.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from fgbench.naming import counted, key, tidy

UNKNOWN = frozenset({"nan", "<na>", "none", "unknown", "n/a", "?"})
"""Words for an unknown subject, as keys (:func:`fgbench.naming.key`): those that people write, and that
programs write into empty cells."""


def person(cell: str) -> str | None:
    """Subject named by a cell; ``None`` if it is empty or one of :data:`UNKNOWN`, in any case."""
    return None if key(cell) in UNKNOWN else cell or None


def unknown_persons(table: str, cells: Iterable[str]) -> list[str]:
    """Message on cells with a word for an unknown subject; empty if there are none.

    Args:
        table: Name of the table.
        cells: Its cells of subjects.
    """
    counts = Counter(tidy(cell) for cell in cells if key(cell) in UNKNOWN)
    if not counts:
        return []
    words = ", ".join(f"{word!r} {count:,}" for word, count in sorted(counts.items()))
    return [f"{table}: {counted(counts.total(), 'clip')} of unknown persons by the column subject: {words}"]
