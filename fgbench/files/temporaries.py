"""Names of files that are being written, and removal of those whose writer is gone.

A file is written under a hidden name in its own folder that contains its writer: the machine, the process and
the process's start. So the remains of a dead process can be told apart from what a living one is writing, and
from other people's files.
"""

from __future__ import annotations

import functools
import hashlib
import os
import re
import time
from collections.abc import Collection, Iterator
from pathlib import Path

from fgbench.files.processes import machine, start_of

_NAME = re.compile(r"\.(.+)\.fgbench-([0-9a-f]{8})-(\d{1,10})-(\d{1,20})")
"""Groups: name of the file, machine, process id, and start of the process in ticks since the machine's."""

_EARLIER = re.compile(
    r"(.+\.(?:parquet|json|yaml|csv|md|txt|tex|html|svg|png|pdf|jpg|pt|safetensors|onnx|npz|mp4))\.tmp-(\d{1,10})"
)
"""Groups: name of the file and process id, as earlier versions wrote them."""

_MOST_BYTES = 200
"""Longest name of a file that temporary names contain whole; they add at most 50 bytes."""

_ELSEWHERE_S = 24 * 60 * 60
"""Seconds without a change after which a file of another machine's process counts as abandoned."""


def temporary_name(path: Path) -> Path:
    """Return the name in the same folder under which this process writes ``path`` until it is complete."""
    pid = os.getpid()
    return path.with_name(f".{_short(path.name)}.fgbench-{machine()}-{pid}-{_own_start(pid)}")


def _short(name: str) -> str:
    """The name; of a long one the beginning and a digest: file systems take 255 bytes in all."""
    data = os.fsencode(name)
    if len(data) <= _MOST_BYTES:
        return name
    digest = hashlib.sha256(data).hexdigest()[:16]
    return f"{data[: _MOST_BYTES // 2].decode('utf-8', errors='ignore')}~{digest}"


def is_temporary(name: str, *, of: Collection[str]) -> bool:
    """Whether a file name is the temporary name of one of ``of``, whoever writes it."""
    match = _NAME.fullmatch(name) or _EARLIER.fullmatch(name)
    return match is not None and match[1] in of


def remove_temporaries(folder: Path, *, of: Collection[str] | None = None) -> int:
    """Delete the unfinished files of dead processes below a folder that fgbench owns.

    Links are neither deleted nor followed, ``folder`` itself included.

    Args:
        folder: The folder; may be absent.
        of: Names of files directly in ``folder`` whose temporaries are deleted; ``None`` deletes those of any
            file, in all folders below too.

    Returns:
        Number of deleted files.
    """
    removed = 0
    if folder.is_symlink() or not folder.is_dir():
        return 0
    for entry in _files(folder, deep=of is None):
        name = _written_by_none(entry)
        if name is not None and (of is None or name in of):
            Path(entry.path).unlink(missing_ok=True)
            removed += 1
    return removed


def _files(folder: Path, *, deep: bool) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            items = sorted(entries, key=lambda entry: entry.name)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return
    for entry in items:
        if entry.is_dir(follow_symlinks=False):
            if deep:
                yield from _files(Path(entry.path), deep=True)
        elif entry.is_file(follow_symlinks=False):
            yield entry


def _written_by_none(entry: os.DirEntry[str]) -> str | None:
    """Name of the file that an abandoned temporary was to become; ``None`` if it may be in use or is none."""
    if ours := _NAME.fullmatch(entry.name):
        name, where, pid, start = ours.groups()
        if where != machine():
            try:
                changed_s = entry.stat(follow_symlinks=False).st_mtime
            except FileNotFoundError:
                return None
            return name if time.time() - changed_s > _ELSEWHERE_S else None
        return None if start_of(int(pid)) == int(start) else name
    if earlier := _EARLIER.fullmatch(entry.name):
        name, pid = earlier.groups()
        return None if start_of(int(pid)) is not None else str(name)
    return None


@functools.lru_cache(maxsize=1)
def _own_start(pid: int) -> int:
    """Start of this process: asked for once, not for every file. After a fork the process is another."""
    return start_of(pid) or 0
