"""``action_units.csv`` of somebody's own data: labels of action units, clip by clip or frame by frame.

Reads the table, or the tables of a folder ``action_units/`` with one ``<clip>.csv`` per clip. Cells are
separated by commas, semicolons or tabs. Columns:

- ``clip``: name of a clip, as ``annotations.csv`` has it (``input``, as py-feat writes it, is taken too);
- ``frame``, optional: a decoded frame, from 0. A row without one holds for **every frame** of the clip that
  has no row of its own, or for the picture;
- one column per unit: ``AU1``, ``AU01`` or ``1``. An empty cell is not labelled.

Three kinds of numbers are told apart by what the whole table holds. 0 and 1 alone: absent and present.
Numbers up to 5, one above 1 among them: intensities, present from :data:`PRESENT_FROM` on, as DISFA's.
Numbers between 0 and 1: probabilities of a detector, present from :data:`LIKELY_FROM` on.

Labels that a detector made are *pseudo labels*, and every table and card says so: OpenFace's (``AU01_c``, or
``AU01_r`` where there is no such column; its ``frame`` counts from 1; frames with ``success`` 0 or a
``confidence`` below 0.5 are not labelled), py-feat's (probabilities), and those of a table with a column
``pseudo`` that is 1. OpenFace's tables are not read together with others, whose numbers mean something
else. The bounds are ours, but for that of intensities.
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
"""Probability from which on a unit counts as present."""

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
    """Labels of action units of somebody's own data.

    Attributes:
        rows: Of every clip that can be used, by its id: frame (``None``: all others) to the labels.
        problems: Id to ``(reason, detail)`` of clips whose rows cannot be used.
        source: How the labels were made, and what a person should know of it.
    """

    rows: Mapping[str, Mapping[int | None, Mapping[str, int]]]
    problems: Mapping[str, tuple[str, str]]
    source: UnitSource

    @property
    def named(self) -> set[str]:
        """Ids of all clips that the tables name."""
        return self.rows.keys() | self.problems.keys()

    def last_frame(self, clip_id: str) -> int | None:
        """Number of the last frame of a clip that has a row of its own; ``None`` if none has."""
        return max((frame for frame in self.rows.get(clip_id, ()) if frame is not None), default=None)

    def __iter__(self) -> Iterator[AuRow]:
        for clip_id in sorted(self.rows):
            labels = self.rows[clip_id]
            for frame in sorted(labels, key=lambda frame: -1 if frame is None else frame):
                yield AuRow(clip_id=clip_id, frame_index=frame, labels=labels[frame])


def has_table(root: Path) -> bool:
    """Whether a data set brings the table."""
    table = root / TABLE
    return table.exists() or table.is_symlink()


def has_units(root: Path) -> bool:
    """Whether a data set brings the table, or the folder of tables."""
    return has_table(root) or (root / FOLDER).is_dir()


def read_units(root: Path, clip_id: Callable[[str], str]) -> UnitLabels:
    """The labels of a data set.

    Args:
        root: Root of the data set.
        clip_id: What clip a name means.

    Raises:
        DatasetError: If there are no labels, or a table cannot be read or names no clips or units.
    """
    found = UnitTables()
    if has_table(root):
        read_table(root / TABLE, TABLE, found, clip_id, None)
    elif (root / FOLDER).is_dir():
        for path in _tables(root / FOLDER):
            name = relative(path, root / FOLDER)
            read_table(path, f"{FOLDER}/{name}", found, clip_id, stem(name))
    else:
        raise DatasetError(
            f"{root} has no labels of action units (no {TABLE})",
            f"expected a table such as {EXAMPLE}; the drawn data set (fgbench synth) has them too",
        )
    return _judged(found, TABLE if has_table(root) else f"{FOLDER}/")


def with_units(entries: Sequence[ClipEntry], units: UnitLabels, unknown: Iterable[str]) -> list[ClipEntry]:
    """Entries of a data set that brings labels of action units.

    Args:
        entries: What it lists.
        units: Its labels.
        unknown: Ids of clips that they name and it does not list; each becomes an entry with a problem.
    """
    found = [
        replace(
            entry,
            problem=entry.problem or units.problems.get(entry.clip_id),
            last_unit_frame=units.last_frame(entry.clip_id),
        )
        for entry in entries
    ]
    detail = "the table of action units names it, the data set does not list it"
    return found + [
        ClipEntry(clip_id=name, path=name, problem=("unknown_clip", detail)) for name in sorted(unknown)
    ]


def _tables(folder: Path) -> Iterator[Path]:
    for name in file_names(folder):
        if name.lower().endswith(".csv"):
            yield folder / name
    for inner in subfolders(folder).values():
        yield from _tables(inner)


def _judged(found: UnitTables, shown: str) -> UnitLabels:
    """Numbers as labels; clips with one that is out of range, or with a frame twice, become problems."""
    kind, why = _kind(found)
    if kind == "probability":
        found.detectors.add(PY_FEAT if PY_FEAT in found.detectors else DETECTOR)
    if len(found.detectors) > 1:
        found.detectors.discard(DETECTOR)
    detector = " and ".join(sorted(found.detectors))
    rows: dict[str, dict[int | None, Mapping[str, int]]] = {}
    known: dict[tuple[int, ...], Mapping[str, int]] = {}  # few patterns, and many frames
    units = sorted(found.units)
    for clip, lines in found.rows.items():
        labels: dict[int | None, Mapping[str, int]] = {}
        for row in lines:
            try:
                cells = {} if row.is_masked else dict(zip(row.units, row.cells, strict=True))
                pattern = tuple(_label(cells.get(unit, ""), kind, unit) for unit in units)
            except ValueError as error:
                found.problems.setdefault(clip, ("bad_unit_label", f"{row.where}: {error}"))
                break
            if row.frame in labels:
                what = "the whole clip" if row.frame is None else f"frame {row.frame}"
                detail = f"{row.where}: {what} has a row before, expected one of each"
                found.problems.setdefault(clip, ("bad_unit_label", detail))
                break
            if pattern not in known:
                known[pattern] = dict(zip(units, pattern, strict=True))
            labels[row.frame] = known[pattern]
        rows[clip] = labels
    kept = {clip: labels for clip, labels in rows.items() if clip not in found.problems}
    n_rows = sum(map(len, kept.values()))
    lines_told = [
        f"action units: {counted(n_rows, 'row')} of {counted(len(kept), 'clip')} in {shown}, "
        f"read as {_KINDS[kind]}{why}; "
        f"{', '.join(units) or 'no units'}"
    ]
    if detector:
        lines_told.append(f"action units: PSEUDO labels of {detector}, no person's")
    if found.n_masked:
        lines_told.append(
            f"action units: {counted(found.n_masked, 'row')} of frames that {OPENFACE} is not sure of, "
            "taken as not labelled"
        )
    if found.ignored:
        lines_told.append(f"action units: columns not read: {first_few(sorted(found.ignored))}")
    return UnitLabels(
        rows=kept,
        problems=found.problems,
        source=UnitSource(pseudo=detector, lines=tuple(lines_told)),
    )


def _kind(found: UnitTables) -> tuple[str, str]:
    """What the numbers of the tables are, and by which of them that was told."""
    if found.kind is not None:
        return found.kind, f" ({OPENFACE}'s columns)"
    fraction = ""
    for lines in found.rows.values():
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
