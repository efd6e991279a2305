"""Processes and machines as files name them: whether the process that wrote a name still lives."""

from __future__ import annotations

import functools
import hashlib
import os
import platform
import sys
from pathlib import Path

_QUERY, _ACCESS_DENIED, _STILL_ACTIVE = 0x1000, 5, 259  # of the Windows API: a right, an error, an exit code


def start_of(pid: int) -> int | None:
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
def machine() -> str:
    """Digest that differs between machines, their boots, and containers with their own process numbers."""
    parts = [platform.node()]
    for path in (Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/pid")):
        try:
            parts.append(str(path.readlink()) if path.is_symlink() else path.read_text(encoding="ascii"))
        except OSError:
            parts.append("")
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:8]
