"""Tables of selected frames from the pages of experts: checked, joined, and put beside the videos.

Reads manifests and tables; writes ``selection.csv`` into the data set's folder, which the adapter
``fg_emotions`` reads.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fgbench import storage
from fgbench.annotation.selection.offered_frames import offered_clips
from fgbench.datasets._annotation_table import COLUMNS, SELECTION, VIDEOS
from fgbench.datasets._clip_files import ClipFiles
from fgbench.datasets._selected_frames import Row, is_inspected, read_selection
from fgbench.datasets._tables import whole_number
from fgbench.errors import ConfigError, DatasetError
from fgbench.files.file_errors import readable
from fgbench.naming import counted, first_few, has_controls, key, tidy
from fgbench.notebook_lines import NotebookLines
from fgbench.printable import cell_of, printable_name
from fgbench.workfolders.folder import published_recipe

_ADAPTER = "fg_emotions"
_SHOWN = 10
_MOST_BYTES = 64 << 20
"""Size of a table that is read; ours. A page of 2,000 clips writes less than 1 MB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedRow:
    """A row that was left out.

    Attributes:
        file: Name of its table.
        line: Number of its line.
        reason: ``"unknown_clip"``, ``"bad_frame"``, ``"not_offered"``, ``"duplicate"``, ``"own_inspection"``,
            ``"bad_annotator"`` or ``"formula"``.
        detail: Explanation for the user.
    """

    file: str
    line: int
    reason: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedSelection(NotebookLines):
    """A selection that was put beside the videos.

    Attributes:
        path: The table.
        clips: Clips with selected frames.
        frames: Selected frames.
        struck: Frames that the inspection struck out.
        is_inspected: Whether a second expert inspected it.
        rejected: Rows that were left out.
        without: Ids of the clips that were offered and have no selected frame: they get no pictures.
    """

    path: Path
    clips: int
    frames: int
    struck: int
    is_inspected: bool
    rejected: tuple[RejectedRow, ...]
    without: tuple[str, ...] = ()

    @property
    def has_table(self) -> bool:
        """Whether the table is there: always."""
        return True

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "path": str(self.path),
            "clips": self.clips,
            "frames": self.frames,
            "struck": self.struck,
            "is_inspected": self.is_inspected,
            "without": list(self.without),
            "rejected": [
                {"file": row.file, "line": row.line, "reason": row.reason, "detail": row.detail}
                for row in self.rejected
            ],
        }

    def lines(self) -> list[str]:
        """Return lines of text."""
        state = f"inspected, {self.struck} struck out" if self.is_inspected else "not inspected yet"
        left_out = [
            f"left out: {row.file} line {row.line}: {row.reason}: {row.detail}"
            for row in self.rejected[:_SHOWN]
        ]
        if len(self.rejected) > _SHOWN:
            left_out.append(f"left out: {len(self.rejected) - _SHOWN} more rows")
        none = [
            f"{counted(len(self.without), 'clip')} without a selected frame, so without a picture in the "
            f"image set: {first_few(list(map(printable_name, self.without)))}"
        ]
        return [
            f"{counted(self.frames, 'frame')} of {counted(self.clips, 'clip')} selected ({state})",
            *(none if self.without else []),
            *left_out,
            f"selection: {self.path}",
        ]


def import_selection(
    tables: Sequence[Path], root: Path, workdir: Path, *, replace: bool = False
) -> ImportedSelection:
    """Check the tables of a selection, join them, and write ``selection.csv``.

    Args:
        tables: Tables that pages wrote (clip, frame, selected_by, inspected_by): of one expert, or of both.
        root: Folder of the data set.
        workdir: Work folder that the pages were made from.
        replace: Whether a selection may be replaced that has other frames.

    Raises:
        ConfigError: If the data set is of another layout, or there is a selection with frames that the tables
            lack; nothing is written.
        DatasetError: If a table cannot be read, some are inspected and some are not, or no row is left.
        ManifestError: If manifests are missing or damaged.
        ResourceError: If the selection cannot be written.
    """
    recipe = published_recipe(workdir)
    adapter = str(recipe.get("dataset", {}).get("adapter", _ADAPTER))
    if adapter != _ADAPTER:
        raise ConfigError(
            f"the data set of {workdir} has the layout {adapter}, which has no {SELECTION}",
            f"selections are of your own clips, in the layout of {_ADAPTER}",
        )
    if not root.is_dir():
        raise DatasetError(f"no folder {root}", "give the data set's folder with --data-root")
    offered = {clip.clip_id: {*clip.frames} for clip in offered_clips(workdir, recipe)}
    return join_selection(tables, root, offered, replace=replace)


