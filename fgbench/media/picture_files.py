"""Names of picture files: those of a folder, in their natural order. Lists folders."""

from __future__ import annotations

import os
import re
from pathlib import Path

from fgbench.media.kinds import is_frame

_NUMBER = re.compile(r"([0-9]+)")


def natural_key(name: str) -> tuple[list[tuple[int, str]], str]:
    """Sort key that orders numbers in names by value; the name itself decides between equals."""
    pieces = _NUMBER.split(name.lower())
    return [(int(piece), "") if number % 2 else (0, piece) for number, piece in enumerate(pieces)], name


def picture_names(folder: Path) -> list[str]:
    """File names of the pictures in a folder, in natural order; subfolders are not entered.

    Recognised by their names (:func:`fgbench.media.kinds.is_frame`): nothing is opened.

    Raises:
        OSError: If the folder cannot be listed.
    """
    with os.scandir(folder) as items:
        names = [item.name for item in items if is_frame(item.name)]  # no system call per file
    return sorted(names, key=natural_key)
