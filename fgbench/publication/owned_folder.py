"""Folders that a user names for many files, with folders inside: new, empty, or written by the same command.

The sealed file ``.fgbench-files.json`` lists what was written and by which command. Only listed files are
replaced or deleted, and nothing is written or deleted through links.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from pathlib import Path

from fgbench import storage
from fgbench.errors import ConfigError, ResourceError
from fgbench.publication.folder_checks import names_in, noted_files, refuse_linked, shown_names
from fgbench.publication.listed_paths import check_paths, is_below
from fgbench.workfolders.output_folders import LIST
from fgbench.workfolders.sealed_json import write_sealed

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
        refuse_linked(self.folder, names, "move it away, or choose another folder")
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
    check_paths(
        names,
        origin,
        root="the folder",
        if_outside="nothing was written: do not use it, whoever made it wants files elsewhere written",
        if_both="rename one of the two",
    )


def _ours(folder: Path, kind: str) -> set[str]:
    names = names_in(folder, _OTHER)
    if not names:
        return set()
    listed = noted_files(folder / LIST, kind, is_below)
    if listed is None:
        raise ConfigError(
            f"{folder} is not empty, and no list in it says that it holds {kind} of fgbench: it holds "
            f"{shown_names(names)}; nothing was changed",
            _OTHER,
        )
    return listed
