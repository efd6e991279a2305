"""Entries, rejects and recipes in a form that means the same on another machine."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from fgbench.printable import cell_of, text_of
from fgbench.publication.listed_paths import is_below
from fgbench.publication.scrubbing import Scrubber
from fgbench.records import ClipEntry

OUTSIDE = "outside-the-data-set"
"""Path of an entry that leads out of the data set, and start of its id; a rebuild rejects it again."""

_OUTSIDE_REASON = "path_outside_root"


def portable_entry(entry: ClipEntry, scrub: Scrubber) -> ClipEntry:
    """Return an entry without folders of this machine.

    Args:
        entry: The entry as the data set lists it.
        scrub: Removes the folders.
    """
    clip_id, path, problem = entry.clip_id, entry.path, entry.problem
    if not is_below(path):
        detail = f"path {scrub.text(path)!r} leads out of the data set's folder"
        clip_id, path, problem = outside_id(clip_id), OUTSIDE, problem or (_OUTSIDE_REASON, detail)
    return replace(
        entry,
        clip_id=clip_id,
        path=path,
        problem=None if problem is None else (problem[0], scrub.text(problem[1])),
    )


def outside_id(clip_id: str) -> str:
    """Return the id of an entry that leads out of the data set: its last name, without the folders.

    Args:
        clip_id: Its id on this machine.
    """
    digest = hashlib.sha256(clip_id.encode("utf-8", "surrogateescape")).hexdigest()
    return f"{OUTSIDE}/{digest[:12]}-{clip_id.rpartition('/')[2]}"


def portable_reject(row: Mapping[str, Any], outside: Collection[str], scrub: Scrubber) -> dict[str, Any]:
    """Return a row of the rejects without folders of this machine.

    Args:
        row: The row of the manifests.
        outside: Ids of entries that lead out of the data set.
        scrub: Removes the folders.
    """
    clip_id = outside_id(row["id"]) if row["id"] in outside else row["id"]
    return {**row, "id": clip_id, "detail": scrub.text(row["detail"] or "")}


def portable_table(text: str, outside: Collection[str]) -> str:
    """Return a CSV table of fgbench, whose first column is an id, without folders of this machine.

    Args:
        text: The table.
        outside: Ids of entries that lead out of the data set.
    """
    rows = list(csv.reader(io.StringIO(text, newline="")))
    if not any(row and text_of(row[0]) in outside for row in rows):
        return text
    portable = io.StringIO()
    writer = csv.writer(portable, lineterminator="\n")
    for row in rows:
        is_outside = bool(row) and text_of(row[0]) in outside
        writer.writerow([cell_of(outside_id(text_of(row[0]))), *row[1:]] if is_outside else row)
    return portable.getvalue()


def portable_recipe(recipe: Mapping[str, Any], scrub: Scrubber) -> dict[str, Any]:
    """Return a recipe without folders of this machine; of its model file it keeps the name.

    Args:
        recipe: The recipe as plain values.
        scrub: Removes the folders.
    """
    faces = dict(recipe.get("faces") or {})
    if faces.get("detector_model"):
        faces["detector_model"] = Path(faces["detector_model"]).name
        recipe = {**recipe, "faces": faces}
    portable: dict[str, Any] = scrub.value(recipe)
    return portable
