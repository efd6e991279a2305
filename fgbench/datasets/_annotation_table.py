"""Tables of annotations as users write them: rows by column, checked cells, parts, votes and rounds."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from functools import lru_cache
from itertools import chain
from pathlib import Path

from fgbench.datasets._parts import EXAMPLES
from fgbench.datasets._tables import decimal_number, open_text, whole_number
from fgbench.errors import DatasetError
from fgbench.files.separators import named_separator, separator_of
from fgbench.naming import first_few
from fgbench.printable import text_of

ANNOTATIONS = "annotations.csv"
VOTES = "votes.csv"
SELECTION = "selection.csv"
GOLD = "gold.csv"
VIDEOS = "videos"
LAYOUT = f"expected {VIDEOS}/ with the clips and {ANNOTATIONS} (clip,label,key_frame,...) or {VOTES}"

COLUMNS = {
    ANNOTATIONS: ("clip", "label", "key_frame", "confidence", "subject", "source", "split", "fps"),
    VOTES: ("clip", "annotator", "label", "confidence", "key_frame", "round", "spent_s", "cast_at"),
    SELECTION: ("clip", "frame", "selected_by", "inspected_by"),
    GOLD: ("clip", "label", "key_frame"),
}
"""Columns of each table."""

_SPELLINGS = {"subject_id": "subject", "source_id": "source", "clip_id": "clip"}
"""Other names of columns."""

MEANT = {
    "person": "subject",
    "participant": "subject",
    "actor": "subject",
    "speaker": "subject",
    "identity": "subject",
    "emotion": "label",
    "expression": "label",
    "class": "label",
    "part": "split",
    "rater": "annotator",
}
"""Columns of other names that may be meant for one that is read; they are asked for, and never taken."""

_DECIMALS = ("confidence", "fps", "spent_s")
"""Columns of decimal numbers, which tables separated by semicolons or tabs may write with commas."""

_TEXTS = ("annotator", "inspected_by", "label", "selected_by", "source", "subject")
"""Columns of text, in which imports write an apostrophe before what a spreadsheet takes for a formula."""

MOST_FPS = 100_000
"""Most frames per second of a row; ours."""

_given = lru_cache(maxsize=4096)(decimal_number)
"""For confidences, of which people give few different ones."""

SHOWN = 60
"""Characters of a bad cell that its error shows."""


def with_nearest(column: str, columns_read: Sequence[str], columns: Sequence[str]) -> str:
    """Name of a column, with the one that may have been meant."""
    absent = [name for name in columns_read if name not in columns]
    meant = MEANT.get(column.removesuffix("_id"))
    near = [meant] if meant in absent else get_close_matches(column, absent, n=1)
    return f"{column or 'one without a name'}" + (f" (did you mean {near[0]}?)" if near else "")


class BadCellError(Exception):
    """A cell of a table that cannot be read."""


def read_annotations(
    path: Path,
    *,
    required: set[str],
    table: str | None = None,
    as_written: bool = False,
    with_clips: bool = False,
) -> list[Mapping[str, str]] | None:
    """Rows of a CSV file with their line numbers under ``_line``; ``None`` if there is no such file.

    Args:
        path: The file.
        required: Columns that it has to have.
        table: One of :data:`COLUMNS` whose columns it has; ``None``: that of its name.
        as_written: Whether apostrophes before formulas (:func:`fgbench.printable.cell_of`) are kept.
        with_clips: Whether they are taken off names of clips too, in tables that fgbench writes itself.

    Raises:
        DatasetError: If it is no such table.
    """
    if not (path.exists() or path.is_symlink()):
        return None
    try:
        with open_text(path) as file:
            rows = list(_rows(file, path, COLUMNS[table or path.name], required=required))
            if not as_written:
                texts = (*_TEXTS, "clip") if with_clips else _TEXTS
                rows = [_without_apostrophes(row, texts) for row in rows]
    except UnicodeDecodeError as error:
        raise DatasetError(
            f"{path} is not UTF-8: {error.reason}", "save the table as UTF-8 text (Excel: CSV UTF-8)"
        ) from error
    except csv.Error as error:
        raise DatasetError(f"{path} is not a CSV table: {error}", LAYOUT) from error
    return rows


def _without_apostrophes(row: Mapping[str, str], columns: Sequence[str]) -> Mapping[str, str]:
    if "'" not in "".join(row.values()):
        return row
    quoted = [name for name in columns if row.get(name, "").startswith("'")]
    return {**row, **{name: text_of(row[name]) for name in quoted}} if quoted else row


def column_names(reader: csv.DictReader[str]) -> list[str]:
    """Names of the columns in their usual spelling."""
    columns = [column.strip().lower() for column in reader.fieldnames or []]
    return [_SPELLINGS.get(column, column) for column in columns]


def row_reader(file: Iterator[str]) -> tuple[csv.DictReader[str], str]:
    """Reader of the rows of a table, and the separator of its cells: the one that a first line ``sep=;`` of
    Excel names, else the one that the first line has most often."""
    first = next(file, "")
    named = named_separator(first)
    separator = separator_of(first) if named is None else named
    reader = csv.DictReader(chain([first], file), strict=True, delimiter=separator)
    if named is not None:
        next(reader.reader)  # the line counts among the lines, and names no column
    return reader, separator


def full_rows(reader: csv.DictReader[str]) -> Iterator[tuple[int, list[str]]]:
    """Yield the line number and the cells of each row: at least one for each column; rows without anything in
    their cells, which spreadsheets write below a table, are left out.

    Quicker than a mapping of each row.

    Args:
        reader: Reader whose columns have been read.
    """
    n_columns, rows = len(reader.fieldnames or ()), reader.reader
    for row in rows:
        if any(map(str.strip, row)):
            yield rows.line_num, row + [""] * (n_columns - len(row))


def _rows(
    file: Iterator[str], path: Path, known: Sequence[str], *, required: set[str]
) -> Iterator[Mapping[str, str]]:
    reader, separator = row_reader(file)
    columns = column_names(reader)
    reader.fieldnames = columns
    names = ", ".join(known)
    missing = sorted(required - set(columns))
    if missing and len(columns) == 1 and "|" in columns[0]:
        raise DatasetError(
            f"{path} separates its columns by '|', expected commas, semicolons or tabs",
            "save the table as CSV",
        )
    if missing:
        raise DatasetError(
            f"{path} has no column {', '.join(missing)} (it has: {first_few(columns) or 'nothing'})",
            f"the first line has to name the columns; known: {names}",
        )
    twice = [column for column, count in Counter(columns).items() if count > 1 and column]
    if twice:
        raise DatasetError(
            f"{path} has columns that come twice: {first_few(twice)}", f"keep one of each; known: {names}"
        )
    for line, row in full_rows(reader):
        if len(row) > len(columns):
            raise DatasetError(f"{path} line {line} has more cells than the first line", "correct the line")
        cells = dict(zip(columns, map(str.strip, row), strict=True))
        if separator != ",":
            cells |= {name: cells[name].replace(",", ".") for name in _DECIMALS if name in cells}
        if not cells["clip"]:
            raise DatasetError(f"{path} line {line} names no clip", "correct the line")
        cells["_line"] = str(line)
        yield cells


def integer(row: Mapping[str, str], column: str, table: str) -> int:
    """Return the whole number in a cell.

    Raises:
        BadCellError: If it is none.
    """
    text = row.get(column, "")
    number = whole_number(text)
    if number is None:
        raise BadCellError(
            f"{table} line {row['_line']}: {column} is {text[:SHOWN]!r}, "
            "expected a whole number in plain digits"
        )
    return number


def optional_integer(row: Mapping[str, str], column: str, table: str) -> int | None:
    """Return the whole number in a cell; ``None`` if the cell is empty or absent; errors as of
    :func:`integer`."""
    return integer(row, column, table) if row.get(column) else None


def fraction(row: Mapping[str, str], table: str) -> float | None:
    """Return the confidence of a row; ``None`` if it has none.

    Raises:
        BadCellError: If it is no number from 0 to 1.
    """
    text = row.get("confidence", "")
    if not text:
        return None
    value = _given(text)
    if value is None or not 0.0 <= value <= 1.0:
        raise BadCellError(
            f"{table} line {row['_line']}: confidence is {text[:SHOWN]!r}, expected a number from 0 to 1"
        )
    return value


def rate_of(row: Mapping[str, str], table: str) -> float | None:
    """Return the frames per second of a row; ``None`` if it has none.

    Raises:
        BadCellError: If they are no number above 0 and up to :data:`MOST_FPS`.
    """
    text = row.get("fps", "")
    if not text:
        return None
    value = decimal_number(text)
    if value is None or not 0.0 < value <= MOST_FPS:
        raise BadCellError(
            f"{table} line {row['_line']}: fps is {text[:SHOWN]!r}, expected frames per second, "
            f"above 0 and up to {MOST_FPS:,}"
        )
    return value


def part_of(row: Mapping[str, str], parts: Mapping[str, str]) -> str | None:
    """Return the part of a row; ``None`` if it names none.

    Args:
        row: The row.
        parts: Spelling to part.

    Raises:
        BadCellError: If the spelling is that of none.
    """
    text = row.get("split", "")
    if text and text not in parts:
        raise BadCellError(
            f"{ANNOTATIONS} line {row['_line']}: split is {text[:SHOWN]!r}, expected a part ({EXAMPLES})"
        )
    return parts[text] if text else None
