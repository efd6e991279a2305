"""``action_units.csv`` of a user's own data: labels of action units, clip by clip or frame by frame.

Reads the table, or the tables of a folder ``action_units/`` with one ``<clip>.csv`` per clip. Cells are
separated by commas, semicolons or tabs. Columns:

- ``clip``: name of a clip, as in ``annotations.csv`` (``input``, as py-feat writes it, is also accepted);
- ``frame``, optional: a decoded frame, from 0. A row without one holds for **every frame** of the clip that
  has no row of its own, or for the picture;
- one column per unit: ``AU1``, ``AU01`` or ``1``. An empty cell is not labelled.

Three kinds of numbers are distinguished by the content of the whole table. 0 and 1 alone: absent and present.
Numbers up to 5, one above 1 among them: intensities, present from :data:`PRESENT_FROM` on, like DISFA's.
Numbers between 0 and 1: probabilities of a detector, present from :data:`LIKELY_FROM` on.

Labels that a detector made are *pseudo labels*, and every table and card says so: OpenFace's (``AU01_c``, or
``AU01_r`` where there is no such column; its ``frame`` counts from 1; frames with ``success`` 0 or a
``confidence`` below 0.5 are not labelled), py-feat's (probabilities), and those of a table with a column
``pseudo`` that is 1. OpenFace's tables are not read together with others, whose numbers have another
meaning. The bounds are ours, except that of intensities.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fgbench.datasets._folders import file_names, relative, stem, subfolders
from fgbench.datasets._tables import decimal_number
from fgbench.datasets._unit_columns import (
    DETECTOR,
    EXAMPLE,
    FOLDER,
    OPENFACE,
    PY_FEAT,
    TABLE,
    UnitTables,
    read_table,
)
from fgbench.datasets._unit_names import PRESENT_FROM
from fgbench.errors import DatasetError
from fgbench.naming import counted, first_few
from fgbench.records import AuRow, ClipEntry, UnitSource

LIKELY_FROM = 0.5
"""Least probability of a present unit."""

_MOST = 5.0
_KINDS = {
    "presence": "0 absent, 1 present",
    "intensity": f"intensities 0 to {_MOST:g}, present from {PRESENT_FROM:g} on",
    "probability": f"probabilities, present from {LIKELY_FROM:g} on",
}
_HIGHEST = {"presence": 1.0, "intensity": _MOST, "probability": 1.0}
_PRESENT_FROM = {"presence": 1.0, "intensity": PRESENT_FROM, "probability": LIKELY_FROM}


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitLabels:
    """Labels of action units of a user's own data.

    Attributes:
        rows: Clip id to frame (``None``: all others) to the labels, for usable clips.
        problems: Id to ``(reason, detail)`` of clips whose rows cannot be used.
        source: Origin of the labels, and messages on them.
    """

    rows: Mapping[str, Mapping[int | None, Mapping[str, int]]]
    problems: Mapping[str, tuple[str, str]]
    source: UnitSource

    @property
    def named(self) -> set[str]:
        """Ids of all clips that the tables name."""
        return self.rows.keys() | self.problems.keys()

    def last_frame(self, clip_id: str) -> int | None:
        """Number of the last frame of a clip that has a row of its own; ``None`` if there is none."""
        return max((frame for frame in self.rows.get(clip_id, ()) if frame is not None), default=None)

    def __iter__(self) -> Iterator[AuRow]:
        for clip_id in sorted(self.rows):
            labels = self.rows[clip_id]
            for frame in sorted(labels, key=lambda frame: -1 if frame is None else frame):
                yield AuRow(clip_id=clip_id, frame_index=frame, labels=labels[frame])


def has_table(root: Path) -> bool:
    """Return whether a data set has the table."""
    table = root / TABLE
    return table.exists() or table.is_symlink()


def has_units(root: Path) -> bool:
    """Return whether a data set has the table, or the folder of tables."""
    return has_table(root) or (root / FOLDER).is_dir()


def read_units(root: Path, clip_id: Callable[[str], str]) -> UnitLabels:
    """Read the labels of a data set.

    Args:
        root: Root of the data set.
        clip_id: Maps a name to the id of a clip.

    Raises:
        DatasetError: If there are no labels, or a table cannot be read or names no clips or units.
    """
    tables = UnitTables()
    if has_table(root):
        read_table(root / TABLE, TABLE, tables, clip_id, None)
    elif (root / FOLDER).is_dir():
        for path in _tables(root / FOLDER):
            name = relative(path, root / FOLDER)
            read_table(path, f"{FOLDER}/{name}", tables, clip_id, stem(name))
    else:
        raise DatasetError(
            f"{root} has no labels of action units (no {TABLE})",
            f"expected a table such as {EXAMPLE}; the drawn data set (fgbench synth) has them too",
        )
    return _judged(tables, TABLE if has_table(root) else f"{FOLDER}/")


def with_units(entries: Sequence[ClipEntry], units: UnitLabels, unknown: Iterable[str]) -> list[ClipEntry]:
    """Entries of a data set with labels of action units.

    Args:
        entries: Entries of the data set.
        units: Its labels.
        unknown: Ids of clips in the labels that the data set does not list; each becomes an entry with a
            problem.
    """
    listed = [
        replace(
            entry,
            problem=entry.problem or units.problems.get(entry.clip_id),
            last_unit_frame=units.last_frame(entry.clip_id),
        )
        for entry in entries
    ]
    detail = "the table of action units names it, the data set does not list it"
    return listed + [
        ClipEntry(clip_id=name, path=name, problem=("unknown_clip", detail)) for name in sorted(unknown)
    ]


def _tables(folder: Path) -> Iterator[Path]:
    for name in file_names(folder):
        if name.lower().endswith(".csv"):
            yield folder / name
    for inner in subfolders(folder).values():
        yield from _tables(inner)


def _judged(tables: UnitTables, shown: str) -> UnitLabels:
    """Convert numbers to labels; clips with one out of range, or with a frame twice, become problems."""
    kind, why = _kind(tables)
    if kind == "probability":
        tables.detectors.add(PY_FEAT if PY_FEAT in tables.detectors else DETECTOR)
    if len(tables.detectors) > 1:
        tables.detectors.discard(DETECTOR)
    detector = " and ".join(sorted(tables.detectors))
    rows: dict[str, dict[int | None, Mapping[str, int]]] = {}
    mappings: dict[tuple[int, ...], Mapping[str, int]] = {}  # few patterns, and many frames
    units = sorted(tables.units)
    for clip, lines in tables.rows.items():
        labels: dict[int | None, Mapping[str, int]] = {}
        for row in lines:
            try:
                cells = {} if row.is_masked else dict(zip(row.units, row.cells, strict=True))
                pattern = tuple(_label(cells.get(unit, ""), kind, unit) for unit in units)
            except ValueError as error:
                tables.problems.setdefault(clip, ("bad_unit_label", f"{row.where}: {error}"))
                break
            if row.frame in labels:
                what = "the whole clip" if row.frame is None else f"frame {row.frame}"
                detail = f"{row.where}: {what} has a row before, expected one of each"
                tables.problems.setdefault(clip, ("bad_unit_label", detail))
                break
            if pattern not in mappings:
                mappings[pattern] = dict(zip(units, pattern, strict=True))
            labels[row.frame] = mappings[pattern]
        rows[clip] = labels
    kept = {clip: labels for clip, labels in rows.items() if clip not in tables.problems}
    n_rows = sum(map(len, kept.values()))
    notes = [
        f"action units: {counted(n_rows, 'row')} of {counted(len(kept), 'clip')} in {shown}, "
        f"read as {_KINDS[kind]}{why}; "
        f"{', '.join(units) or 'no units'}"
    ]
    if detector:
        notes.append(f"action units: PSEUDO labels of {detector}, no person's")
    if tables.n_masked:
        notes.append(
            f"action units: {counted(tables.n_masked, 'row')} of frames that {OPENFACE} is not sure of, "
            "taken as not labelled"
        )
    if tables.ignored:
        notes.append(f"action units: columns not read: {first_few(sorted(tables.ignored))}")
    return UnitLabels(
        rows=kept,
        problems=tables.problems,
        source=UnitSource(pseudo=detector, lines=tuple(notes)),
    )


def _kind(tables: UnitTables) -> tuple[str, str]:
    """Kind of the numbers of the tables, and the cell or column that determined it."""
    if tables.kind is not None:
        return tables.kind, f" ({OPENFACE}'s columns)"
    fraction = ""
    for lines in tables.rows.values():
        for row in lines:
            for unit, text in zip(row.units, row.cells, strict=True):
                number = decimal_number(text) if text not in ("", "0", "1") else None
                if number is not None and 1.0 < number <= _MOST:
                    return "intensity", f" ({row.where} has {text})"
                if number is not None and 0.0 < number < 1.0 and not fraction:
                    fraction = f" ({row.where} has {text} of {unit})"
    return ("probability", fraction) if fraction else ("presence", "")


def _label(text: str, kind: str, unit: str) -> int:
    """1 present, -1 absent, 0 not labelled.

    Raises:
        ValueError: If it is no number, or out of range.
    """
    if not text:
        return 0
    number = decimal_number(text)
    highest = _HIGHEST[kind]
    if number is None or not 0.0 <= number <= highest or (kind == "presence" and number not in (0.0, 1.0)):
        numbers = "0 or 1" if kind == "presence" else f"a number from 0 to {highest:g}"
        raise ValueError(
            f"{unit} is {text[:40]!r}, expected {numbers}, or an empty cell where it is not labelled"
        )
    return 1 if number >= _PRESENT_FROM[kind] else -1
