"""Whole paths in tables of other programs, which name the files of a data set where these once lay."""

from __future__ import annotations

import re

from fgbench.naming import tidy

_DRIVE = re.compile(r"[A-Za-z]:[\\/]")


def tails(name: str) -> list[str]:
    """The ends of a whole path, the longest first, e.g. ``film1/a.mp4``, ``a.mp4``; none of any other name.

    Args:
        name: As a table has it; paths of Windows too.
    """
    if _DRIVE.match(name):
        name = name[2:].replace("\\", "/")
    if not name.startswith("/"):
        return []
    steps = [step for step in tidy(name).split("/") if step not in ("", ".")]
    return [] if ".." in steps else ["/".join(steps[place:]) for place in range(len(steps))]
