"""Folders of the copies of work folders in storages, by URL and by place.

In the folder of a copy, ``copy.json`` tells its URL, ``synced.json`` what it has in common with the storage,
and ``data/<name>`` is the copy.
"""

from __future__ import annotations

import os
from pathlib import Path

from fgbench import storage
from fgbench.errors import ConfigError, ManifestError
from fgbench.remote.bringing import belongs
from fgbench.remote.filesystems import opened
from fgbench.remote.places import Places, folder_for, root_in
from fgbench.remote.synced import Synced
from fgbench.remote.urls import url_of
from fgbench.remote.work_copies import WorkCopy

_MARKER = "copy.json"
_KIND = "fgbench-copy"
_PARTS = 3
_AGAIN = "move its folder away, and name the URL: fgbench makes the copy anew"


def work_copy(url: str, base: Path) -> WorkCopy:
    """Return the copy of a work folder in a storage; nothing of it is read yet.

    Args:
        url: As :func:`fgbench.remote.urls.url_of` gives it.
        base: Folder of all copies.

    Raises:
        DependencyError: If a package that opens the URL is not installed.
        ManifestError: If what tells its URL is damaged, or tells another.
        ResourceError: If it cannot be reached, or the copy cannot be written.
    """
    folder = folder_for(url, base)
    if not os.path.lexists(folder / _MARKER):
        storage.write_json(folder / _MARKER, {"kind": _KIND, "url": url})
    elif (told := _url_in(folder)) != url:
        raise ManifestError(f"{folder / _MARKER} tells the work folder {told}, expected {url}", _AGAIN)
    return _open(folder, url)


def copy_at(workdir: Path) -> WorkCopy | None:
    """Return the copy whose work folder is at a path; ``None`` for any other folder.

    Raises:
        ManifestError: If its ``copy.json`` is damaged.
        ResourceError: If its storage cannot be reached.
    """
    if ".." in workdir.parts or len(workdir.parts) < _PARTS:  # named from a folder within
        workdir = workdir.resolve()
    url = _url_at(workdir)
    return None if url is None else _open(workdir.parent.parent, url)


def named_by(workdir: Path) -> str:
    """URL of the work folder that a folder is the copy of; else the folder.

    Raises:
        ManifestError: If its ``copy.json`` is damaged.
        ResourceError: If that may not be read.
    """
    url = _url_at(workdir)
    return str(workdir) if url is None else url


def _url_at(workdir: Path) -> str | None:
    folder = workdir.parent.parent
    if workdir.parent.name != "data" or not (folder / _MARKER).is_file():
        return None
    url = _url_in(folder)
    return url if root_in(folder, url) == workdir else None


def _url_in(folder: Path) -> str:
    path = folder / _MARKER
    try:
        content = storage.read_json(path)
        url = content.get("url") if isinstance(content, dict) and content.get("kind") == _KIND else None
        if isinstance(url, str) and url_of(url) == url:
            return url
    except (FileNotFoundError, ManifestError, ConfigError):
        pass
    raise ManifestError(f"{path} tells no work folder in a storage", _AGAIN)


def _open(folder: Path, url: str) -> WorkCopy:
    record = Synced.read(folder / "synced.json", belongs)
    return WorkCopy(url, Places(folder, url, 0), opened(url), record)
