"""Adapter of FG-Emotions: clips with fine-grained annotations, in fgbench's own layout.

The paper's data set is not public; this is the layout for your own clips::

    videos/<anything>.<ext>     or the videos beside annotations.csv
    annotations.csv             clip,label,key_frame,confidence,subject,source,split
    votes.csv                   clip,annotator,label,confidence,key_frame,round,spent_s,cast_at
                                                                                     (instead of labels)
    gold.csv                    clip,label,key_frame                                 (optional)
    selection.csv               clip,frame,selected_by,inspected_by                  (optional)
    action_units.csv            clip,frame,AU1,AU2,...                               (optional)

``clip`` is the path of a video from ``videos/`` (or from the root), with or without its suffix, or of a
folder of pictures, its frames; all names of one file are one clip. ``split`` is a part in one of its usual
spellings (train, Training, dev, test_set).
``subject_id`` and ``source_id`` are ``subject`` and ``source``; a subject ``nan``, ``none``, ``unknown``,
``n/a`` or ``?``, in any case, counts as unknown, like an empty one (:mod:`fgbench.datasets._persons`); other
columns are ignored. Both are reported (:func:`notes`). Only ``clip`` and, without votes, ``label`` are
required. ``key_frame`` counts decoded frames from 0.
``selection.csv`` lists the frames that experts accepted for the image set: one selects, another inspects
(:mod:`fgbench.datasets._selected_frames`). ``gold.csv`` lists clips with known answers, mixed among the
others to test annotators. Numbers of frames and rounds are plain digits; a vote without a round belongs to
the first, and votes of only a later round count as that one. A key frame beyond the end of the clip rejects
the clip in ``annotations.csv``; in ``votes.csv`` it agrees with none, and the other votes settle the clip.

Action units: ``action_units.csv`` as :mod:`fgbench.datasets._unit_table` reads it, else the truth of the
drawn data set (``truth.parquet``, see ``fgbench synth``). The variant ``units`` lists clips for their action
units alone, without classes: ``annotations.csv`` then needs no labels, and may be absent.

Labels: the 33 leaves of the class tree. Known totals (paper, Table I): clips 825 / 275 / 391. Citation:
Liang et al., Fine-Grained Facial Expression Recognition in the Wild.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from fgbench.datasets import _drawn_truth, _unit_table
from fgbench.datasets._annotation_table import (
    ANNOTATIONS,
    COLUMNS,
    LAYOUT,
    MEANT,
    SELECTION,
    VIDEOS,
    VOTES,
    BadCellError,
    column_names,
    fraction,
    integer,
    optional_integer,
    part_of,
    rate_of,
    read_annotations,
    row_reader,
    with_nearest,
)
from fgbench.datasets._card import WHOLE, Card, Variant
from fgbench.datasets._clip_files import ClipFiles, NamedFile
from fgbench.datasets._gold_table import with_gold
from fgbench.datasets._parts import parts_of
from fgbench.datasets._persons import person, unknown_persons
from fgbench.datasets._selected_frames import confirmed, read_selection, struck_note
from fgbench.datasets._tables import open_text
from fgbench.datasets._unit_columns import FOLDER as UNIT_FOLDER
from fgbench.datasets._unit_columns import TABLE as UNIT_TABLE
from fgbench.datasets._vote_rows import vote_of
from fgbench.errors import DatasetError
from fgbench.garbage_collection import collector_paused
from fgbench.naming import first_few
from fgbench.records import PEOPLE, AuRow, ClipEntry, UnitSource

_UNLABELLED = "clips without labels are annotated with fgbench annotate export"

_UNIT_LAYOUT = (
    f"expected {VIDEOS}/ with the clips and {UNIT_TABLE} (clip,frame,AU1,AU2,...), or "
    f"{UNIT_FOLDER}/<clip>.csv as OpenFace and py-feat write them; {ANNOTATIONS} (clip,subject) may be absent"
)
CARD = Card(
    title="FG-Emotions, and your own annotated clips",
    kind="video",
    licence="the paper's data set is not public; your own clips: yours",
    citation="Liang et al., Fine-Grained Facial Expression Recognition in the Wild",
    request="not public; the layout is for your own clips",
    protocol="parts by clip, train and test with every class",
    layouts=("videos/<clip> and annotations.csv (clip,label,key_frame,...) or votes.csv",),
    variants=(
        Variant(name="own", scheme="fg33", about="your own clips"),
        Variant(name="units", scheme="none", about="your own clips with action units, without classes"),
        Variant(name="paper", scheme="fg33", about="the paper's data set", totals={WHOLE: 1491}),
    ),
    totals_source="paper, table I: 825 + 275 + 391 clips",
    is_own=True,
)


def list_clips(root: Path, variant: str = "own") -> list[ClipEntry]:
    """All clips of the data set, ordered by id; faults of a clip are in its ``problem``.

    Args:
        root: Folder with the layout above.
        variant: ``"own"``, ``"paper"`` or ``"units"``.

    Raises:
        DatasetError: If the folder or its tables are not as described.
    """
    with collector_paused():  # rows and votes hold no cycles, and there may be millions
        return _listed(root, variant)


def _listed(root: Path, variant: str) -> list[ClipEntry]:
    if not root.is_dir():
        layout = _UNIT_LAYOUT if variant == "units" else LAYOUT
        raise DatasetError(f"no folder {root}", f"give the data set's folder with --data-root; {layout}")
    annotations = read_annotations(root / ANNOTATIONS, required={"clip"})
    votes = read_annotations(root / VOTES, required={"clip", "annotator", "label"})
    is_bare = variant == "units"
    if annotations is None and votes is None and not (is_bare and _unit_table.has_units(root)):
        if is_bare:
            raise DatasetError(f"{root} holds no {UNIT_TABLE} and no {UNIT_FOLDER}/", _UNIT_LAYOUT)
        raise DatasetError(f"{root} holds neither {ANNOTATIONS} nor {VOTES}", f"{LAYOUT}; {_UNLABELLED}")
    if votes is None and not is_bare:
        _refuse_misspelt_label(annotations or [], root / ANNOTATIONS)
    selection = read_selection(root / SELECTION)
    files = ClipFiles(root, VIDEOS)
    annotated = _by_clip(annotations or [], files)
    voted = _by_clip(votes or [], files)
    selected = _by_clip(confirmed(selection or []), files)
    parts = parts_of({row.get("split", "") for row in annotations or []})
    names = sorted({*annotated, *voted})
    entries = [
        _entry(
            _one_file(name, [*annotated.get(name, []), *voted.get(name, []), *selected.get(name, [])], files),
            annotated.get(name, []),
            voted.get(name, []),
            selected.get(name, []) if selection is not None else None,
            parts,
        )
        for name in names
    ]
    entries += [
        ClipEntry(
            clip_id=name, path=name, problem=("unknown_clip", f"{SELECTION} names it, the annotations do not")
        )
        for name in sorted(selected.keys() - {*names})
    ]
    if is_bare:
        entries = [replace(entry, label=None, votes=()) for entry in entries]
    else:
        entries = with_gold(entries, root, files)
    if _unit_table.has_units(root):
        units = _unit_table.read_units(root, lambda name: files.meant(name).clip_id)
        others = units.named - {entry.clip_id for entry in entries}
        if is_bare and annotations is None and votes is None:
            entries = [_unit_entry(files.find(name)) for name in others]
            others = set()
        entries = _unit_table.with_units(entries, units, others)
    return sorted(entries, key=lambda entry: entry.clip_id)


def notes(root: Path) -> list[str]:
    """Messages on the tables: ignored columns, one line per table, and clips whose subject is given as
    unknown.

    Args:
        root: Folder with the layout above, which :func:`list_clips` can read.
    """
    lines = []
    for name, columns_read in COLUMNS.items():
        path = root / name
        if not path.is_file():
            continue
        with open_text(path) as file:
            columns = column_names(row_reader(file)[0])
        odd = [column for column in columns if column not in columns_read]
        if odd:
            ignored = [with_nearest(column, columns_read, columns) for column in odd]
            are = "column is" if len(odd) == 1 else "columns are"
            lines.append(f"warning: {name}: {len(odd)} {are} ignored: {first_few(ignored)}")
    lines += struck_note(read_selection(root / SELECTION) or [])
    rows = read_annotations(root / ANNOTATIONS, required={"clip"}) or []
    return [*lines, *unknown_persons(ANNOTATIONS, (row.get("subject", "") for row in rows))]


def action_units(root: Path) -> Iterator[AuRow]:
    """Labels of action units: those of ``action_units.csv``, else the truth of the drawn data set.

    Args:
        root: Folder with the layout above.

    Raises:
        DatasetError: If the data set has no such labels, or its table is damaged.
    """
    if not _unit_table.has_units(root):
        return _drawn_truth.action_units(root)
    files = ClipFiles(root, VIDEOS)
    return iter(_unit_table.read_units(root, lambda name: files.meant(name).clip_id))


def unit_source(root: Path) -> UnitSource:
    """Origin of the labels of ``action_units.csv``, if there is one.

    Args:
        root: Folder with the layout above.

    Raises:
        DatasetError: If the table cannot be read.
    """
    if not _unit_table.has_units(root):
        return PEOPLE
    files = ClipFiles(root, VIDEOS)
    return _unit_table.read_units(root, lambda name: files.meant(name).clip_id).source


def _unit_entry(file: NamedFile) -> ClipEntry:
    """Entry of a clip that only the table of action units names."""
    return ClipEntry(clip_id=file.clip_id, path=file.path, problem=file.problem)


def _one_file(name: str, rows: list[Mapping[str, str]], files: ClipFiles) -> NamedFile:
    """The file that the rows of a clip name."""
    named = {(file := files.find(row["clip"])).path: file for row in rows}
    first = named[min(named)]
    if len(named) == 1 or first.problem is not None:
        return first
    detail = f"the tables name different files by it: {', '.join(sorted(named))}; rename one of them"
    return NamedFile(clip_id=name, path=first.path, problem=("duplicate_id", detail))


def _entry(
    file: NamedFile,
    annotated: list[Mapping[str, str]],
    votes: list[Mapping[str, str]],
    selected: list[Mapping[str, str]] | None,
    parts: Mapping[str, str],
) -> ClipEntry:
    if len(annotated) > 1:
        lines = ", ".join(row["_line"] for row in annotated)
        spelled = list(dict.fromkeys(row["clip"] for row in annotated))
        several = f" as {', '.join(map(repr, spelled))}" if len(spelled) > 1 else ""
        problem = ("duplicate_id", f"{ANNOTATIONS} names it in lines {lines}{several}")
        return ClipEntry(clip_id=file.clip_id, path=file.path, problem=problem)
    row = annotated[0] if annotated else {}
    read: dict[str, Any] = {}
    fault = file.problem
    try:
        read["split"] = part_of(row, parts)
        read["votes"] = tuple(map(vote_of, votes))
        frames = None
        if selected is not None:
            frames = tuple(sorted({integer(item, "frame", SELECTION) for item in selected}))
        read |= {
            "key_frame": optional_integer(row, "key_frame", ANNOTATIONS),
            "confidence": fraction(row, ANNOTATIONS),
            "fps": rate_of(row, ANNOTATIONS),
            "selected_frames": frames,
        }
    except BadCellError as error:
        fault = fault or ("bad_annotation", str(error))
    # Annotations of an unusable clip count: it may be one that has to be predicted.
    return ClipEntry(
        clip_id=file.clip_id,
        path=file.path,
        label=row.get("label") or None,
        subject_id=person(row.get("subject", "")),
        source_id=row.get("source") or None,
        problem=fault,
        **read,
    )


def _refuse_misspelt_label(rows: Sequence[Mapping[str, str]], path: Path) -> None:
    """Raise if there is no column of labels, but one with a similar name or meaning."""
    columns = [column for column in (rows[0] if rows else ()) if column != "_line"]
    meant = [column for column in columns if MEANT.get(column) == "label"]
    near = (meant or get_close_matches("label", columns, n=1)) if "label" not in columns else []
    if near:
        raise DatasetError(
            f"{path} has no column label (it has: {first_few(columns)}), did you mean {near[0]}?",
            f"name the column label, or bring {VOTES}",
        )


def _by_clip(rows: list[Mapping[str, str]], files: ClipFiles) -> dict[str, list[Mapping[str, str]]]:
    rows_of: dict[str, list[Mapping[str, str]]] = defaultdict(list)
    for row in rows:
        rows_of[files.find(row["clip"]).clip_id].append(row)
    return rows_of
