"""Folders of data sets as downloaded: names in any case, wrapped in further folders, with stray files.

Lists folders; each is listed once per call. Everything is sorted: no result depends on the file system.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from fgbench.datasets._parts import check_different, parts_of
from fgbench.datasets._tables import whole_number
from fgbench.datasets._tree import FILE, FOLDER, OWN_FOLDER, is_hidden, kind_of, leads_up
from fgbench.errors import DatasetError
from fgbench.media.kinds import is_frame
from fgbench.media.picture_files import natural_key

_WIDEST = 64
"""A folder with more folders than this is data, not a wrapping of a data set."""


def layout_error(fault: str, layouts: Sequence[str]) -> DatasetError:
    """Error for a folder with an unexpected layout.

    Args:
        fault: The fault, with the path.
        layouts: The supported layouts.
    """
    return DatasetError(fault, f"expected layout: {'; or '.join(layouts)}")


def subfolders(folder: Path) -> dict[str, Path]:
    """Folders inside a folder by name, in natural order.

    Hidden ones are skipped, and so are links to a folder that contains them.

    Raises:
        DatasetError: If there is no such folder.
    """
    there = (item for item in _scan(folder) if not is_hidden(item.name) and item.name != OWN_FOLDER)
    names = sorted((item.name for item in there if _is_folder(item)), key=natural_key)
    return {name: folder / name for name in names}


def file_names(folder: Path) -> list[str]:
    """Names of the files in a folder, in natural order; hidden ones are skipped.

    Raises:
        DatasetError: If there is no such folder.
    """
    there = (item for item in _scan(folder) if not is_hidden(item.name))
    return sorted((item.name for item in there if kind_of(item) == FILE), key=natural_key)


def find(folder: Path, *names: str) -> Path | None:
    """Return the file or folder inside a folder that has one of these names in any case; the first that
    exists.

    Args:
        folder: Folder to search; the result is ``None`` if it is no folder.
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
    """Search the first name with :func:`find`, therein the second, and so on.

    Args:
        folder: Folder to search.
        names: One name per level.
    """
    path: Path | None = folder
    for name in names:
        path = path and find(path, name)
    return path


def unwrap(root: Path, is_it: Callable[[Path], bool], *, depth: int = 3) -> Path | None:
    """Return the folder that a test accepts: the root, or one inside it if an archive has wrapped the data.

    Args:
        root: Folder to begin with.
        is_it: Returns whether a folder is the right one.
        depth: Number of levels to search below the root.

    Returns:
        The folder nearest to the root; ``None`` if there is none. Locked folders are skipped.

    Raises:
        DatasetError: If the root is no folder, or several folders of a level are accepted.
    """
    level = [root]
    for _ in range(depth + 1):
        accepted = [folder for folder in level if is_it(folder)]
        if len(accepted) > 1:
            raise DatasetError(
                f"{root} holds the data set more than once: {accepted[0]} and {accepted[1]}",
                "give the folder of one of them",
            )
        if accepted:
            return accepted[0]
        inner = [list(subfolders(folder).values()) for folder in level]
        wrapping = (folder for folders in inner if len(folders) <= _WIDEST for folder in folders)
        level = [folder for folder in wrapping if os.access(folder, os.R_OK | os.X_OK)]
    return None


def labelled_folders(folder: Path, labels: Mapping[str, str]) -> dict[Path, str]:
    """Folders inside a folder whose names are labels in any case, with their labels.

    Args:
        folder: Folder to search.
        labels: Lower-case folder name to label.

    Raises:
        DatasetError: If there is no such folder, or the names of two folders differ in case alone.
    """
    labelled: dict[Path, str] = {}
    seen: dict[str, str] = {}
    for name, path in subfolders(folder).items():
        if name.lower() in labels:
            if name.lower() in seen:
                raise DatasetError(
                    f"{folder} has two folders {seen[name.lower()]!r} and {name!r}", "put them together"
                )
            seen[name.lower()] = name
            labelled[path] = labels[name.lower()]
    return labelled


def part_folder(folder: Path, part: str, *names: str) -> Path | None:
    """Return the folder of a part (``train``, ``val``, ``test``) inside a folder.

    Args:
        folder: Folder to search; the result is ``None`` if it is no folder.
        part: The part.
        names: The data set's own names for it, in any case; they have precedence over the usual ones.

    Raises:
        DatasetError: If two folders have usual names of the part.
    """
    own = find(folder, *names)
    if own is not None or not folder.is_dir():
        return own
    parts = {name: of for name, of in parts_of(subfolders(folder)).items() if of == part}
    check_different(parts, str(folder))
    return next((folder / name for name in parts), None)


def pictures(folder: Path) -> list[str]:
    """Names of the pictures in a folder, in natural order.

    Raises:
        DatasetError: If there is no such folder.
    """
    return [name for name in file_names(folder) if is_frame(name)]


def numbered_pictures(folder: Path) -> dict[int, int]:
    """Number in the name of a picture to its index in a folder; pictures with other names are left out.

    Raises:
        DatasetError: If there is no such folder.
    """
    numbered = ((whole_number(stem(name)), index) for index, name in enumerate(pictures(folder)))
    return {number: index for number, index in numbered if number is not None}


def relative(path: Path, root: Path) -> str:
    """Path from the root of the data set, as in :class:`fgbench.records.ClipEntry`."""
    return path.relative_to(root).as_posix()


def prefix(folder: Path, root: Path) -> str:
    """Prefix of the names of a folder's files in paths from the root: ``"a/b/"``, or empty.

    To be called once per folder: paths of a million files as :class:`pathlib.Path` take a minute.
    """
    return "" if folder == root else f"{relative(folder, root)}/"


def stem(name: str) -> str:
    """Name of a file without its suffix."""
    return name.rpartition(".")[0] or name


def _is_folder(item: os.DirEntry[str]) -> bool:
    return kind_of(item) == FOLDER and not (item.is_symlink() and leads_up(item.path))


def _scan(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as items:
            return list(items)
    except FileNotFoundError as error:
        raise DatasetError(f"no folder {folder}", "give the folder of the data set") from error
    except NotADirectoryError as error:
        raise DatasetError(f"{folder} is a file, expected a folder", "unpack the archive first") from error
    except OSError as error:
        raise DatasetError(f"cannot list {folder}: {error.strerror}", "check its permissions") from error
