"""Folders that a user names for many files, with folders inside: new, empty, or written by the same command.

The sealed file ``.fgbench-files.json`` lists what was written and by which command. Only listed files are
replaced or deleted, and nothing is written or deleted through links.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from pathlib import Path, PurePosixPath

from fgbench import storage
from fgbench.errors import ConfigError, ManifestError, ResourceError
from fgbench.publication.source_files import is_below
from fgbench.workfolders.output_folders import LIST
from fgbench.workfolders.sealed_json import read_sealed, write_sealed

_SYSTEM = frozenset({".DS_Store", "Thumbs.db", "desktop.ini", "lost+found"})
_OTHER = "choose an empty folder, a new one, or one that the same command has written"


class OwnedFolder:
    """A folder whose files are those of one command.

    Args:
        folder: The folder; made with the first file.
        kind: What the command writes, e.g. ``"faces as openface"``.

    Raises:
        ConfigError: If it holds anything but files of this kind; nothing in it is changed.
        ResourceError: If it is a file or a link, or cannot be read.
    """

    def __init__(self, folder: Path, kind: str) -> None:
        self.folder = folder
        self._kind = kind
        self._ours = _ours(folder, kind)

    def begin(self, names: Collection[str]) -> None:
        """Note the names of files, before any of them is written.

        Args:
            names: POSIX paths below the folder.

        Raises:
            ResourceError: If one would replace a file that fgbench has not written, or lie behind a link.
        """
        folders = {str(parent) for name in names for parent in PurePosixPath(name).parents}
        for name in sorted(folders - {"."}):
            path = self.folder / name
            if path.is_symlink() or (path.exists() and not path.is_dir()):
                raise ResourceError(
                    f"{path} is a link or a file, expected a folder: nothing is written behind it",
                    "move it away, or choose another folder",
                )
        for name in sorted(set(names) - self._ours):
            if os.path.lexists(self.folder / name):
                raise ResourceError(
                    f"{self.folder / name} would be replaced, and fgbench has not written it",
                    "move it away, or choose another folder",
                )
        self._ours |= set(names)
        self._write()

    def end(self, names: Collection[str]) -> None:
        """Delete files of an earlier run that were not written again, and list the others.

        Args:
            names: The files that were written.

        Raises:
            ResourceError: If that is not possible.
        """
        storage.remove_listed(self.folder, sorted(self._ours - set(names)))
        self._ours = set(names)
        self._write()

    def _write(self) -> None:
        write_sealed(self.folder / LIST, {"kind": self._kind, "files": sorted(self._ours)})


def check_names(names: Iterable[str], origin: str) -> None:
    """Raise a ManifestError if files of these names cannot lie side by side below a folder.

    Args:
        names: POSIX paths.
        origin: What lists them, for messages.
    """
    listed = set(names)
    for name in sorted(listed):
        if not is_below(name):
            raise ManifestError(
                f"{origin} lists {name!r}, expected the path of a file below the folder",
                "nothing was written: do not use it, whoever made it wants files elsewhere written",
            )
        above = next((str(one) for one in PurePosixPath(name).parents if str(one) in listed), None)
        if above is not None:
            raise ManifestError(
                f"{origin} lists {above!r} both as a file and as the folder of {name!r}",
                "rename one of the two",
            )


def _ours(folder: Path, kind: str) -> set[str]:
    if folder.is_symlink():
        raise ResourceError(
            f"{folder} is a link, expected a folder: links are not followed", "name its target"
        )
    try:
        with storage.readable(folder):
            names = sorted(path.name for path in folder.iterdir() if path.name not in _SYSTEM)
    except FileNotFoundError:
        return set()
    except NotADirectoryError as error:
        raise ResourceError(f"{folder} is a file, or lies below one; expected a folder", _OTHER) from error
    if not names:
        return set()
    listed = _listed(folder / LIST, kind)
    if listed is None:
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        raise ConfigError(
            f"{folder} is not empty, and no list in it says that it holds {kind} of fgbench: it holds "
            f"{', '.join(map(repr, names[:3]))}{more}; nothing was changed",
            _OTHER,
        )
    return listed


def _listed(path: Path, kind: str) -> set[str] | None:
    if path.is_symlink():
        return None
    try:
        content = read_sealed(path)
    except (FileNotFoundError, ManifestError):
        return None
    files = content.get("files")
    if content.get("kind") != kind or not isinstance(files, list):
        return None
    return {name for name in files if isinstance(name, str) and is_below(name)}
