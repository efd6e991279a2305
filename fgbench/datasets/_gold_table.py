"""``gold.csv``: clips with known answers, mixed among the others to test annotators (not in the paper)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from fgbench.datasets._annotation_table import (
    GOLD,
    BadCellError,
    optional_integer,
    read_annotations,
)
from fgbench.datasets._clip_files import ClipFiles
from fgbench.records import ClipEntry


def with_gold(entries: Sequence[ClipEntry], root: Path, files: ClipFiles) -> list[ClipEntry]:
    """Entries with the known answers of ``gold.csv``; unchanged without such a table.

    A clip that it names twice, without a label or with a bad key frame is rejected, and so is one that is not
    among the entries. Whether a label is a class is checked where the classes are known
    (:mod:`fgbench.catalogue.listing`).

    Args:
        entries: The clips of the data set.
        root: Its folder.
        files: Its files.

    Raises:
        DatasetError: If the table cannot be read.
    """
    rows = read_annotations(root / GOLD, required={"clip", "label"}, with_clips=True)
    if rows is None:
        return list(entries)
    rows_of: dict[str, list[Mapping[str, str]]] = defaultdict(list)
    for row in rows:
        rows_of[files.find(row["clip"]).clip_id].append(row)
    known = {entry.clip_id for entry in entries}
    absent = [
        ClipEntry(
            clip_id=name, path=name, problem=("unknown_clip", f"{GOLD} names it, the annotations do not")
        )
        for name in sorted(rows_of.keys() - known)
    ]
    return [_with_answer(entry, rows_of.get(entry.clip_id, [])) for entry in entries] + absent


def _with_answer(entry: ClipEntry, rows: Sequence[Mapping[str, str]]) -> ClipEntry:
    if not rows:
        return entry
    lines = ", ".join(row["_line"] for row in rows)
    problem = None
    if len(rows) > 1:
        problem = ("duplicate_id", f"{GOLD} names it in lines {lines}; keep one of them")
    elif not rows[0]["label"]:
        problem = ("bad_annotation", f"{GOLD} line {lines} has no label, expected the known answer")
    else:
        try:
            optional_integer(rows[0], "key_frame", GOLD)
        except BadCellError as error:
            problem = ("bad_annotation", str(error))
    if problem is not None:
        return replace(entry, problem=entry.problem or problem)
    return replace(entry, gold_label=rows[0]["label"])
