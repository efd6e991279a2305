"""Everything below the root of a data set, with the kinds of items that cannot be read as files.

Lists folders; opens no file. Links to folders are followed, each folder once, so that circles of links end.
Hidden files and folders are distinguished from the data; fgbench's own folders and locks are left out.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FILE = "file"
FOLDER = "folder"
HIDDEN = "hidden"
BROKEN_LINK = "broken_link"
LINK_LOOP = "link_loop"
NO_FILE = "not_a_file"
UNREADABLE = "unreadable"

ODD = {
    BROKEN_LINK: "a link to nothing; mend it or delete it",
    LINK_LOOP: "a link to a folder that it lies in, or to itself; delete it",
    NO_FILE: "a pipe, socket or device, expected a file",
    UNREADABLE: "cannot be looked into; check its permissions",
}
"""Kinds of items that are neither file nor folder, with advice."""

OWN_FOLDER = "fgbench-data"
"""Default name of work folders, which are no data when inside a data set."""

ROUNDS = "annotation"
"""Folder of rounds of annotation and frames to select in a data set (`fgbench.annotation`): no data."""

_ROUND = re.compile(rf"(.*/)?{ROUNDS}/(round-[0-9]+|frames-select|frames-inspect)/")
_LOCK = ".lock"
"""File by which a process holds a folder (:func:`fgbench.storage.exclusive`); empty."""
_UNFINISHED = re.compile(r"\..+\.fgbench-[0-9a-f]{8}-[0-9]+-[0-9]+")
"""Names of files that a killed process was writing (:mod:`fgbench.files.temporaries`)."""
_ROUND_FILES = frozenset({"project.json", _LOCK})
"""Files of which one is in each of these, also where its export did not end."""

_WORK_FILES = frozenset({".fgbench-work.json", "prepare.json"})
"""Files of which one is in every work folder, also in one that was put inside the data."""


@dataclass(frozen=True, slots=True)
class Item:
    """An item in a folder.

    Attributes:
        path: POSIX path from the root; bytes that are no text as surrogates.
        kind: :data:`FILE`, :data:`HIDDEN`, or one of :data:`ODD`.
    """

    path: str
    kind: str


def kind_of(item: os.DirEntry[str]) -> str:
    """Kind of an item: file, folder, or one of :data:`ODD`; links are followed."""
    try:
        if item.is_file():
            return FILE
        if item.is_dir():
            return FOLDER
        if item.is_symlink() and not os.path.exists(item.path):  # noqa: PTH110 - no Path for each of a million
            return BROKEN_LINK
    except OSError as error:
        return LINK_LOOP if error.errno == errno.ELOOP else UNREADABLE
    return NO_FILE


def is_hidden(name: str) -> bool:
    """Return whether a name is hidden, or was added to an archive by macOS."""
    return name.startswith((".", "__MACOSX"))


def is_work_folder(folder: Path) -> bool:
    """Return whether a folder holds results of fgbench."""
    try:
        return folder.name == OWN_FOLDER or any((folder / name).is_file() for name in _WORK_FILES)
    except OSError:  # a locked folder is reported when it is listed
        return False


def everything(root: Path) -> list[Item]:
    """All items below a folder except the folders themselves, sorted by path.

    Raises:
        OSError: If the root cannot be listed.
    """
    items: list[Item] = []
    seen: set[tuple[int, int]] = set()
    with os.scandir(root):  # errors of the root are the caller's
        pass
    level = [(str(root), "")]
    while level:
        links: list[tuple[str, str]] = []
        while level:
            folder, before = level.pop()
            items.extend(_listed(folder, before, level, links, seen))
        level = [(target, path) for target, path in links if _new(target, seen)]
    return sorted(items, key=lambda item: item.path)


def _listed(
    folder: str,
    before: str,
    level: list[tuple[str, str]],
    links: list[tuple[str, str]],
    seen: set[tuple[int, int]],
) -> Iterator[Item]:
    """Items of one folder; its folders are added to ``level``, linked ones to ``links``."""
    try:
        state = os.stat(folder)  # noqa: PTH116
        seen.add((state.st_dev, state.st_ino))
        with os.scandir(folder) as listing:
            items = sorted(listing, key=lambda item: item.name)
    except OSError:
        yield Item(before.removesuffix("/"), UNREADABLE)
        return
    if before and any(item.name in _WORK_FILES for item in items):
        return
    if _ROUND.fullmatch(before) and any(item.name in _ROUND_FILES for item in items):
        return
    for item in items:
        path = before + item.name
        kind = kind_of(item)
        if kind == FILE and (
            (item.name == _LOCK and _is_empty(item)) or _UNFINISHED.fullmatch(item.name) is not None
        ):
            continue
        if is_hidden(item.name):
            yield Item(path, HIDDEN)
        elif kind != FOLDER:
            yield Item(path, kind)
        elif item.name == OWN_FOLDER:
            continue
        elif not item.is_symlink():
            level.append((item.path, f"{path}/"))
        elif leads_up(item.path):
            yield Item(path, LINK_LOOP)
        else:
            links.append((item.path, f"{path}/"))


def _is_empty(item: os.DirEntry[str]) -> bool:
    try:
        return item.stat().st_size == 0
    except OSError:
        return False


def leads_up(link: str) -> bool:
    """Return whether a link to a folder leads to one that contains it."""
    target = os.path.realpath(link)
    parent = os.path.realpath(os.path.dirname(link))  # noqa: PTH120
    return parent == target or parent.startswith(target.rstrip("/") + "/")


def _new(folder: str, seen: set[tuple[int, int]]) -> bool:
    try:
        state = os.stat(folder)  # noqa: PTH116
    except OSError:
        return True  # listing it reports the error
    identity = (state.st_dev, state.st_ino)
    is_new = identity not in seen
    seen.add(identity)
    return is_new
