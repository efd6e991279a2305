"""Names of files that are being written, and removal of those whose writer is gone.

A file is written under a hidden name in its own folder that contains its writer: the machine, the process and
the process's start. So the remains of a dead process can be told apart from what a living one is writing, and
from other people's files.
"""

from __future__ import annotations

import functools
import hashlib
import os
import platform
import re
import sys
import time
from collections.abc import Collection, Iterator
from pathlib import Path

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

_QUERY, _ACCESS_DENIED, _STILL_ACTIVE = 0x1000, 5, 259  # of the Windows API: a right, an error, an exit code


def temporary_name(path: Path) -> Path:
    """Return the name in the same folder under which this process writes ``path`` until it is complete."""
    pid = os.getpid()
    return path.with_name(f".{_short(path.name)}.fgbench-{_machine()}-{pid}-{_own_start(pid)}")


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

    0 for every existing process where the system does not give its start.
    """
    try:
        status = Path("/proc", str(pid), "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None if Path("/proc/self/stat").exists() else 0 if _exists(pid) else None
    # The name of the program, in brackets, may hold anything.
    state, *numbers = status.rpartition(")")[2].split()
    return None if state in "ZX" else int(numbers[18])


@functools.lru_cache(maxsize=1)
def _own_start(pid: int) -> int:
    """Start of this process: asked for once, not for every file. After a fork the process is another."""
    return _start(pid) or 0


def _exists(pid: int) -> bool:
    """Whether there is a process, on systems without ``/proc``; also one of another user."""
    if sys.platform == "win32":  # there, signal 0 is Ctrl-C
        import ctypes

        kernel = ctypes.WinDLL("kernel32", use_last_error=True)
        handle = kernel.OpenProcess(_QUERY, False, pid)
        if not handle:
            return ctypes.get_last_error() == _ACCESS_DENIED
        code = ctypes.c_ulong()
        kernel.GetExitCodeProcess(handle, ctypes.byref(code))
        kernel.CloseHandle(handle)
        return code.value == _STILL_ACTIVE
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (OSError, OverflowError):
        return False
    return True


@functools.cache
def _machine() -> str:
    """Digest that differs between machines, their boots, and containers with their own process numbers."""
    parts = [platform.node()]
    for path in (Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/pid")):
        try:
            parts.append(str(path.readlink()) if path.is_symlink() else path.read_text(encoding="ascii"))
        except OSError:
            parts.append("")
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:8]
