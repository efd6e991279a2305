"""Data sets that carry their own list of clips: what an adapter listed once, kept in tables beside the files.

The hidden folder :data:`CARRIED` of such a data set holds ``entries.parquet``, ``votes.parquet``,
``action_units.parquet`` (where there are labels of action units) and ``listing.json`` (how those were made).
Where it is there, it takes the place of the adapter that the recipe names: no table of annotations is looked
for. ``fgbench rebuild`` makes such folders; the same tables are part of what ``fgbench publish`` writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from fgbench import plugins, storage
from fgbench.config import DatasetConfig
from fgbench.errors import ManifestError
from fgbench.records import AuRow, ClipEntry, UnitSource, Vote
from fgbench.workfolders.sealed_json import read_sealed, write_sealed

if TYPE_CHECKING:
    import pyarrow as pa

CARRIED = ".fgbench-published"
"""Folder of the list in the root of a data set."""

ENTRIES, VOTES, ACTION_UNITS = "entries.parquet", "votes.parquet", "action_units.parquet"
"""Names of its tables."""

_LISTING = "listing.json"
_AGAIN = "make the folder again: fgbench rebuild"
_PLAIN = (
    "clip_id",
    "path",
    "label",
    "key_frame",
    "confidence",
    "subject_id",
    "source_id",
    "split",
    "stills_only",
    "fold",
    "last_unit_frame",
)
"""Fields of an entry that are columns as they are."""
_VOTE = ("annotator", "label", "confidence", "key_frame", "round")


def listed_schema(table: str) -> pa.Schema:
    """Arrow schema of a table of the list.

    Args:
        table: :data:`ENTRIES`, :data:`VOTES` or :data:`ACTION_UNITS`.
    """
    import pyarrow as pa

    text, number, real = pa.string(), pa.int64(), pa.float64()
    fields = {
        ENTRIES: [
            ("clip_id", text),
            ("path", text),
            ("label", text),
            ("key_frame", number),
            ("confidence", real),
            ("subject_id", text),
            ("source_id", text),
            ("split", text),
            ("stills_only", pa.bool_()),
            ("fold", number),
            ("last_unit_frame", number),
            ("selected_frames", pa.list_(number)),
            ("problem_reason", text),
            ("problem_detail", text),
        ],
        VOTES: [
            ("clip_id", text),
            ("annotator", text),
            ("label", text),
            ("confidence", real),
            ("key_frame", number),
            ("round", number),
        ],
        ACTION_UNITS: [("clip_id", text), ("frame_index", number), ("unit", text), ("label", pa.int8())],
    }
    return pa.schema(fields[table])


def adapter_of(config: DatasetConfig, root: Path) -> Any:
    """What lists a data set: the list that it carries, else the adapter that the recipe names.

    Args:
        config: Section ``dataset`` of the recipe.
        root: Root of the data set.

    Returns:
        The adapter's module, or what offers the same: its card, ``list_clips``, and ``action_units`` with
        ``unit_source`` where there are such labels.

    Raises:
        ConfigError: If there is no such adapter.
        ManifestError: If the list that the data set carries is damaged.
    """
    adapter = plugins.load("datasets", config.adapter)
    folder = root / CARRIED
    if not (folder / ENTRIES).is_file():
        return adapter
    carried = SimpleNamespace(CARD=adapter.CARD, list_clips=_entries_below)
    source = read_unit_source(folder)
    if source is not None:
        carried.action_units = _units_below
        carried.unit_source = partial(_source_below, source)
    return carried


def write_listing(
    folder: Path, entries: Iterable[ClipEntry], units: Iterable[AuRow] | None
) -> dict[str, int]:
    """Keep what an adapter lists.

    Args:
        folder: Folder of the tables.
        entries: The clips.
        units: Labels of action units; ``None`` where there are none.

    Returns:
        Name of each table to its number of rows.

    Raises:
        ResourceError: If they cannot be written.
    """
    listed = list(entries)
    rows = {ENTRIES: _write(folder / ENTRIES, map(_entry_row, listed))}
    votes = (
        {"clip_id": entry.clip_id, **{name: getattr(vote, name) for name in _VOTE}}
        for entry in listed
        for vote in entry.votes
    )
    rows[VOTES] = _write(folder / VOTES, votes)
    if units is not None:
        rows[ACTION_UNITS] = _write(
            folder / ACTION_UNITS, (cell for one in units for cell in _unit_rows(one))
        )
    return rows


def write_unit_source(folder: Path, source: UnitSource | None) -> None:
    """Keep how labels of action units were made; ``None`` says that there are none.

    Raises:
        ResourceError: If it cannot be written.
    """
    told = None if source is None else {"pseudo": source.pseudo, "lines": list(source.lines)}
    write_sealed(folder / _LISTING, {"units": told})


def read_unit_source(folder: Path) -> UnitSource | None:
    """How labels of action units were made; ``None`` where there are none.

    Raises:
        ManifestError: If the file is damaged or missing.
    """
    try:
        told = read_sealed(folder / _LISTING)["units"]
        return (
            None
            if told is None
            else UnitSource(pseudo=str(told["pseudo"]), lines=tuple(map(str, told["lines"])))
        )
    except (FileNotFoundError, KeyError, TypeError) as error:
        raise ManifestError(f"{folder / _LISTING} is missing or damaged", _AGAIN) from error


def read_entries(folder: Path) -> list[ClipEntry]:
    """Clips of a list, in their order.

    Raises:
        ManifestError: If a table is missing or damaged.
    """
    votes: dict[str, list[Vote]] = {}
    for row in _rows(folder / VOTES, VOTES):
        votes.setdefault(row["clip_id"], []).append(Vote(**{name: row[name] for name in _VOTE}))
    return [_entry(row, tuple(votes.get(row["clip_id"], ()))) for row in _rows(folder / ENTRIES, ENTRIES)]


def read_action_units(folder: Path) -> Iterator[AuRow]:
    """Labels of action units of a list, frame by frame.

    Raises:
        ManifestError: If the table is missing or damaged.
    """
    labels: dict[str, int] = {}
    before: tuple[str, int | None] | None = None
    for row in _rows(folder / ACTION_UNITS, ACTION_UNITS):
        frame = (row["clip_id"], row["frame_index"])
        if before is not None and frame != before:
            yield AuRow(clip_id=before[0], frame_index=before[1], labels=labels)
            labels = {}
        before = frame
        if row["unit"] is not None:
            labels[row["unit"]] = row["label"]
    if before is not None:
        yield AuRow(clip_id=before[0], frame_index=before[1], labels=labels)


def with_parts(entries: Iterable[ClipEntry], parts: Mapping[str, str]) -> list[ClipEntry]:
    """Entries whose official part is the one that is known of them; the others as they are.

    Args:
        entries: The clips.
        parts: Clip to part.
    """
    return [replace(entry, split=parts.get(entry.clip_id, entry.split)) for entry in entries]


def _entries_below(root: Path) -> list[ClipEntry]:
    return read_entries(root / CARRIED)


def _units_below(root: Path) -> Iterator[AuRow]:
    return read_action_units(root / CARRIED)


def _source_below(source: UnitSource, root: Path) -> UnitSource:
    return source


def _entry_row(entry: ClipEntry) -> dict[str, Any]:
    reason, detail = entry.problem or (None, None)
    frames = entry.selected_frames
    return {
        **{name: getattr(entry, name) for name in _PLAIN},
        "selected_frames": None if frames is None else list(frames),
        "problem_reason": reason,
        "problem_detail": detail,
    }


def _entry(row: Mapping[str, Any], votes: tuple[Vote, ...]) -> ClipEntry:
    frames = row["selected_frames"]
    reason, detail = row["problem_reason"], row["problem_detail"]
    return ClipEntry(
        **{name: row[name] for name in _PLAIN},
        votes=votes,
        selected_frames=None if frames is None else tuple(frames),
        problem=None if reason is None else (reason, detail or ""),
    )


def _unit_rows(row: AuRow) -> list[dict[str, Any]]:
    """Rows of a frame; one without a unit where nothing of it is labelled, which is told too."""
    cells: list[tuple[str | None, int | None]] = [*sorted(row.labels.items())] or [(None, None)]
    frame = {"clip_id": row.clip_id, "frame_index": row.frame_index}
    return [{**frame, "unit": unit, "label": label} for unit, label in cells]


def _write(path: Path, rows: Iterable[Mapping[str, Any]]) -> int:
    writer = storage.TableWriter(path, listed_schema(path.name))
    try:
        for row in rows:
            writer.add(row)
        writer.close()
    except BaseException:
        writer.discard()
        raise
    return writer.rows


def _rows(path: Path, table: str) -> Iterator[dict[str, Any]]:
    """Rows of a table that has the columns, of the types, that it should have."""
    wanted = listed_schema(table)
    with storage.open_table(path, wanted.names, hint=_AGAIN) as file:
        found = file.schema_arrow
        odd = [field.name for field in wanted if found.field(field.name).type != field.type]
        if odd:
            raise ManifestError(f"{path} has columns of other types than expected: {', '.join(odd)}", _AGAIN)
        for batch in file.iter_batches(batch_size=storage.ROWS_PER_GROUP, columns=wanted.names):
            yield from batch.to_pylist()
