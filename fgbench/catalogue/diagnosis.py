"""Contents of a folder that an adapter cannot read, and the recipe that can, for the error message.

Lists folders; opens no picture and no video.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path, PurePosixPath

from fgbench.datasets import fg_emotions
from fgbench.datasets._parts import parts_of
from fgbench.datasets._tree import FILE, everything
from fgbench.errors import DatasetError
from fgbench.media.kinds import is_picture, is_video
from fgbench.naming import first_few, shown
from fgbench.taxonomy import is_usual_label

OWN_TABLES = ("annotations.csv", "votes.csv")
"""Tables in the layout of users' own clips."""

_OWN = ("fg_emotions", "fg-emotions")
_SHOWN = 6


def with_what_is_there(error: DatasetError, root: Path, adapter: str) -> DatasetError:
    """Return a layout error with the contents of the folder added.

    Args:
        error: Error of the adapter.
        root: The folder.
        adapter: Name of the adapter.

    Returns:
        ``error`` itself if the folder cannot be listed, or holds neither pictures nor videos.
    """
    try:
        paths = [item.path for item in everything(root) if item.kind == FILE]
    except OSError:
        return error
    kinds = {"pictures": is_picture, "videos": is_video}
    counts = {what: sum(map(is_one, paths)) for what, is_one in kinds.items()}
    media = [path for path in paths if is_picture(path) or is_video(path)]
    if not media:
        return error
    folders = Counter(str(PurePosixPath(path).parent) for path in media)
    contents = " and ".join(f"{count:,} {what}" for what, count in counts.items() if count)
    named = first_few([f"{shown(name)} {count:,}" for name, count in sorted(folders.items())], _SHOWN)
    advice = _advice(root, folders, paths, adapter)
    hint = "; ".join(part for part in (error.hint, advice) if part)
    return DatasetError(f"{error.message}; it holds {contents}, by folder: {named}", hint)


def recipe_of_tables(root: Path, adapter: str) -> str | None:
    """The recipe to prepare folders of classes with where there are tables of labels that it does not read.

    Args:
        root: The folder, which the adapter can read.
        adapter: Name of the adapter.

    Returns:
        ``"default"``; ``None`` of another adapter, and where no table gives a label to a file of the folder.
    """
    if adapter != "folder" or not any((root / name).is_file() for name in OWN_TABLES):
        return None
    try:
        entries = fg_emotions.list_clips(root)
    except DatasetError:
        return None
    is_read = any((entry.label or entry.votes) and not entry.problem for entry in entries)
    return "default" if is_read else None


def _advice(root: Path, folders: Counter[str], paths: list[str], adapter: str) -> str:
    """Sentence on the recipe that reads such a folder; empty if there is none."""
    if adapter not in _OWN and any(name in paths for name in OWN_TABLES):
        return f"it is laid out as the recipe default reads it: fgbench check default --root {root}"
    if adapter == "folder":
        return ""
    by_parent: dict[PurePosixPath, list[str]] = {}
    for name in folders:
        path = PurePosixPath(name)
        by_parent.setdefault(path.parent, []).append(path.name)
    for parent, names in sorted(by_parent.items(), key=lambda item: item[0].parts):
        class_names = [name for name in names if is_usual_label(name)]
        if len(class_names) > 1:
            base = root / (parent.parent if parts_of([parent.name]) else parent)
            return (
                f"its folders are named as classes ({first_few(sorted(class_names), _SHOWN)}), as the recipe "
                f"folder reads them: fgbench check folder --root {base}"
            )
    return ""
