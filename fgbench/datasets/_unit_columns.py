"""Tables of action units as written: columns, and the cells of every clip, before conversion to labels.

Reads text files; see :mod:`fgbench.datasets._unit_table` for the meaning of the columns.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from sys import intern

from fgbench.datasets._tables import decimal_number, open_text, whole_number
from fgbench.datasets._unit_names import unit_name
from fgbench.errors import DatasetError
from fgbench.files.separators import named_separator, separator_of
from fgbench.naming import first_few, tidy

OPENFACE = "OpenFace"
PY_FEAT = "py-feat"
DETECTOR = "a detector"

_UNIT = re.compile(r"(?:au[ _-]?)?0*([1-9][0-9]?)(?P<openface>_[rc])?")
_PY_FEAT_COLUMNS = frozenset({"facescore", "facerectx", "feat_face_x"})

TABLE = "action_units.csv"
"""Table of all clips."""

EXAMPLE = "clip,frame,AU1,AU2,AU12"
"""Example of a first line, for messages."""

FOLDER = "action_units"
"""Folder of tables of one clip each."""

SURE_FROM = 0.5
"""Least confidence of OpenFace in a frame whose labels are used."""


@dataclass(slots=True, kw_only=True)
class _Column:
    """Column of a unit: its position, its name in recipes, OpenFace's kind (``_r``, ``_c``)."""

    position: int
    unit: str
    openface: str


@dataclass(frozen=True, slots=True)
class UnitRow:
    """A line of a table.

    Attributes:
        table: Name of the table.
        line: Number of the line, from 1.
        frame: Frame, from 0; ``None`` for the whole clip.
        units: Names of the units of the table, which its rows share.
        cells: Text of each unit's cell.
        is_masked: Whether they count as not labelled.
    """

    table: str
    line: int
    frame: int | None
    units: tuple[str, ...]
    cells: tuple[str, ...]
    is_masked: bool

    @property
    def where(self) -> str:
        """Table and line, for messages."""
        return f"{self.table} line {self.line}"


@dataclass(slots=True)
class UnitTables:
    """Content of all tables, before conversion to labels."""

    rows: dict[str, list[UnitRow]] = field(default_factory=dict)
    problems: dict[str, tuple[str, str]] = field(default_factory=dict)
    units: set[str] = field(default_factory=set)
    ignored: set[str] = field(default_factory=set)
    detectors: set[str] = field(default_factory=set)
    kind: str | None = None  # if determined by the columns
    is_openface: bool | None = None  # of the tables so far
    n_masked: int = 0


def read_table(
    path: Path, shown: str, tables: UnitTables, clip_id: Callable[[str], str], clip: str | None
) -> None:
    """Add the content of a table.

    Args:
        path: The table.
        shown: Its name, for messages.
        tables: Receives the content.
        clip_id: Maps a name to the id of a clip.
        clip: Clip of the table; ``None`` if a column names it.

    Raises:
        DatasetError: If it cannot be read, or lacks columns.
    """
    try:
        with open_text(path) as file:
            first = file.readline()
            named = named_separator(first)
            separator = separator_of(first) if named is None else named
            lines = csv.reader(chain([first], file), delimiter=separator, strict=True)
            if named is not None:
                next(lines)
            head = [tidy(cell).lower() for cell in next(lines, [])]
            _read_lines(path, shown, tables, clip_id, clip, head, lines, has_commas=separator != ",")
    except UnicodeDecodeError as error:
        raise DatasetError(
            f"{path} is not UTF-8: {error.reason}", "save the table as UTF-8 text (Excel: CSV UTF-8)"
        ) from error
    except csv.Error as error:
        raise DatasetError(f"{path} is not a CSV table: {error}", f"expected {EXAMPLE}") from error


