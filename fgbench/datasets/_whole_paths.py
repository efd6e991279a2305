"""Absolute paths in tables of other programs, which name the files of a data set at a former location."""

from __future__ import annotations

import re

from fgbench.naming import tidy

_DRIVE = re.compile(r"[A-Za-z]:[\\/]")


def tails(name: str) -> list[str]:
    """Ends of an absolute path, the longest first, e.g. ``film1/a.mp4``, ``a.mp4``; empty for any other name.

    Args:
        name: Name in a table; also an absolute path of Windows.
    """
    if _DRIVE.match(name):
        name = name[2:].replace("\\", "/")
    if not name.startswith("/"):
        return []
    steps = [step for step in tidy(name).split("/") if step not in ("", ".")]
    return [] if ".." in steps else ["/".join(steps[first:]) for first in range(len(steps))]
