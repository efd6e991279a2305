"""Tables of reports as text, plain values and files."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fgbench.api.reports import check_formats

if TYPE_CHECKING:
    from fgbench.reports.rendering.table import Table


def table_text(table: Table, format_: str = "md") -> str:
    """Return a table as text.

    Args:
        table: The table.
        format_: ``"md"``, ``"csv"``, ``"tex"`` or ``"html"``.

    Raises:
        ConfigError: If there is no such format.
    """
    from fgbench.reports.rendering.files import TEXT_FORMATS

    check_formats([format_], text_alone=True)
    return TEXT_FORMATS[format_](table)


def table_json(table: Table) -> dict[str, Any]:
    """Return a table as plain values; several seeds as their mean and standard deviation."""
    from fgbench.reports.rendering.table import Spread

    rows = [
        [[cell.mean, cell.sd] if isinstance(cell, Spread) else cell for cell in row] for row in table.rows
    ]
    return {"title": table.title, "columns": list(table.columns), "rows": rows, "notes": list(table.notes)}


def write_tables(tables: Sequence[Table], format_: str, out: str | os.PathLike[str]) -> list[Path]:
    """Write tables as text, a file each, and return the files.

    Args:
        tables: The tables; their names become those of the files.
        format_: As of :func:`table_text`.
        out: Folder; created if missing.

    Raises:
        ConfigError: If there is no such format, or a file would replace one that fgbench did not write.
        ResourceError: If a file cannot be written.
    """
    from fgbench.reports.rendering.files import file_names, write_item
    from fgbench.workfolders.output_folders import writing_in

    check_formats([format_], text_alone=True)
    folder = Path(out)
    with writing_in(folder, [file for table in tables for file in file_names(table, [format_])]):
        return [path for table in tables for path in write_item(table, folder, [format_])]