def join_selection(
    tables: Sequence[Path], root: Path, frames: Mapping[str, Collection[int]], *, replace: bool
) -> ImportedSelection:
    """Like :func:`import_selection`, of frames that are known.

    Args:
        tables: The tables.
        root: Folder of the data set.
        frames: Clip to the frames that there were to select from.
        replace: As there.

    Raises:
        ConfigError: If there is a selection with frames that the tables lack; nothing is written.
        DatasetError: As there.
        ResourceError: If the selection cannot be written.
    """
    offered = {clip: set(of_clip) for clip, of_clip in frames.items()}
    read = [(table, _rows_of(table)) for table in tables]
    inspected = {is_inspected(rows) for _, rows in read}
    if len(inspected) > 1:
        open_ = [table.name for table, rows in read if not is_inspected(rows)]
        raise DatasetError(
            f"no one inspected {first_few(open_)}, but the other tables: their frames would be struck out",
            "give tables that are all inspected, or none",
        )
    target = root / SELECTION
    present = read_selection(target) or []
    files = ClipFiles(root, VIDEOS)
    before = {(files.find(row["clip"]).clip_id, whole_number(row["frame"])) for row in present}
    for clip_id, frame in before:
        if frame is not None and clip_id in offered:
            offered[clip_id].add(frame)
    rows: dict[tuple[str, int], Row] = {}
    rejected = []
    for table, of_table in read:
        for row in of_table:
            fault = _fault(row, offered, files, rows)
            if fault is not None:
                reason, detail = fault
                rejected.append(
                    RejectedRow(file=table.name, line=int(row["_line"]), reason=reason, detail=detail)
                )
                continue
            rows[_clip_id(row, offered, files), int(row["frame"])] = row
    if not rows:
        first = f": line {rejected[0].line}: {rejected[0].detail}" if rejected else ""
        raise DatasetError(
            f"{first_few([str(table) for table in tables])}: no row can be used{first}; nothing was written",
            "write the table anew from the pages of this work folder",
        )
    lost = before - rows.keys()
    if lost and not replace:
        raise ConfigError(
            f"{target} has {counted(len(lost), 'frame')} that the new tables lack; nothing was written",
            "give the tables of all pages, or --replace",
        )
    storage.write_text(target, _text(rows))
    selected = [name for name, row in rows.items() if row.get("inspected_by") or inspected == {False}]
    chosen = {clip_id for clip_id, _ in selected}
    return ImportedSelection(
        path=target,
        clips=len(chosen),
        frames=len(selected),
        struck=len(rows) - len(selected),
        is_inspected=inspected == {True},
        rejected=tuple(rejected),
        without=tuple(sorted(offered.keys() - chosen)),
    )


def _rows_of(table: Path) -> list[Row]:
    with readable(table):
        size = table.stat().st_size if table.exists() else 0
    if size > _MOST_BYTES:
        raise DatasetError(
            f"{table} has {size / 1e6:,.0f} MB, expected at most {_MOST_BYTES / 1e6:,.0f} MB of a table that "
            "a page wrote",
            "give the tables of the pages one by one, --import once for each",
        )
    rows = read_selection(table)
    if rows is None:
        raise DatasetError(
            f"no file {table}", f"name a table that a page wrote ({','.join(COLUMNS[SELECTION])})"
        )
    return rows


def _clip_id(row: Row, offered: Mapping[str, set[int]], files: ClipFiles) -> str:
    """Id of the clip of a row, which pages write and people spell otherwise."""
    return row["clip"] if row["clip"] in offered else files.find(row["clip"]).clip_id


def _fault(
    row: Row,
    offered: Mapping[str, set[int]],
    files: ClipFiles,
    taken: Mapping[tuple[str, int], Row],
) -> tuple[str, str] | None:
    """Reason and detail of what is wrong with a row; ``None`` if nothing is."""
    clip_id, frame = _clip_id(row, offered, files), whole_number(row["frame"])
    selected_by, inspected_by = row.get("selected_by", ""), row.get("inspected_by", "")
    if clip_id not in offered:
        return "unknown_clip", f"{row['clip']!r} is no settled clip of this work folder"
    if frame is None:
        return "bad_frame", f"frame is {row['frame'][:60]!r}, expected a whole number in plain digits"
    if frame not in offered[clip_id]:
        return "not_offered", f"frame {frame} of {clip_id!r} was not among those to select from"
    if (clip_id, frame) in taken:
        return "duplicate", f"frame {frame} of {clip_id!r} comes twice"
    for name in (selected_by, inspected_by):
        if has_controls(tidy(name)):
            return "bad_annotator", f"{name[:60]!r} is no name: it has a control character"
        if name and cell_of(name) != name:
            return "formula", f"the name {name[:60]!r} begins like a formula, expected a name or a number"
    if inspected_by and key(inspected_by) == key(selected_by):
        return "own_inspection", f"{inspected_by!r} selected and inspected frame {frame} of {clip_id!r}"
    return None


def _text(rows: Mapping[tuple[str, int], Row]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS[SELECTION])
    for (clip_id, frame), row in sorted(rows.items()):
        names = (row.get("selected_by", ""), row.get("inspected_by", ""))
        writer.writerow([cell_of(clip_id), frame, *map(cell_of, names)])
    return text.getvalue()
