"""The folder that a publication is written into: new, empty, or an earlier publication of the same data set.

Only files that its index lists are replaced or deleted, and links are not followed.
"""

from __future__ import annotations

from pathlib import Path

from fgbench import storage
from fgbench.errors import ConfigError, ManifestError, ResourceError
from fgbench.publication import layout
from fgbench.publication.folder_checks import names_in, noted_files, shown_names
from fgbench.workfolders.sealed_json import discard, write_sealed

_OTHER = "choose an empty folder, a new one, or an earlier publication of the same data set"


class Target:
    """Folder that a publication is being written into.

    Args:
        folder: The folder.
        ours: Names of the files in it that an earlier publication wrote.
    """

    def __init__(self, folder: Path, ours: frozenset[str]) -> None:
        self.folder = folder
        self._ours = set(ours)

    def begin(self, names: set[str]) -> None:
        """Note the names of files, before any of them is written.

        Raises:
            ResourceError: If one would replace a file that fgbench has not written, or lie behind a link.
        """
        for name in sorted(names):
            path = self.folder / name
            if path.parent.is_symlink():
                raise ResourceError(
                    f"{path.parent} is a link, expected a folder: nothing is written behind it",
                    "remove the link",
                )
            if name not in self._ours and (path.exists() or path.is_symlink()):
                raise ResourceError(
                    f"{path} would be replaced, and fgbench has not written it: no index lists it",
                    "move it away, and run the same command again",
                )
        self._ours |= names
        write_sealed(self.folder / layout.PREVIOUS, {"kind": layout.KIND, "files": sorted(self._ours)})
        discard(self.folder / layout.INDEX)

    def end(self, index: layout.Index) -> None:
        """Delete files of the earlier publication that were not written again, and write the index.

        Raises:
            ResourceError: If that is not possible.
        """
        storage.remove_listed(self.folder, sorted(self._ours - index.files.keys()))
        write_sealed(self.folder / layout.INDEX, index.model_dump(mode="json"))
        discard(self.folder / layout.PREVIOUS)


def target_for(folder: Path, dataset: str) -> Target:
    """Return a folder that a publication may be written into.

    Args:
        folder: The folder; made with the first file.
        dataset: Name of the data set.

    Raises:
        ConfigError: If it holds anything but an earlier publication of the same data set; nothing in it is
            changed.
        ResourceError: If it is a file or a link, or cannot be read.
    """
    return Target(folder, _ours(folder, names_in(folder, _OTHER), dataset))


def _ours(folder: Path, names: list[str], dataset: str) -> frozenset[str]:
    """Return the files of an earlier publication, by its index or by the list of an interrupted one."""
    written: set[str] = set()
    is_ours = not names
    if layout.INDEX in names:
        try:
            index = layout.read_index(folder)
        except ManifestError as error:
            raise ConfigError(
                f"{folder} may not be replaced: {error.message}; nothing was changed", _OTHER
            ) from error
        if index.dataset != dataset:
            raise ConfigError(
                f"{folder} is a publication of {index.dataset!r}, not of {dataset!r}; nothing was changed",
                _OTHER,
            )
        written |= index.files.keys()
        is_ours = True
    if layout.PREVIOUS in names:
        noted = noted_files(folder / layout.PREVIOUS, layout.KIND, layout.is_name)
        written |= noted or set()
        is_ours = is_ours or noted is not None
    if not is_ours:
        raise ConfigError(
            f"{folder} is no publication of fgbench, and not empty: it holds "
            f"{shown_names(names)}; nothing was changed",
            _OTHER,
        )
    return frozenset(written)
