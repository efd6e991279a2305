"""Adapter of plain folders: the name of a folder is the class of what lies in it.

Layouts::

    <class>/<file>
    <part>/<class>/<file>       parts: train, val (valid, validation), test

A file is a picture or a video; a folder of pictures in the place of a file is a clip whose frames they are.
Labels: the names of the folders in lower case (label set ``free``), unless the recipe names a label set.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from fgbench.datasets._card import Card, Variant
from fgbench.datasets._folders import (
    file_names,
    layout_error,
    pictures,
    prefix,
    stem,
    subfolders,
)
from fgbench.errors import DatasetError
from fgbench.media_kinds import is_picture, is_video
from fgbench.records import ClipEntry

_PARTS = {"train": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}
_LAYOUT = ("<class>/<file>", "<part>/<class>/<file> with the parts train, val, test")

CARD = Card(
    title="Your own pictures or clips in folders",
    kind="image",
    licence="yours",
    citation="none",
    request="no one: these are your own files",
    protocol="parts of the folders; without them the recipe divides clip by clip",
    layouts=_LAYOUT,
    variants=(Variant(scheme="free"),),
)


def list_clips(root: Path) -> list[ClipEntry]:
    """Pictures, clips and folders of pictures, ordered by id (the path without suffix).

    Args:
        root: Folder with one of the layouts above.

    Raises:
        DatasetError: If it has neither, or names of parts stand beside names of classes.
    """
    top = subfolders(root)
    if not top:
        raise layout_error(f"{root} has no folders", _LAYOUT)
    parts = {name: part for name in top if (part := _PARTS.get(name.lower()))}
    if parts and len(parts) < len(top):
        other = min(top.keys() - parts.keys())
        raise DatasetError(
            f"{root} has the folder {min(parts)!r}, a part, beside {other!r}, a class",
            f"expected layout: {'; or '.join(_LAYOUT)}",
        )
    found: list[ClipEntry] = []
    for name, folder in top.items():
        classes = subfolders(folder) if parts else {name: folder}
        if parts and not classes:
            raise layout_error(f"{folder} has no folders of classes", _LAYOUT)
        for label, inner in classes.items():
            found.extend(_entries(root, inner, label, parts.get(name)))
    if not found:
        raise layout_error(f"{root} has no pictures or videos in its folders", _LAYOUT)
    return sorted(found, key=lambda entry: entry.clip_id)


def _entries(root: Path, folder: Path, label: str, part: str | None) -> Iterator[ClipEntry]:
    before = prefix(folder, root)
    for name in file_names(folder):
        if is_picture(name) or is_video(name):
            yield ClipEntry(
                clip_id=before + stem(name),
                path=before + name,
                label=label,
                key_frame=0 if is_picture(name) else None,
                split=part,
            )
    for name, inner in subfolders(folder).items():
        if pictures(inner):
            yield ClipEntry(clip_id=before + name, path=before + name, label=label, split=part)
