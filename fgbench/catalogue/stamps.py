"""Whether a data set has changed since it was prepared: its entries, and size and time of what they name.

Asks the file system for states; opens nothing. A change that keeps name, size and time of change of a file is
not seen: ``fgbench prepare --verify`` hashes the files.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Sequence
from operator import attrgetter
from pathlib import Path

from fgbench.files.hashing import digest_json
from fgbench.records import ClipEntry, Vote

_ADDED = "last_unit_frame"
"""Told only where there is one: entries without it have the digest that they had before there was any."""
_ENTRY = attrgetter(*(name for name in ClipEntry.__dataclass_fields__ if name not in ("votes", _ADDED)))
_READ = ("time_s", "outside")
"""What is known of a vote only when its file has been read."""
_VOTE = tuple(name for name in Vote.__dataclass_fields__ if name not in _READ)

Stamp = tuple[int, int] | str
"""Size and time of change (ns) of a file; of a folder a digest; else what is there instead."""


class Stamps:
    """Size and time of change of what entries name; everything is looked at once."""

    def __init__(self, root: Path) -> None:
        self._root = str(root)
        self._known: dict[str, Stamp] = {}

    def of(self, path: str) -> Stamp:
        """Stamp of a file, of a folder by the names and stamps of its files, or of the table of a row."""
        if path not in self._known:
            self._known[path] = self._look(path)
        return self._known[path]

    def _look(self, path: str) -> Stamp:
        place = f"{self._root}/{path}"
        try:
            status = os.stat(place)  # noqa: PTH116 - a Path for each takes longer
            if not stat.S_ISDIR(status.st_mode):
                return status.st_size, status.st_mtime_ns
            return _folder(place)
        except NotADirectoryError:
            return self.of(path.rpartition("/")[0])
        except (OSError, ValueError) as error:
            return _absent(place, error)


def _folder(place: str) -> str:
    """Digest of the names, sizes and times of the files in a folder, in the order of their names."""
    with os.scandir(place) as found:
        items = sorted(found, key=lambda item: item.name)
    digest = hashlib.sha256()
    for item in items:
        try:
            state = item.stat()
            stamp = f"{state.st_size}/{state.st_mtime_ns}"
        except OSError as error:  # a link to nothing: one file, and not the end of the folder
            stamp = _absent(item.path, error)
        digest.update(f"{item.name}\0{stamp}\0".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _absent(place: str, error: Exception) -> str:
    """What is there in the place of a file: nothing, or a link that leads to none."""
    try:
        return f"{type(error).__name__}: {os.readlink(place)}"  # noqa: PTH115
    except (OSError, ValueError):
        return type(error).__name__


def source_digest(entries: tuple[ClipEntry, ...], stamps: Stamps, names: Sequence[str]) -> str:
    """Digest (SHA-256, hex) of annotations and of the files' sizes and times; ``ingest`` hashes contents.

    Args:
        entries: Entries of a bucket.
        stamps: Of their data set.
        names: What else rows depend on: the name and the label set of the data set.
    """
    listed = [
        [
            *_ENTRY(entry),
            [{name: getattr(vote, name) for name in _VOTE} for vote in entry.votes],
            stamps.of(entry.path),
            *([] if entry.last_unit_frame is None else [entry.last_unit_frame]),
        ]
        for entry in entries
    ]
    return digest_json([list(names), listed])
