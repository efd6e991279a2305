"""Tables and figures of reports as values: data frames with title, drawings with their numbers."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fgbench.api.arguments import one_of, path_of
from fgbench.api.showing import paragraph
from fgbench.errors import ConfigError

if TYPE_CHECKING:
    import pandas as pd

    from fgbench.reports.rendering.table import Figure as ReportFigure
    from fgbench.reports.rendering.table import Table as ReportTable


class Table:
    """A table with title and notes, as ``fgbench report`` writes it.

    Args:
        report: The table as the reports have it.
    """

    def __init__(self, report: ReportTable) -> None:
        self._report = report

    @property
    def name(self) -> str:
        """Name of its files, e.g. ``table2``."""
        return self._report.name

    @property
    def title(self) -> str:
        """Title; says so where data are drawn."""
        return self._report.title

    @property
    def notes(self) -> list[str]:
        """Sentences below the table: meanings, warnings, the runs that it shows, reasons of blanks."""
        return self._report.all_notes

    @cached_property
    def frame(self) -> pd.DataFrame:
        """The cells: numbers as they are (whole ones as ``Int64`` of pandas), missing where blank; of several
        seeds the mean, with the standard deviation in a further column ``<name> sd``."""
        import pandas as pd

        from fgbench.reports.rendering.table import Spread, centre

        columns: dict[str, list[Any]] = {}
        for number, name in enumerate(self._report.columns):
            cells = [row[number] for row in self._report.rows]
            columns[name] = [str(cell) if isinstance(cell, str) else centre(cell) for cell in cells]
            if any(isinstance(cell, Spread) for cell in cells):
                spreads = [cell.sd if isinstance(cell, Spread) else None for cell in cells]
                columns[f"{name} sd"] = spreads
        counts = [
            name
            for number, name in enumerate(self._report.columns)
            if {type(row[number]) for row in self._report.rows} - {type(None)} == {int}
        ]
        return pd.DataFrame(columns).astype(dict.fromkeys(counts, "Int64"))

    def text(self, format: str = "md") -> str:  # noqa: A002
        """Return the table as text.

        Args:
            format: ``"md"``, ``"tex"``, ``"csv"`` or ``"html"``.

        Raises:
            ConfigError: If there is no such format.
        """
        from fgbench.reports.rendering.files import TEXT_FORMATS

        return str(TEXT_FORMATS[one_of("format", format, tuple(TEXT_FORMATS))](self._report))

    def save(self, file: str | os.PathLike[str]) -> Path:
        """Write the table, in the format of the file's ending: ``.md``, ``.tex``, ``.csv`` or ``.html``.

        Raises:
            ConfigError: If the ending is another one, or the file is there and of another kind.
            ResourceError: If it cannot be written.
        """
        from fgbench import storage
        from fgbench.reports.rendering.files import TEXT_FORMATS

        path = path_of("file", file, example="table.save('table2.md')")
        storage.write_text(path, self.text(_ending(path, tuple(TEXT_FORMATS))))
        return path

    def __repr__(self) -> str:
        rows, columns = len(self._report.rows), len(self._report.columns)
        return f"<Table {self.title}: {rows} rows, {columns} columns, {len(self.notes)} notes>"

    def __str__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        from fgbench.reports.rendering.hypertext import html_table

        return f'<div style="overflow-x:auto">{html_table(self._report)}</div>'


class Figure:
    """A drawing with the numbers that it shows, as ``fgbench report`` writes it.

    Args:
        report: The figure as the reports have it.
    """

    def __init__(self, report: ReportFigure) -> None:
        self._report = report

    @property
    def table(self) -> Table:
        """The numbers, with title and notes."""
        return Table(self._report.table)

    @property
    def title(self) -> str:
        """Title; says so where data are drawn."""
        return self._report.table.title

    def picture(self, format: str = "png") -> bytes:  # noqa: A002
        """Return the drawing as the bytes of a file.

        Args:
            format: ``"png"``, ``"pdf"`` or ``"svg"``.

        Raises:
            ConfigError: If there is no such format.
        """
        from fgbench.reports.rendering.drawings import PICTURE_FORMATS, picture

        return picture(self._report.draw(), one_of("format", format, PICTURE_FORMATS))

    def save(self, file: str | os.PathLike[str]) -> Path:
        """Write the drawing, in the format of the file's ending: ``.png``, ``.pdf`` or ``.svg``.

        Raises:
            ConfigError: If the ending is another one.
            ResourceError: If it cannot be written.
        """
        from fgbench import storage
        from fgbench.reports.rendering.drawings import PICTURE_FORMATS

        path = path_of("file", file, example="figure.save('confusion.pdf')")
        storage.write_bytes(path, self.picture(_ending(path, PICTURE_FORMATS)))
        return path

    def __repr__(self) -> str:
        return f"<Figure {self.title}>"

    def _repr_png_(self) -> bytes:
        return self.picture()

    def _repr_html_(self) -> str:
        from base64 import b64encode
        from html import escape

        data = b64encode(self.picture()).decode("ascii")
        image = f'<img src="data:image/png;base64,{data}" alt="{escape(self.title)}" style="max-width:100%">'
        return image + "".join(paragraph(note) for note in self.table.notes)


def _ending(path: Path, allowed: tuple[str, ...]) -> str:
    """Return the ending of a file without its dot.

    Raises:
        ConfigError: If it is none of those allowed.
    """
    ending = path.suffix.lower().removeprefix(".")
    if ending not in allowed:
        endings = ", ".join(f".{one}" for one in allowed)
        raise ConfigError(f"file {path}, expected an ending of {endings}", f"e.g. {path.stem}.{allowed[0]}")
    return ending
