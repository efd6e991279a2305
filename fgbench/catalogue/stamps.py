"""Whether a data set has changed since it was prepared: its entries, and size and time of what they name.

Asks the file system for states; opens nothing.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from dataclasses import asdict
from operator import attrgetter
from pathlib import Path

from fgbench.hashing import digest_json
from fgbench.records import ClipEntry

_ENTRY = attrgetter(*(name for name in ClipEntry.__dataclass_fields__ if name != "votes"))


class Stamps:
    """Size and time of change of what entries name; a folder or table that many name is looked at once."""

    def __init__(self, root: Path) -> None:
        self._root = str(root)
        self._shared: dict[str, tuple[int, int]] = {}

    def of(self, path: str) -> tuple[int, int]:
        """Stamp of a file, of all files of a folder together, or of the table that a row is of."""
        if path in self._shared:
            return self._shared[path]
        try:
            status = os.stat(f"{self._root}/{path}")  # noqa: PTH116 - a Path for each takes longer
            if not stat.S_ISDIR(status.st_mode):
                return status.st_size, status.st_mtime_ns
            self._shared[path] = self._folder(path)
            return self._shared[path]
        except NotADirectoryError:
            table, _, _ = path.rpartition("/")
            if table not in self._shared:
                self._shared[table] = self.of(table)
            return self._shared[table]
        except (OSError, ValueError):
            return -1, -1

    def _folder(self, path: str) -> tuple[int, int]:
        with os.scandir(f"{self._root}/{path}") as found:
            states = [item.stat() for item in found]
        return sum(state.st_size for state in states), max((state.st_mtime_ns for state in states), default=0)


def source_digest(entries: tuple[ClipEntry, ...], stamps: Stamps, names: Sequence[str]) -> str:
    """Digest (SHA-256, hex) of annotations and of the files' sizes and times; ``ingest`` hashes contents.

    Args:
        entries: Entries of a bucket.
        stamps: Of their data set.
        names: What else rows depend on: the name and the label set of the data set.
    """
    listed = [
        [*_ENTRY(entry), [asdict(vote) for vote in entry.votes], stamps.of(entry.path)] for entry in entries
    ]
    return digest_json([list(names), listed])
