"""Files deleted by the names that a file of their folder lists, never through a link."""

from __future__ import annotations

import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path, PurePosixPath

from fgbench.errors import ManifestError
from fgbench.files.file_errors import explained


def remove_listed(folder: Path, names: Iterable[str]) -> int:
    """Delete files of a folder by their names, which may come from an untrusted file.

    A link is deleted itself, its target is not. Missing files, and folders, are left alone.

    Args:
        folder: The folder.
        names: Paths below it, with ``/``.

    Returns:
        Number of deleted files.

    Raises:
        ManifestError: If a name leads out of the folder, by its parts or by a link; then nothing is deleted.
        ResourceError: If a file may not be deleted.
    """
    paths = [_listed(folder, name) for name in names]
    removed = 0
    for path in paths:
        with explained(path), suppress(FileNotFoundError):
            if not stat.S_ISDIR(path.lstat().st_mode):
                path.unlink()
                removed += 1
    return removed


def _listed(folder: Path, name: str) -> Path:
    parts = PurePosixPath(name).parts
    if not parts or name.startswith("/") or ".." in parts or "\0" in name or Path(name).is_absolute():
        raise ManifestError(
            f"{folder} is said to hold {name!r}, expected the name of a file below it",
            "delete the file that lists it, and run the command again",
        )
    path = folder.joinpath(*parts)
    for above in (folder, *(folder.joinpath(*parts[:depth]) for depth in range(1, len(parts)))):
        if above.is_symlink():
            raise ManifestError(
                f"{above} is a link, expected a folder: nothing is deleted behind it", "remove the link"
            )
    return path
