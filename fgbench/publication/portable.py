"""Entries, rejects and recipes as they mean the same on another machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from fgbench.publication.scrubbing import Scrubber
from fgbench.publication.source_files import is_below
from fgbench.records import ClipEntry

OUTSIDE = "outside-the-data-set"
"""Path of an entry whose own leads out of the data set: it is rejected wherever it is made again."""

_OUTSIDE_REASON = "path_outside_root"


def portable_entry(entry: ClipEntry, scrub: Scrubber) -> ClipEntry:
    """An entry without folders of this machine.

    Args:
        entry: As the data set lists it.
        scrub: Takes the folders out.
    """
    path, problem = entry.path, entry.problem
    if not is_below(path):
        detail = f"path {scrub.text(path)!r} leads out of the data set's folder"
        path, problem = OUTSIDE, problem or (_OUTSIDE_REASON, detail)
    return replace(
        entry,
        clip_id=scrub.text(entry.clip_id),
        path=path,
        problem=None if problem is None else (problem[0], scrub.text(problem[1])),
    )


def portable_reject(row: Mapping[str, Any], scrub: Scrubber) -> dict[str, Any]:
    """A row of the rejects without folders of this machine.

    Args:
        row: As the manifests have it.
        scrub: Takes the folders out.
    """
    return {**row, "id": scrub.text(row["id"]), "detail": scrub.text(row["detail"] or "")}


def portable_recipe(recipe: Mapping[str, Any], scrub: Scrubber) -> dict[str, Any]:
    """A recipe that names its model file without the folder, which is one of this machine.

    Args:
        recipe: The recipe as plain values.
        scrub: Takes the folders out.
    """
    told = dict(recipe)
    faces = dict(told.get("faces") or {})
    if faces.get("detector_model"):
        told["faces"] = {**faces, "detector_model": Path(faces["detector_model"]).name}
    found: dict[str, Any] = scrub.value(told)
    return found
