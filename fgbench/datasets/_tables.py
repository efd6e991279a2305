"""Tables and label files of data sets: CSV with or without column names, lines of words, codes of labels.

Reads text files. Every error names the file, the line, its content and the expected content.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path
from typing import TextIO

from fgbench.errors import DatasetError, MediaError
from fgbench.files.regular_files import open_regular

_SHOWN = 60
_WHOLE = re.compile(r"[0-9]{1,9}")
_DECIMAL = re.compile(r"[-+]?(?:[0-9]{1,20}(?:\.[0-9]{0,20})?|\.[0-9]{1,20})(?:[eE][-+]?[0-9]{1,3})?")


_READ: ContextVar[set[Path] | None] = ContextVar("read", default=None)


@contextmanager
def tables_read() -> Iterator[set[Path]]:
    """Context with the set of text files that are opened here inside it."""
    read: set[Path] = set()
    token = _READ.set(read)
    try:
        yield read
    finally:
        _READ.reset(token)


def read_table(
    path: Path,
    required: Sequence[str],
    *,
    headless: Sequence[str] | None = None,
    delimiter: str = ",",
) -> Iterator[dict[str, str]]:
    """Yield the rows of a CSV file by lower-case column names, streamed; ``_line`` is the number of the line.

    Args:
        path: The file.
        required: Lower-case names of required columns.
        headless: Column names, in order, of a file whose first line is already data; ``None`` if every
            release has column names.
        delimiter: Character between cells.

    Raises:
        DatasetError: If the file cannot be read, lacks a column, or a line lacks cells.
    """
    csv.field_size_limit(1 << 24)
    try:
        with open_text(path) as file:
            yield from _rows(csv.reader(file, delimiter=delimiter), path, required, headless)
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path} is not UTF-8: {error.reason}", "download the file again") from error
    except csv.Error as error:
        raise DatasetError(f"{path} is not a CSV table: {error}", "download the file again") from error


def _rows(
    reader: Iterator[list[str]], path: Path, required: Sequence[str], headless: Sequence[str] | None
) -> Iterator[dict[str, str]]:
    columns: list[str] | None = None
    least = 0
    for number, row in enumerate(reader, start=1):
        if not any(cell.strip() for cell in row):
            continue
        if columns is None:
            names = [cell.strip().lower() for cell in row]
            missing = [name for name in required if name not in names]
            has_names = len(missing) < len(required)
            if missing and (has_names or headless is None):
                shown = ",".join(row)[:_SHOWN]
                raise DatasetError(
                    f"{path} has no column {', '.join(missing)}; its first line is {shown!r}",
                    f"expected a first line that names the columns, among them {', '.join(required)}",
                )
            columns = list(headless) if missing and headless is not None else names
            least = 1 + max(columns.index(name) for name in required)
            if not missing:
                continue
        if len(row) < least:
            raise DatasetError(
                f"{path} line {number} has {len(row)} cells, expected {len(columns)} ({', '.join(columns)})",
                "download the file again",
            )
        yield {**{name: cell.strip() for name, cell in zip(columns, row, strict=False)}, "_line": str(number)}


def read_lines(path: Path, n_words: int, expected: str) -> Iterator[tuple[int, list[str]]]:
    """Yield number and words of the lines of a text file, without empty lines.

    Args:
        path: The file.
        n_words: Number of words of every line.
        expected: Example of a line, for messages.

    Raises:
        DatasetError: If the file cannot be read, or a line has another number of words.
    """
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        words = line.split()
        if not words:
            continue
        if len(words) != n_words:
            raise DatasetError(
                f"{path} line {number} is {line[:_SHOWN]!r}", f"expected lines such as {expected!r}"
            )
        yield number, words


def read_text(path: Path) -> str:
    """Return the text of a file.

    Raises:
        DatasetError: If it cannot be read as UTF-8.
    """
    try:
        with open_text(path) as file:
            return file.read()
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path} is not UTF-8: {error.reason}", "download the file again") from error


@contextmanager
def open_text(path: Path) -> Iterator[TextIO]:
    """Open a file of UTF-8 text, with or without a byte order mark; line ends are kept.

    Raises:
        DatasetError: If there is no such file, it is a pipe or a device, or it may not be read.
    """
    try:
        with open_regular(path) as file:
            if (read := _READ.get()) is not None:
                read.add(path)
            yield io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    except MediaError as error:
        raise DatasetError(error.message, "put the file of the data set there") from error
    except OSError as error:
        raise DatasetError(f"cannot read {path}: {error.strerror}", "check the data set's folder") from error


@lru_cache(maxsize=4096)
def whole_number(text: str) -> int | None:
    """Number in a cell in plain digits, 0 to 999,999,999; ``None`` for anything else.

    Python's ``int`` also takes ``1_0``, ``+3``, digits of other scripts and blanks around them, which in a
    table are mistakes: they give ``None``, and so do ``-3``, ``3.0`` and ``1e2``.
    """
    return int(text) if _WHOLE.fullmatch(text) else None


def decimal_number(text: str) -> float | None:
    """Number in a cell in plain decimal notation, with or without an exponent, else ``None``.

    Other texts that Python's ``float`` takes (``nan``, ``inf``, ``1_0.5``, digits of other scripts) give
    ``None``.
    """
    return float(text) if _DECIMAL.fullmatch(text) else None


def named_label(word: str, labels: Mapping[str, str], path: Path, line: int | str) -> str:
    """Return the label of a word, in any case.

    An unknown word is an error of the whole file, like an unknown code in :func:`label_of`.

    Args:
        word: Word as written in the file.
        labels: Lower-case word to label.
        path: The file, for messages.
        line: Its line, for messages.

    Raises:
        DatasetError: If no label has this word.
    """
    label = labels.get(word.lower())
    if label is None:
        hint = "; numbers are not read, their order differs between users" if word.isdecimal() else ""
        raise DatasetError(
            f"{path} line {line}: {word!r} is the name of no label",
            f"expected one of {', '.join(labels)}{hint}",
        )
    return label


def label_of(code: str, labels: Mapping[int, str], path: Path, line: int | str = 1) -> str:
    """Return the label of a code.

    A code outside the range is an error of the whole file, not of one item: it may be from another release,
    whose other codes would then be misread.

    Args:
        code: Code as written in the file; ``"3"`` and ``"3.0"`` are both 3.
        labels: Code to label.
        path: The file, for messages.
        line: Its line, for messages.

    Raises:
        DatasetError: If no label has this code.
    """
    number = decimal_number(code.strip())
    if number is None or number not in labels:
        codes = ", ".join(f"{key} {name}" for key, name in sorted(labels.items()))
        raise DatasetError(
            f"{path} line {line}: label {code!r} is outside the range {min(labels)} to {max(labels)}",
            f"expected {codes}",
        )
    return labels[int(number)]