def _read_lines(
    path: Path,
    shown: str,
    tables: UnitTables,
    clip_id: Callable[[str], str],
    clip: str | None,
    head: Sequence[str],
    lines: Iterator[list[str]],
    *,
    has_commas: bool,
) -> None:
    """Add the lines below the first; see :func:`read_table`.

    Args:
        path: The table.
        shown: Its name, for messages.
        tables: Receives the content.
        clip_id: Maps a name to the id of a clip.
        clip: Clip of the table; ``None`` if a column names it.
        head: Lower-case names of the columns.
        lines: Cells of the lines below.
        has_commas: Whether numbers may have decimal commas, where commas do not separate cells.
    """
    twice = sorted(name for name, count in Counter(head).items() if name and count > 1)
    if twice:
        raise DatasetError(
            f"{path} has columns that come twice: {first_few(twice)}", "correct the first line"
        )
    positions = {name: position for position, name in enumerate(head)}
    columns = _columns(path, head)
    who = positions.get("clip", positions.get("input"))
    if clip is None and who is None:
        raise DatasetError(
            f"{path} has no column clip (it has: {first_few(head) or 'nothing'})",
            f"expected {EXAMPLE}; tables of one clip each belong into {FOLDER}/, named as their clips",
        )
    is_openface = any(column.openface for column in columns)
    if tables.is_openface not in (None, is_openface):
        is_one, others_are = ("a", "are none") if is_openface else ("no", "are some")
        raise DatasetError(
            f"{path} is {is_one} table of {OPENFACE}, tables before it {others_are}",
            "their numbers mean different things: keep one kind of table",
        )
    tables.is_openface = is_openface
    if is_openface:
        tables.detectors.add(OPENFACE)
    elif not _PY_FEAT_COLUMNS.isdisjoint(head):
        tables.detectors.add(PY_FEAT)
    tables.units |= {column.unit for column in columns}
    used = {column.position for column in columns} | {
        positions[name]
        for name in ("clip", "input", "frame", "pseudo", *(("success", "confidence") if is_openface else ()))
        if name in positions
    }
    tables.ignored |= {name for position, name in enumerate(head) if position not in used and name}
    units = tuple(column.unit for column in columns)
    for line, cells in enumerate(lines, start=2):
        values = [cell.strip() for cell in cells]
        if not any(values):
            continue
        if len(values) != len(head):
            raise DatasetError(
                f"{path} line {line} has {len(values)} cells, expected {len(head)}", "correct the line"
            )
        name = clip if clip is not None else values[who or 0]
        if not name:
            raise DatasetError(f"{path} line {line} names no clip", "correct the line")
        whose = clip_id(name)
        if clip is not None and "clip" in positions:
            _check_same(path, line, values[positions["clip"]], clip, clip_id)
        if "pseudo" in positions and _is_marked(path, line, values[positions["pseudo"]]):
            tables.detectors.add(DETECTOR)
        try:
            frame = _frame(values, positions, from_one=is_openface)
            masked = is_openface and _is_unsure(values, positions, has_commas=has_commas)
        except ValueError as error:
            tables.problems.setdefault(whose, ("bad_unit_label", f"{shown} line {line}: {error}"))
            continue
        tables.n_masked += masked
        # Few different texts in many cells: each is stored once.
        texts = (values[column.position] for column in columns)
        kept = tuple(intern(text.replace(",", ".") if has_commas else text) for text in texts)
        tables.rows.setdefault(whose, []).append(UnitRow(shown, line, frame, units, kept, masked))
    if is_openface:
        kind = "presence" if any(column.openface == "_c" for column in columns) else "intensity"
        if tables.kind not in (None, kind):
            raise DatasetError(
                f"{path} has other columns of {OPENFACE} than tables before it", "write them alike"
            )
        tables.kind = kind


def _columns(path: Path, head: Sequence[str]) -> list[_Column]:
    """Columns of units; of OpenFace's two kinds that of presence, where a unit has both."""
    columns: dict[str, _Column] = {}
    plain = []
    for position, name in enumerate(head):
        match = _UNIT.fullmatch(name)
        if match is None:
            continue
        column = _Column(position=position, unit=unit_name(int(match[1])), openface=match["openface"] or "")
        before = columns.get(column.unit)
        if not column.openface:
            plain.append(name)
        if before is not None and not (before.openface and column.openface):
            raise DatasetError(f"{path} has two columns of {column.unit}", "correct the first line")
        if before is None or column.openface == "_c":
            columns[column.unit] = column
    if not columns:
        raise DatasetError(
            f"{path} has no column of an action unit (it has: {first_few(head) or 'nothing'})",
            f"expected {EXAMPLE}, or columns of {OPENFACE} (AU01_c) or {PY_FEAT} (AU01)",
        )
    kinds = {column.openface for column in columns.values()}
    if plain and len(kinds) > 1:
        raise DatasetError(
            f"{path} has columns of {OPENFACE} beside others ({first_few(plain)})",
            "put them into tables apart",
        )
    if "_c" in kinds:  # one kind of number per table: a unit that has an intensity alone is left out
        return [column for column in columns.values() if column.openface == "_c"]
    return list(columns.values())


def _check_same(path: Path, line: int, name: str, clip: str, clip_id: Callable[[str], str]) -> None:
    """Refuse a row of another clip in a table of one clip."""
    if name and clip_id(name) != clip_id(clip):
        raise DatasetError(
            f"{path} line {line} is of the clip {name[:40]!r}, expected {clip!r}, as the file is called",
            f"name the table as its clip, or put the rows of all clips into {TABLE}",
        )


def _is_marked(path: Path, line: int, mark: str) -> bool:
    """Return whether a row is marked as a detector's."""
    if mark not in ("", "0", "1"):
        raise DatasetError(
            f"{path} line {line}: pseudo is {mark[:40]!r}, expected 1, or 0 or nothing where a person looked",
            "correct the line",
        )
    return mark == "1"


def _frame(values: Sequence[str], positions: Mapping[str, int], *, from_one: bool) -> int | None:
    """Number of the frame of a row, from 0.

    Raises:
        ValueError: If the cell is no such number.
    """
    text = values[positions["frame"]] if "frame" in positions else ""
    if not text:
        return None
    number = whole_number(text.removesuffix(".0"))
    least = 1 if from_one else 0
    if number is None or number < least:
        raise ValueError(f"frame is {text[:40]!r}, expected a whole number from {least} on")
    return number - least


def _is_unsure(values: Sequence[str], positions: Mapping[str, int], *, has_commas: bool) -> bool:
    """Return whether OpenFace did not find the face of a frame.

    Raises:
        ValueError: If a cell is no number.
    """
    for name, least in (("success", 1.0), ("confidence", SURE_FROM)):
        if name in positions:
            text = values[positions[name]]
            number = decimal_number(text.replace(",", ".") if has_commas else text)
            if number is None:
                raise ValueError(f"{name} is {text[:40]!r}, expected a number")
            if number < least:
                return True
    return False
