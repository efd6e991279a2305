"""Data sets that carry their own list of clips: an adapter's listing, stored in tables beside the files.

The hidden folder :data:`CARRIED` of such a data set holds ``entries.parquet``, ``votes.parquet``,
``action_units.parquet`` (if there are labels of action units) and ``listing.json`` (how those were made, and
whether annotators are listed by pseudonyms).
It replaces the adapter that the recipe names: no table of annotations is looked for. ``fgbench rebuild``
makes such folders, and ``fgbench publish`` writes the same tables.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import groupby
from operator import itemgetter
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
"""Fields of an entry that are columns unchanged."""
_GOLD, _FPS = "gold_label", "fps"
_VOTE = ("annotator", "label", "confidence", "key_frame", "round", "spent_s", "cast_at")
LATER = frozenset({_GOLD, _FPS, "spent_s", "cast_at"})
"""Columns that tables of earlier versions lack."""


def listed_schema(table: str) -> pa.Schema:
    """Return the Arrow schema of a table of the list.

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
            (_GOLD, text),
            (_FPS, real),
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
            ("spent_s", real),
            ("cast_at", text),
        ],
        ACTION_UNITS: [("clip_id", text), ("frame_index", number), ("unit", text), ("label", pa.int8())],
    }
    return pa.schema(fields[table])


def check_types(path: Path, schema: pa.Schema, wanted: pa.Schema, *, hint: str) -> None:
    """Raise a ManifestError if columns of a table, which are all there, have other types than wanted."""
    odd = [field.name for field in wanted if schema.field(field.name).type != field.type]
    if odd:
        raise ManifestError(f"{path} has columns of other types than expected: {', '.join(odd)}", hint)


def adapter_of(config: DatasetConfig, root: Path) -> Any:
    """Return the adapter of a data set: the list that it carries, or the adapter that the recipe names.

    Args:
        config: Section ``dataset`` of the recipe.
        root: Root of the data set.

    Returns:
        The adapter's module, or an object with the same members: its card, ``list_clips``, and
        ``action_units`` with ``unit_source`` if there are such labels.

    Raises:
        ConfigError: If there is no such adapter.
        ManifestError: If the list that the data set carries is damaged.
    """
    adapter = plugins.load("datasets", config.adapter)
    folder = root / CARRIED
    if not (folder / ENTRIES).is_file():
        return adapter
    carried = SimpleNamespace(CARD=adapter.CARD, list_clips=lambda root: read_entries(root / CARRIED))
    source = read_unit_source(folder)
    if source is not None:
        carried.action_units = lambda root: read_action_units(root / CARRIED)
        carried.unit_source = lambda _root: source
    return carried


def write_listing(
    folder: Path, entries: Iterable[ClipEntry], units: Iterable[AuRow] | None
) -> dict[str, int]:
    """Write the listing of an adapter.

    Args:
        folder: Folder of the tables.
        entries: The clips.
        units: Labels of action units; ``None`` if there are none.

    Returns:
        Number of rows by name of table.

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


def write_origin(folder: Path, source: UnitSource | None, annotators: str) -> None:
    """Write how the list was made.

    Args:
        folder: Folder of the list.
        source: How labels of action units were made; ``None`` if there are none.
        annotators: Form of the names of annotators (:data:`fgbench.catalogue.pseudonyms.Names`).

    Raises:
        ResourceError: If it cannot be written.
    """
    units = None if source is None else {"pseudo": source.pseudo, "lines": list(source.lines)}
    write_sealed(folder / _LISTING, {"units": units, "annotators": annotators})


def carried_names(root: Path) -> str | None:
    """Form of the names of annotators in the list that a data set carries, ``"names"`` in lists of earlier
    versions; ``None`` if it carries none.

    Raises:
        ManifestError: If the list is damaged.
    """
    if not (root / CARRIED / ENTRIES).is_file():
        return None
    try:
        return str(read_sealed(root / CARRIED / _LISTING).get("annotators", "names"))
    except FileNotFoundError as error:
        raise ManifestError(f"{root / CARRIED / _LISTING} is missing", _AGAIN) from error


def read_unit_source(folder: Path) -> UnitSource | None:
    """Read how labels of action units were made; ``None`` if there are none.

    Raises:
        ManifestError: If the file is damaged or missing.
    """
    try:
        units = read_sealed(folder / _LISTING)["units"]
        if units is None:
            return None
        return UnitSource(pseudo=str(units["pseudo"]), lines=tuple(map(str, units["lines"])))
    except (FileNotFoundError, KeyError, TypeError) as error:
        raise ManifestError(f"{folder / _LISTING} is missing or damaged", _AGAIN) from error


def read_entries(folder: Path) -> list[ClipEntry]:
    """Read the clips of a list, in their order.

    Raises:
        ManifestError: If a table is missing or damaged.
    """
    votes: dict[str, list[Vote]] = {}
    for row in _rows(folder / VOTES, VOTES):
        vote = Vote(**{name: row[name] for name in _VOTE if name in row})
        votes.setdefault(row["clip_id"], []).append(vote)
    return [_entry(row, tuple(votes.get(row["clip_id"], ()))) for row in _rows(folder / ENTRIES, ENTRIES)]


def read_action_units(folder: Path) -> Iterator[AuRow]:
    """Yield the labels of action units of a list, frame by frame.

    Raises:
        ManifestError: If the table is missing or damaged.
    """
    rows = _rows(folder / ACTION_UNITS, ACTION_UNITS)
    for (clip_id, frame_index), frame in groupby(rows, itemgetter("clip_id", "frame_index")):
        labels = {row["unit"]: row["label"] for row in frame if row["unit"] is not None}
        yield AuRow(clip_id=clip_id, frame_index=frame_index, labels=labels)


def with_parts(entries: Iterable[ClipEntry], parts: Mapping[str, str]) -> list[ClipEntry]:
    """Return the entries with the given parts as official ones; entries without a part stay as they are.

    Args:
        entries: The clips.
        parts: Part by id of clip.
    """
    return [replace(entry, split=parts.get(entry.clip_id, entry.split)) for entry in entries]


def _entry_row(entry: ClipEntry) -> dict[str, Any]:
    reason, detail = entry.problem or (None, None)
    frames = entry.selected_frames
    return {
        **{name: getattr(entry, name) for name in (*_PLAIN, _GOLD, _FPS)},
        "selected_frames": None if frames is None else list(frames),
        "problem_reason": reason,
        "problem_detail": detail,
    }


def _entry(row: Mapping[str, Any], votes: tuple[Vote, ...]) -> ClipEntry:
    frames = row["selected_frames"]
    reason, detail = row["problem_reason"], row["problem_detail"]
    return ClipEntry(
        **{name: row[name] for name in _PLAIN},
        gold_label=row.get(_GOLD),
        fps=row.get(_FPS),
        votes=votes,
        selected_frames=None if frames is None else tuple(frames),
        problem=None if reason is None else (reason, detail or ""),
    )


def _unit_rows(row: AuRow) -> list[dict[str, Any]]:
    """Return the rows of a frame; one without a unit if it has no labels."""
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
    """Yield the rows of a table, whose columns are checked."""
    import pyarrow as pa

    wanted = listed_schema(table)
    needed = [name for name in wanted.names if name not in LATER]
    with storage.open_table(path, needed, hint=_AGAIN) as file:
        there = pa.schema([field for field in wanted if field.name in file.schema_arrow.names])
        check_types(path, file.schema_arrow, there, hint=_AGAIN)
        for batch in file.iter_batches(batch_size=storage.ROWS_PER_GROUP, columns=there.names):
            yield from batch.to_pylist()
