"""Digests that change when a data set changes: its entries, or size and time of their files.

Only asks the file system for file states. A change that keeps name, size and time of change of a file goes
unnoticed: ``fgbench prepare --verify`` hashes the files.
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

_ADDED = ("last_unit_frame", "fps")
"""Included only where set, so that other entries keep the digest of versions without these fields."""
_LATER = "selected_frames"
"""Read by a later stage than the first, see :attr:`fgbench.preparation.pipeline.Stage.reads_selection`."""
_ENTRY = attrgetter(
    *(name for name in ClipEntry.__dataclass_fields__ if name not in ("votes", *_ADDED, _LATER))
)
_READ = ("time_s", "outside")
"""Fields of a vote that are filled in when its file has been read."""
_VOTE = tuple(name for name in Vote.__dataclass_fields__ if name not in _READ)

Stamp = tuple[int, int] | str
"""Size and time of change (ns) of a file; digest of a folder; else a description of the failure."""


class Stamps:
    """Size and time of change of the files that entries name; each file is looked at once."""

    def __init__(self, root: Path) -> None:
        self._root = str(root)
        self._stamps: dict[str, Stamp] = {}

    def of(self, path: str) -> Stamp:
        """Stamp of a file, of a folder by the names and stamps of its files, or of the table of a row."""
        if path not in self._stamps:
            self._stamps[path] = self._look(path)
        return self._stamps[path]

    def _look(self, path: str) -> Stamp:
        full_path = f"{self._root}/{path}"
        try:
            status = os.stat(full_path)  # noqa: PTH116 - a Path for each takes longer
            if not stat.S_ISDIR(status.st_mode):
                return status.st_size, status.st_mtime_ns
            return _folder(full_path)
        except NotADirectoryError:
            return self.of(path.rpartition("/")[0])
        except (OSError, ValueError) as error:
            return _absent(full_path, error)


def _folder(folder: str) -> str:
    """Digest of the names, sizes and times of the files in a folder, in the order of their names."""
    with os.scandir(folder) as entries:
        items = sorted(entries, key=lambda item: item.name)
    digest = hashlib.sha256()
    for item in items:
        try:
            state = item.stat()
            stamp = f"{state.st_size}/{state.st_mtime_ns}"
        except OSError as error:  # a dangling link: the folder goes on
            stamp = _absent(item.path, error)
        digest.update(f"{item.name}\0{stamp}\0".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _absent(path: str, error: Exception) -> str:
    """Description of a missing file: the error, and the target of a dangling link."""
    try:
        return f"{type(error).__name__}: {os.readlink(path)}"  # noqa: PTH115
    except (OSError, ValueError):
        return type(error).__name__


def source_digest(entries: tuple[ClipEntry, ...], stamps: Stamps, names: Sequence[str]) -> str:
    """SHA-256 (hex) of annotations and of the files' sizes and times; ``ingest`` hashes contents.

    Selected frames are left out: what is read from the files does not depend on them.

    Args:
        entries: Entries of a bucket.
        stamps: Stamps of their data set.
        names: Further inputs that rows depend on: the name and the label set of the data set.
    """
    listed = [
        [
            *_ENTRY(entry),
            [{name: getattr(vote, name) for name in _VOTE} for vote in entry.votes],
            stamps.of(entry.path),
            *([] if entry.last_unit_frame is None else [entry.last_unit_frame]),
            *([] if entry.fps is None else [["fps", entry.fps]]),
        ]
        for entry in entries
    ]
    return digest_json([list(names), listed])
