"""Checks of a folder that a user names, before files are written into it. Reads names and lists alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path, PurePosixPath

from fgbench import storage
from fgbench.errors import ManifestError, ResourceError
from fgbench.workfolders.sealed_json import read_sealed

_SYSTEM = frozenset({".DS_Store", "Thumbs.db", "desktop.ini", "lost+found"})
"""Files that systems put into folders by themselves."""


def refuse_linked(folder: Path, names: Iterable[str], hint: str) -> None:
    """Raise a ResourceError if a folder of one of the files is a link or a file.

    Args:
        folder: Root of the files.
        names: POSIX paths from there.
        hint: Advice.
    """
    parents = {parent for name in names for parent in PurePosixPath(name).parents}
    for path in (folder / parent for parent in sorted(parents)):
        if path.is_symlink() or (path.exists() and not path.is_dir()):
            raise ResourceError(
                f"{path} is a link or a file, expected a folder: nothing is written behind it", hint
            )


def names_in(folder: Path, hint: str) -> list[str]:
    """Return the names in a folder that a user names for output, without those that systems put there.

    Args:
        folder: The folder; without it there are none.
        hint: Advice where it is no folder.

    Raises:
        ResourceError: If it is a file or a link, or cannot be read.
    """
    if folder.is_symlink():
        raise ResourceError(
            f"{folder} is a link, expected a folder: links are not followed", "name its target"
        )
    try:
        with storage.readable(folder):
            return sorted(path.name for path in folder.iterdir() if path.name not in _SYSTEM)
    except FileNotFoundError:
        return []
    except NotADirectoryError as error:
        raise ResourceError(f"{folder} is a file, or lies below one; expected a folder", hint) from error


def shown_names(names: Sequence[str]) -> str:
    """Return the first names in a folder, and how many more there are, for messages."""
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"{', '.join(map(repr, names[:3]))}{more}"


def noted_files(path: Path, kind: str, is_name: Callable[[str], bool]) -> set[str] | None:
    """Return the files that a sealed list names; ``None`` if there is no list of this kind, or a link.

    Args:
        path: The list.
        kind: What it lists the files of.
        is_name: Whether a name can be one; others are left out.
    """
    if path.is_symlink():
        return None
    try:
        content = read_sealed(path)
    except (FileNotFoundError, ManifestError):
        return None
    files = content.get("files")
    if content.get("kind") != kind or not isinstance(files, list):
        return None
    return {name for name in files if isinstance(name, str) and is_name(name)}
