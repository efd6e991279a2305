"""Files of other programs, opened: tables of text (CSV, Parquet) and JSON documents.

The first bytes of a file tell its kind, not its name. Reads the file; knows no format of any program.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from fgbench import storage
from fgbench.errors import DatasetError, ManifestError, MediaError
from fgbench.files.regular_files import read_regular
from fgbench.files.separators import separator_of
from fgbench.naming import tidy

_MAX_BYTES = 4 << 30
_PARQUET = b"PAR1"
_INDEX = re.compile(r"__index_level_[0-9]+__")  # numbers of rows, which pandas writes
_EXPECTED = "expected a CSV or Parquet table, or the JSON of DeepFace (see docs/outside.md)"


Row = tuple[int, list[str]]
"""Number of a line, and its cells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """An opened file: table or JSON document.

    Attributes:
        path: The file.
        clip: Name of the clip that all its rows are of, where no column says.
        head: Names of the columns in small letters; of a JSON document, the keys of its results.
        columns: The same, as they are written.
        read_rows: Reads line and cells of each row, anew every time; gives none of a JSON document.
        document: The JSON document; ``None`` for a table.
        has_commas: Whether numbers may have commas, where these do not separate cells.
        column_of: Name in small letters to index of the column; empty for a JSON document.
    """

    path: Path
    clip: str
    head: tuple[str, ...]
    columns: tuple[str, ...]
    read_rows: Callable[[], Iterator[Row]] = lambda: iter(())
    document: Any = None
    has_commas: bool = False
    column_of: dict[str, int] = field(default_factory=dict)

    @property
    def rows(self) -> Iterator[Row]:
        """Line and cells of each row, as many cells as there are columns.

        Raises:
            DatasetError: If a row has more or fewer.
        """
        for number, cells in self.read_rows():
            if len(cells) != len(self.head):
                raise DatasetError(
                    f"{self.path} line {number} has {len(cells)} cells, expected {len(self.head)}",
                    "correct the line",
                )
            yield number, cells

    def where(self, line: int) -> str:
        """Return file and line, for messages."""
        return f"{self.path.name} line {line}"


def open_source(path: Path, clip: str) -> Source:
    """Open a file.

    Args:
        path: The file.
        clip: Name of the clip that its rows are of where no column says.

    Raises:
        DatasetError: If it is not there, empty, or neither a table nor JSON.
    """
    try:
        data = read_regular(path, max_bytes=_MAX_BYTES)
    except MediaError as error:
        raise DatasetError(error.message, "name the file that the other program wrote") from error
    if not data.strip():
        raise DatasetError(f"{path} is empty", _EXPECTED)
    if data[:4] == _PARQUET:
        return _table(path, clip, lambda: _parquet_rows(path))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path} is not UTF-8 text: {error.reason}", _EXPECTED) from error
    if text.lstrip()[:1] in ("[", "{"):
        return _json(path, clip, text)
    first = text.lstrip().splitlines()[0]
    separator = separator_of(first)
    return _table(path, clip, lambda: _csv_rows(path, text, separator), has_commas=separator != ",")


def _csv_rows(path: Path, text: str, separator: str) -> Iterator[Row]:
    csv.field_size_limit(1 << 24)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        for cells in reader:
            yield reader.line_num, [cell.strip() for cell in cells]
    except csv.Error as error:
        raise DatasetError(f"{path} line {reader.line_num} is not CSV: {error}", _EXPECTED) from error


def _parquet_rows(path: Path) -> Iterator[Row]:
    try:
        table = storage.read_table(path)
    except ManifestError as error:
        raise DatasetError(error.message, _EXPECTED) from error
    table = table.drop_columns([name for name in table.column_names if _INDEX.fullmatch(name)])
    yield 0, list(table.column_names)
    columns = [table.column(column).to_pylist() for column in range(table.num_columns)]
    for number, cells in enumerate(zip(*columns, strict=True), start=1):
        yield number, ["" if cell is None else str(cell).strip() for cell in cells]


def _table(path: Path, clip: str, lines: Callable[[], Iterator[Row]], *, has_commas: bool = False) -> Source:
    def filled() -> Iterator[Row]:
        return ((number, cells) for number, cells in lines() if any(cells))

    def rows() -> Iterator[Row]:
        return islice(filled(), 1, None)

    _, columns = next(filled(), (0, []))
    head = [tidy(name).lower() for name in columns]
    if twice := sorted({name for name in head if name and head.count(name) > 1}):
        raise DatasetError(
            f"{path} has columns that come twice: {', '.join(twice[:5])}", "rename one of each"
        )
    if next(rows(), None) is None:
        raise DatasetError(f"{path} has no rows, only {len(head)} names of columns", _EXPECTED)
    return Source(
        path=path,
        clip=clip,
        head=tuple(head),
        columns=tuple(map(tidy, columns)),
        read_rows=rows,
        has_commas=has_commas,
        column_of={name: column for column, name in enumerate(head)},
    )


def _json(path: Path, clip: str, text: str) -> Source:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DatasetError(f"{path} is not JSON: {error}", _EXPECTED) from error
    keys = tuple(sorted(_keys(document)))
    return Source(path=path, clip=clip, head=keys, columns=keys, document=document)


def _keys(document: Any, depth: int = 0) -> set[str]:
    """Return the keys of the objects of a document, down to its third level."""
    if depth > 3:
        return set()
    inner = (
        document if isinstance(document, list) else document.values() if isinstance(document, dict) else ()
    )
    own = {str(key).lower() for key in document} if isinstance(document, dict) else set()
    return own.union(*(_keys(one, depth + 1) for one in list(inner)[:20]))
