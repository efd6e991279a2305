"""Names of persons in somebody's own tables, and the words that stand there where nobody knows them.

Pure functions on cells. Public data sets have ids of their own, which are read as they are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from fgbench.naming import counted, key, tidy

UNKNOWN = frozenset({"nan", "<na>", "none", "unknown", "n/a", "?"})
"""Words for an unknown person, as keys (:func:`fgbench.naming.key`): those that people write, and that
programs write into empty cells."""


def person(cell: str) -> str | None:
    """The person that a cell names; ``None`` if it is empty or one of :data:`UNKNOWN`, in any case."""
    return None if key(cell) in UNKNOWN else cell or None


def unknown_persons(table: str, cells: Iterable[str]) -> list[str]:
    """A line for people on cells that say that the person is not known; none if there are none.

    Args:
        table: Name of the table.
        cells: Its cells of persons.
    """
    found = Counter(tidy(cell) for cell in cells if key(cell) in UNKNOWN)
    if not found:
        return []
    words = ", ".join(f"{word!r} {count:,}" for word, count in sorted(found.items()))
    return [f"{table}: {counted(found.total(), 'clip')} of unknown persons by the column subject: {words}"]
