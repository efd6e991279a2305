"""Memory that a Gram matrix takes, compared with what is there before any of it is taken.

A kernel between n training samples has n * n numbers, so it outgrows a machine suddenly; the system then
kills the process without a word. What is there is the least of what Linux tells: free memory of the machine,
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
        needed: Bytes that it takes at its peak, beside what is held now.
        what: The work in words, for the message.
        hint: What the user can do.
        available: Bytes that are there; ``None`` asks the system.

    Raises:
        ResourceError: If more is needed than is there.
    """
    there = available_bytes() if available is None else available
    if there is not None and needed > there:
        raise ResourceError(
            f"{what} takes {needed / 1e9:.1f} GB of memory ({needed} bytes), {there / 1e9:.1f} GB "
            f"({there} bytes) are there",
            hint,
        )


def available_bytes(root: Path = Path("/")) -> int | None:
    """Bytes that this process may still take; ``None`` where the system does not tell.

    Args:
        root: Where ``proc`` and ``sys`` lie.
    """
    found = [_free(root), *_group_rests(root), _process_rest(root)]
    known = [value for value in found if value is not None]
    return max(0, min(known)) if known else None


def _free(root: Path) -> int | None:
    """Memory of the machine that can be taken without swapping."""
    for line in _lines(root / "proc/meminfo"):
        name, _, value = line.partition(":")
        if name == "MemAvailable":
            return int(value.split()[0]) * 1024
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError):
        return None  # another system, e.g. macOS, does not tell


def _group_rests(root: Path) -> list[int | None]:
    """What the control groups of the process, and those above them, still allow."""
    found: list[int | None] = []
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
            found.append(_group_rest(base.joinpath(*parts[:depth]), *names))
    return found


def _group_rest(group: Path, limit: str, usage: str, cached: str) -> int | None:
    most, used = _number(group / limit), _number(group / usage)
    if most is None or used is None or most >= _UNLIMITED:
        return None
    # Pages of files that were read are given back when memory is needed.
    rows = (line.split() for line in _lines(group / "memory.stat"))
    files = sum(int(row[1]) for row in rows if len(row) == 2 and row[0] == cached)
    return most - used + files


def _process_rest(root: Path) -> int | None:
    """What the limit of the process's address space still allows."""
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
