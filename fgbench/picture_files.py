"""Names of picture files: which files are pictures, and their natural order in a folder. Lists folders."""

from __future__ import annotations

import os
import re
from pathlib import Path

PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", ".ppm", ".pgm"})
"""Suffixes of still pictures, lower case."""

_NUMBER = re.compile(r"([0-9]+)")


def natural_key(name: str) -> tuple[list[tuple[int, str]], str]:
    """Sort key under which numbers in names count by their value; the name decides between equals."""
    pieces = _NUMBER.split(name.lower())
    return [(int(piece), "") if number % 2 else (0, piece) for number, piece in enumerate(pieces)], name


def is_picture(name: str) -> bool:
    """Whether a file is a picture by its name, and not hidden."""
    return not name.startswith(".") and os.path.splitext(name)[1].lower() in PICTURE_SUFFIXES  # noqa: PTH122


def picture_names(folder: Path) -> list[str]:
    """File names of the pictures in a folder, in natural order; folders inside it are not entered.

    Raises:
        OSError: If the folder cannot be listed.
    """
    with os.scandir(folder) as items:
        found = [item.name for item in items if is_picture(item.name)]  # asks nothing of files
    return sorted(found, key=natural_key)
