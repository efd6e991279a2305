"""Folders of data sets as they come: names in any case, wrapped in further folders, with stray files.

Lists folders; each is listed once per call. Everything is sorted: no order is the file system's.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from fgbench.datasets._parts import check_different, parts_of
from fgbench.datasets._tree import FILE, FOLDER, LINK_LOOP, ODD, OWN_FOLDER, is_hidden, kind_of, leads_up
from fgbench.errors import DatasetError
from fgbench.media.kinds import is_frame
from fgbench.media.picture_files import natural_key

_WIDEST = 64
"""A folder with more folders than this is data, and no wrapping of a data set."""


def layout_error(found: str, layouts: Sequence[str]) -> DatasetError:
    """The error of a folder that is not laid out as it should be.

    Args:
        found: What is wrong, with the path.
        layouts: The layouts that are read.
    """
    return DatasetError(found, f"expected layout: {'; or '.join(layouts)}")


def subfolders(folder: Path) -> dict[str, Path]:
    """Folders inside a folder by name, in natural order.

    Hidden ones are passed over, and so are links to a folder that they lie in.

    Raises:
        DatasetError: If there is no such folder.
    """
    there = (item for item in _scan(folder) if not is_hidden(item.name) and item.name != OWN_FOLDER)
    names = sorted((item.name for item in there if _is_folder(item)), key=natural_key)
    return {name: folder / name for name in names}


def file_names(folder: Path) -> list[str]:
    """Names of the files in a folder, in natural order; hidden ones are passed over.

    Raises:
        DatasetError: If there is no such folder.
    """
    there = (item for item in _scan(folder) if not is_hidden(item.name))
    return sorted((item.name for item in there if kind_of(item) == FILE), key=natural_key)


def odd_items(folder: Path) -> dict[str, str]:
    """Name to kind (:data:`fgbench.datasets._tree.ODD`) of what is neither a file nor a folder, sorted.

    Raises:
        DatasetError: If there is no such folder.
    """
    found = {}
    for item in sorted(_scan(folder), key=lambda item: item.name):
        kind = kind_of(item)
        if kind == FOLDER and item.is_symlink() and leads_up(item.path):
            kind = LINK_LOOP
        if kind in ODD and not is_hidden(item.name):
            found[item.name] = kind
    return found


def find(folder: Path, *names: str) -> Path | None:
    """The file or folder inside a folder that has one of these names in any case; the first that is there.

    Args:
        folder: Where to look; ``None`` is given back if it is no folder.
        names: In order of preference.
    """
    if not folder.is_dir():
        return None
    there = {item.name.lower(): item.name for item in sorted(_scan(folder), key=lambda item: item.name)}
    for name in names:
        if name.lower() in there:
            return folder / there[name.lower()]
    return None


def find_below(folder: Path, *names: str) -> Path | None:
    """What :func:`find` finds of the first name, therein of the second, and so on.

    Args:
        folder: Where to look.
        names: One of each level.
    """
    found: Path | None = folder
    for name in names:
        found = found and find(found, name)
    return found


def unwrap(root: Path, is_it: Callable[[Path], bool], *, depth: int = 3) -> Path | None:
    """The folder that a test accepts: the root, or one inside it that an archive has wrapped the data in.

    Args:
        root: Where to begin.
        is_it: Whether a folder is the one that is looked for.
        depth: How many levels down to look.

    Returns:
        The folder nearest to the root; ``None`` if there is none. Locked folders are passed over.

    Raises:
        DatasetError: If the root is no folder, or several folders of a level are accepted.
    """
    level = [root]
    for _ in range(depth + 1):
        found = [folder for folder in level if is_it(folder)]
        if len(found) > 1:
            raise DatasetError(
                f"{root} holds the data set more than once: {found[0]} and {found[1]}",
                "give the folder of one of them",
            )
        if found:
            return found[0]
        inner = [list(subfolders(folder).values()) for folder in level]
        wrapping = (folder for folders in inner if len(folders) <= _WIDEST for folder in folders)
        level = [folder for folder in wrapping if os.access(folder, os.R_OK | os.X_OK)]
    return None


def labelled_folders(folder: Path, labels: Mapping[str, str]) -> dict[Path, str]:
    """Folders inside a folder whose names are labels in any case, with what those stand for.

    Args:
        folder: Where to look.
        labels: Lower-case folder name to label.

    Raises:
        DatasetError: If there is no such folder, or two folders have one name but for the case.
    """
    found: dict[Path, str] = {}
    seen: dict[str, str] = {}
    for name, path in subfolders(folder).items():
        if name.lower() in labels:
            if name.lower() in seen:
                raise DatasetError(
                    f"{folder} has two folders {seen[name.lower()]!r} and {name!r}", "put them together"
                )
            seen[name.lower()] = name
            found[path] = labels[name.lower()]
    return found


def part_folder(folder: Path, part: str, *names: str) -> Path | None:
    """The folder of a part (``train``, ``val``, ``test``) inside a folder.

    Args:
        folder: Where to look; ``None`` is given back if it is no folder.
        part: The part.
        names: The data set's own names for it, in any case; they come before the usual ones.

    Raises:
        DatasetError: If two folders have usual names of the part.
    """
    own = find(folder, *names)
    if own is not None or not folder.is_dir():
        return own
    parts = {name: found for name, found in parts_of(subfolders(folder)).items() if found == part}
    check_different(parts, str(folder))
    return next((folder / name for name in parts), None)


def pictures(folder: Path) -> list[str]:
    """Names of the pictures in a folder, in natural order.

    Raises:
        DatasetError: If there is no such folder.
    """
    return [name for name in file_names(folder) if is_frame(name)]


def relative(path: Path, root: Path) -> str:
    """Path from the root of the data set, as :class:`fgbench.records.ClipEntry` has it."""
    return path.relative_to(root).as_posix()


def prefix(folder: Path, root: Path) -> str:
    """What stands before the names of a folder's files in paths from the root: ``"a/b/"``, or nothing.

    To be asked for once per folder: paths of a million files as :class:`pathlib.Path` take a minute.
    """
    return "" if folder == root else f"{relative(folder, root)}/"


def stem(name: str) -> str:
    """Name of a file without its suffix."""
    return name.rpartition(".")[0] or name


def _is_folder(item: os.DirEntry[str]) -> bool:
    return kind_of(item) == FOLDER and not (item.is_symlink() and leads_up(item.path))


def _scan(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            return list(found)
    except FileNotFoundError as error:
        raise DatasetError(f"no folder {folder}", "give the folder of the data set") from error
    except NotADirectoryError as error:
        raise DatasetError(f"{folder} is a file, expected a folder", "unpack the archive first") from error
    except OSError as error:
        raise DatasetError(f"cannot list {folder}: {error.strerror}", "check its permissions") from error
