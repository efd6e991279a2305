"""Refusal of what is no work folder, with the command that is meant."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from shlex import quote

_TABLES = ("annotations.csv", "votes.csv", "action_units.csv")
"""Tables in the layout of users' own clips."""

_MOST_FOLDERS = 1000


def refuse_data_folder(folder: Path, command: str) -> None:
    """Raise if a folder holds data and is not a work folder.

    Args:
        folder: The folder.
        command: Command before the work folder, for the advice.

    Raises:
        DatasetError: With the work folder that is meant, or the command that makes it.
    """
    from fgbench.datasets._tree import is_work_folder
    from fgbench.errors import DatasetError
    from fgbench.workfolders.default_folders import workdir_for

    if not folder.is_dir() or is_work_folder(folder) or _has_results(folder):
        return
    inner = folder / "work"
    if is_work_folder(inner):
        raise DatasetError(f"{folder} is no work folder, {inner} is", f"{command} {quote(str(inner))}")
    tables = [name for name in _TABLES if (folder / name).is_file()]
    if not tables and not _holds_media(folder):
        return
    recipe = "default" if set(tables) & {*_TABLES[:2]} else "action-units" if tables else "folder"
    work = workdir_for(folder, recipe)
    then = f"{command} {quote(str(work))}"
    if not is_work_folder(work):
        named = "" if recipe == "default" else f" {recipe}"
        then = f"fgbench prepare{named} --data-root {quote(str(folder))}, then {then}"
    holds = f" ({', '.join(tables)})" if tables else ""
    raise DatasetError(
        f"{folder} is a folder of data{holds}, expected a work folder",
        f"to look at the data: fgbench check {recipe} --root {quote(str(folder))}; to use them: {then}",
    )


def here(folder: Path, *, is_read: bool = True) -> Path:
    """Return where a work folder lies on this machine: of one in a storage its copy, in the present state.

    Args:
        folder: A folder, or the URL of a work folder.
        is_read: Whether the manifests are fetched whole; else results of clips may be stand-ins.

    Raises:
        ConfigError: If what the URL names is no work folder.
        DependencyError: If a package that opens it is not installed.
        ManifestError: If there is nothing.
        ResourceError: If its storage does not answer.
    """
    from fgbench.errors import ManifestError
    from fgbench.naming import shown
    from fgbench.preparation.kept_copies import is_read_always, is_read_by_methods
    from fgbench.remote.copy_folders import copy_at, work_copy
    from fgbench.remote.urls import url_of
    from fgbench.workfolders.default_folders import COPIES
    from fgbench.workfolders.folder import is_work_folder

    url = url_of(folder)
    copy = copy_at(folder) if url is None else work_copy(url, COPIES)
    if copy is None:
        return folder
    if is_read or not copy.is_in_work:  # what is being prepared is told as it is
        copy.pull(is_read_by_methods if is_read else is_read_always)
    if not is_work_folder(copy.workdir):
        raise ManifestError(
            f"{shown(copy.url)} has no file, expected a work folder",
            f"check the URL; fgbench prepare --data-root DATA --workdir {shown(copy.url)} makes it",
        )
    return copy.workdir


def refuse_absent(folders: Sequence[Path]) -> None:
    """Raise if a folder that is to be read does not exist.

    Raises:
        ManifestError: With the existing work folders.
    """
    from fgbench.errors import ManifestError
    from fgbench.naming import first_few
    from fgbench.workfolders.default_folders import work_folders

    for folder in folders:
        if not folder.exists():
            existing = first_few([str(path) for path in work_folders()])
            raise ManifestError(
                f"there is no folder {folder}, expected a work folder",
                f"run fgbench prepare first; work folders here: {existing or 'none'}",
            )


def lacks_embedded(workdir: Path) -> bool:
    """Return whether a work folder is that of the embedded data set, and has to be prepared yet; if so, the
    log says so.

    Raises:
        ManifestError: If other data sets are prepared here and nothing of the embedded one is: then one of
            theirs is most likely meant, and minutes of drawing are not.
    """
    from fgbench.api.progress import log
    from fgbench.errors import ManifestError
    from fgbench.naming import first_few
    from fgbench.workfolders.default_folders import DEMO_WORKDIR, work_folders
    from fgbench.workfolders.manifest_index import is_published

    if workdir != DEMO_WORKDIR or is_published(workdir):
        return False
    others = [str(path) for path in work_folders() if path != DEMO_WORKDIR and is_published(path)]
    if others and not workdir.parent.exists():
        raise ManifestError(
            f"no work folder is named, and the embedded data set, which is then meant ({workdir}), is not "
            f"prepared",
            f"name one, --workdir {quote(others[0])}; prepared here: {first_few(others)}; or prepare the "
            f"embedded data set: fgbench prepare",
        )
    log("the embedded data set is not prepared yet: preparing it")
    return True


def _has_results(folder: Path) -> bool:
    return any((folder / name).is_dir() for name in ("manifests", "runs"))


def _holds_media(folder: Path) -> bool:
    """Whether one of the first folders below has pictures or videos; a whole disk is not searched."""
    from fgbench.media.kinds import is_picture, is_video

    files = (name for _, _, names in islice(os.walk(folder), _MOST_FOLDERS) for name in names)
    return any(is_picture(name) or is_video(name) for name in files)
