"""Folders of data sets on this machine, below the folder that ``FGBENCH_DATA`` names."""

from __future__ import annotations

import os
from pathlib import Path

VARIABLE = "FGBENCH_DATA"
"""Environment variable: a folder with one folder per data set, named like its recipe or its adapter."""


def remembered_root(*names: str, base: Path | None = None) -> Path | None:
    """Find the folder of a data set by its names; ``None`` if it is not on this machine.

    Args:
        names: In order of preference, e.g. the recipe's and the adapter's; hyphens count as underscores.
        base: Folder that holds the data sets; ``None`` takes the one from the environment.
    """
    folder = base or (Path(os.environ[VARIABLE]) if os.environ.get(VARIABLE) else None)
    if folder is None or not folder.is_dir():
        return None
    there = {_plain(path.name): path for path in sorted(folder.iterdir()) if path.is_dir()}
    return next((there[_plain(name)] for name in names if _plain(name) in there), None)


def _plain(name: str) -> str:
    return name.lower().replace("_", "-")
