"""``selection.csv``: frames for the image set that one expert selected and another inspected (section III).

Where a table names anyone who inspected, the frames that no one confirmed are struck out; where it names
none, all its frames are selected.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from fgbench.datasets._annotation_table import SELECTION, read_annotations
from fgbench.naming import counted

Row = Mapping[str, str]


def read_selection(path: Path) -> list[Row] | None:
    """Rows of a selection, as :func:`read_annotations` reads them; apostrophes before formulas are taken off.

    Args:
        path: The table, of any name; ``None`` is returned if there is none.

    Raises:
        DatasetError: If it is no such table.
    """
    rows = read_annotations(path, required={"clip", "frame"}, table=SELECTION, with_clips=True)
    return None if rows is None else list(rows)


def is_inspected(rows: Sequence[Row]) -> bool:
    """Return whether a selection was inspected, be it in part."""
    return any(row.get("inspected_by") for row in rows)


def confirmed(rows: Sequence[Row]) -> list[Row]:
    """Rows of the frames that are selected: of an inspected selection those that were confirmed."""
    return [row for row in rows if row.get("inspected_by")] if is_inspected(rows) else list(rows)


def struck_note(rows: Sequence[Row]) -> list[str]:
    """Message on the frames that the inspection struck out, if it did."""
    struck = len(rows) - len(confirmed(rows))
    if not struck:
        return []
    are = "is" if struck == 1 else "are"
    return [f"{SELECTION}: {counted(struck, 'frame')} that no inspection confirmed {are} not selected"]
