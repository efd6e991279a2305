"""Alignment of the faces of a work folder in their pictures, and whether they are grey.

Reads the recipe that the work folder was prepared with, and some of its faces. Results and weights store it:
a network trained on faces of one geometry finds chin, mouth and eyes elsewhere in those of another.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from fgbench.config import FacesConfig
from fgbench.errors import ManifestError, MediaError
from fgbench.media.images import decode
from fgbench.storage import read_rows
from fgbench.workfolders.folder import RUN_FILE, published_recipe
from fgbench.workfolders.layout import MANIFESTS

FACE_ORIGIN = "faces"
"""Key of the metadata of weights, and of the details of a result: ``align``, ``geometry`` and ``padding``
as in a recipe, and ``grey``."""

FACES_MARK = "faces: "
"""Beginning of notes on faces that differ, or may differ, from those trained on."""

_FILES, _PER_FILE = 8, 8
_GREY_LEVELS = 2  # largest difference of the channels of a grey picture after encoding


def faces_of(workdir: Path) -> dict[str, Any] | None:
    """Preparation of the faces of a work folder, as plain values; ``None`` if unknown.

    ``grey`` is whether 64 of its pictures, spread over the tables, are all without colour; copies do not
    count, as their noise has some.

    Raises:
        ManifestError: If its recipe or its faces are damaged.
    """
    if not (workdir / RUN_FILE).is_file():
        return None
    recipe = published_recipe(workdir)
    try:
        config = FacesConfig.model_validate(recipe.get("faces") or {})
    except ValidationError as error:
        raise ManifestError(
            f"the recipe of {workdir} does not tell how faces are aligned", "run fgbench prepare again"
        ) from error
    origin = config.model_dump(mode="json", include={"align", "geometry", "padding"})
    return {**origin, "grey": _are_grey(workdir / MANIFESTS)}


def face_notes(details: Mapping[str, Any]) -> list[str]:
    """Sentences on faces that differ, or may differ, from those that a network was trained on.

    Args:
        details: Details of a result of action units or of classes.
    """
    notes = (note for note in details.get("notes", ()) if note.startswith(FACES_MARK))
    return [f"{note[0].upper()}{note[1:]}." for note in notes]


def have_other_geometry(first: Mapping[str, Any], second: Mapping[str, Any]) -> bool:
    """Whether the geometry of faces differs; faces that are never aligned have no geometry."""
    if "never" in (first["align"], second["align"]):
        return False
    return (first["geometry"], first["padding"]) != (second["geometry"], second["padding"])


def geometry_words(faces: Mapping[str, Any]) -> str:
    """A geometry in words."""
    padding = "" if faces["padding"] is None else f" (padding {faces['padding']:g})"
    return f"geometry {faces['geometry']}{padding}"


def geometry_keys(faces: Mapping[str, Any]) -> str:
    """Keys of a recipe that give a geometry."""
    padding = "" if faces["padding"] is None else f", padding: {faces['padding']:g}"
    return f"geometry: {faces['geometry']}{padding}"


def _are_grey(manifests: Path) -> bool:
    seen = 0
    for data in _some_pictures(manifests):
        try:
            levels = decode(data).astype(np.int16)
        except MediaError:
            continue  # reported where it is read for a network
        if np.ptp(levels, axis=2).max() > _GREY_LEVELS:
            return False
        seen += 1
    return seen > 0


def _some_pictures(manifests: Path) -> Iterator[bytes]:
    """Encoded originals of the image set, or faces where it is empty."""
    for table, key in (("images", "parent_id"), ("faces", None)):
        paths = sorted((manifests / table).glob("*.parquet"))
        is_empty = True
        for path in paths[:: max(1, len(paths) // _FILES)]:
            rows = read_rows(path, ["image", *([] if key is None else [key])])
            pictures = (row["image"] for row in rows if key is None or row[key] is None)
            for picture in islice((one for one in pictures if one is not None), _PER_FILE):
                is_empty = False
                yield picture["bytes"]
        if not is_empty:
            return
