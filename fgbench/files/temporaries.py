"""Names of files that are being written, and which of them nobody writes any more.

A file is written under a hidden name in its own folder that tells who writes it: the machine, the process and
the process's start. What a process that is gone has left can therefore be told from what a living one is
writing, and from files of anybody else's.
"""

from __future__ import annotations

import functools
import hashlib
import os
import platform
import re
import time
from collections.abc import Collection, Iterator
from pathlib import Path

_NAME = re.compile(r"\.(.+)\.fgbench-([0-9a-f]{8})-(\d{1,10})-(\d{1,20})")
"""Name of the file, machine, process, and its start in ticks since the machine's."""

_EARLIER = re.compile(
    r"(.+\.(?:parquet|json|yaml|csv|md|txt|tex|html|svg|png|pdf|jpg|pt|safetensors|onnx|npz|mp4))\.tmp-(\d{1,10})"
)
"""Name of the file and process, as versions before this one wrote them."""

_ELSEWHERE_S = 24 * 60 * 60
"""Seconds without a change after which a file of another machine's process, of which nothing is known, is
taken for left behind."""


def temporary_name(path: Path) -> Path:
    """Name in the same folder under which this process writes ``path`` until it is complete."""
    pid = os.getpid()
    return path.with_name(f".{path.name}.fgbench-{_machine()}-{pid}-{_start(pid) or 0}")


def is_temporary(name: str, *, of: Collection[str]) -> bool:
    """Whether a file's name is that of an unfinished one of these names, whoever writes it."""
    found = _NAME.fullmatch(name) or _EARLIER.fullmatch(name)
    return found is not None and found[1] in of


def remove_temporaries(folder: Path, *, of: Collection[str] | None = None) -> int:
    """Delete what processes that are gone left unfinished below a folder of fgbench's own.

    Links are deleted by nobody and followed by nobody: neither a link to a folder below ``folder``, nor
    ``folder`` itself where it is one.

    Args:
        folder: The folder; may be absent.
        of: Names of files directly in ``folder`` whose temporaries are meant; ``None`` means any file's, in
            all folders below too.

    Returns:
        How many were deleted.
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
            found = sorted(entries, key=lambda entry: entry.name)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return
    for entry in found:
        if entry.is_dir(follow_symlinks=False):
            if deep:
                yield from _files(Path(entry.path), deep=True)
        elif entry.is_file(follow_symlinks=False):
            yield entry


def _written_by_none(entry: os.DirEntry[str]) -> str | None:
    """Name of the file that a temporary was to become; ``None`` if it is none, or may still be written."""
    if ours := _NAME.fullmatch(entry.name):
        name, machine, pid, start = ours.groups()
        if machine != _machine():
            try:
                changed_s = entry.stat(follow_symlinks=False).st_mtime
            except FileNotFoundError:
                return None
            return name if time.time() - changed_s > _ELSEWHERE_S else None
        return None if _start(int(pid)) == int(start) else name
    if earlier := _EARLIER.fullmatch(entry.name):
        name, pid = earlier.groups()
        return None if _start(int(pid)) is not None else str(name)
    return None


def _start(pid: int) -> int | None:
    """Start of a process in clock ticks since the machine's; ``None`` if there is no such process.

    Where the system does not tell, 0 for every process that is there.
    """
    try:
        told = Path("/proc", str(pid), "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None if Path("/proc/self/stat").exists() else _start_untold(pid)
    # The name of the program, in brackets, may hold anything.
    state, *numbers = told.rpartition(")")[2].split()
    return None if state in "ZX" else int(numbers[18])


def _start_untold(pid: int) -> int | None:
    try:
        os.kill(pid, 0)
    except PermissionError:
        return 0
    except (OSError, OverflowError):
        return None
    return 0


@functools.cache
def _machine() -> str:
    """What tells apart the machines, their starts, and containers with process numbers of their own."""
    parts = [platform.node()]
    for path in (Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/pid")):
        try:
            parts.append(str(path.readlink()) if path.is_symlink() else path.read_text(encoding="ascii"))
        except OSError:
            parts.append("")
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:8]
