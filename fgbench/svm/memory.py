"""Check that a Gram matrix fits into memory before it is allocated.

A kernel between n training samples has n * n numbers, so it outgrows a machine suddenly; the system then
kills the process without a message. Available is the least of Linux's numbers: free memory of the machine,
the limits of the control groups (containers, batch systems) and that of the process (``ulimit -v``).
"""

from __future__ import annotations

import os
from pathlib import Path

from fgbench.errors import ResourceError

_UNLIMITED = 1 << 62
"""Control groups of version 1 write a number of this size for no limit."""


def require_memory(needed: int, *, what: str, hint: str, available: int | None = None) -> None:
    """Refuse work that does not fit into memory.

    Args:
        needed: Bytes that it allocates at its peak.
        what: The work in words, for the message.
        hint: Advice for the user.
        available: Free bytes; ``None`` asks the system.

    Raises:
        ResourceError: If more is needed than is free.
    """
    free = available_bytes() if available is None else available
    if free is not None and needed > free:
        raise ResourceError(
            f"{what} takes {needed / 1e9:.1f} GB of memory ({needed} bytes), {free / 1e9:.1f} GB "
            f"({free} bytes) are there",
            hint,
        )


def available_bytes(root: Path = Path("/")) -> int | None:
    """Return the bytes that this process may still allocate; ``None`` if the system does not report them.

    Args:
        root: Parent of ``proc`` and ``sys``.
    """
    limits = [_free(root), *_group_rests(root), _process_rest(root)]
    reported = [value for value in limits if value is not None]
    return max(0, min(reported)) if reported else None


def _free(root: Path) -> int | None:
    """Return the memory of the machine that can be allocated without swapping."""
    for line in _lines(root / "proc/meminfo"):
        name, _, value = line.partition(":")
        if name == "MemAvailable":
            return int(value.split()[0]) * 1024
    if not hasattr(os, "sysconf"):  # not on Windows
        return None
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError):
        return None  # not reported on other systems, e.g. macOS


def _group_rests(root: Path) -> list[int | None]:
    """Return the bytes that the control groups of the process, and those above them, still allow."""
    rests: list[int | None] = []
    mount = root / "sys/fs/cgroup"
    for line in _lines(root / "proc/self/cgroup"):
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            base, names = mount, ("memory.max", "memory.current", "inactive_file")
        elif "memory" in controllers.split(","):
            base = mount / "memory"
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
        else:
            continue
        parts = [part for part in path.split("/") if part not in ("", "..")]
        # Within a container the path is that of the host; its own group is then the mounted one itself.
        for depth in range(len(parts), -1, -1):
            rests.append(_group_rest(base.joinpath(*parts[:depth]), *names))
    return rests


def _group_rest(group: Path, limit: str, usage: str, cached: str) -> int | None:
    most, used = _number(group / limit), _number(group / usage)
    if most is None or used is None or most >= _UNLIMITED:
        return None
    # Cached pages of files are freed when memory is needed.
    rows = (line.split() for line in _lines(group / "memory.stat"))
    files = sum(int(row[1]) for row in rows if len(row) == 2 and row[0] == cached)
    return most - used + files


def _process_rest(root: Path) -> int | None:
    """Return the bytes that the limit of the process's address space still allows."""
    try:
        import resource
    except ImportError:  # not on Windows
        return None
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    size = _lines(root / "proc/self/statm")
    if limit == resource.RLIM_INFINITY or not size:
        return None
    return limit - int(size[0].split()[0]) * os.sysconf("SC_PAGE_SIZE")


def _number(path: Path) -> int | None:
    lines = _lines(path)
    return int(lines[0]) if lines and lines[0].strip().isdigit() else None


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return []
