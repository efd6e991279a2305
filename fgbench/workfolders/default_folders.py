"""Default folders of the commands, all below ``./fgbench-data``."""

from __future__ import annotations

from pathlib import Path

BASE = Path("fgbench-data")
DEMO_ROOT = BASE / "demo" / "data"
"""The embedded data set."""
DEMO_WORKDIR = BASE / "demo" / "work"
"""Work folder of the embedded data set."""
REMOTE = BASE / "remote"
"""Mirrors of data sets at URLs."""
COPIES = BASE / "copies"
"""Copies of work folders at URLs."""


def work_folders() -> list[Path]:
    """All work folders at their default paths."""
    return sorted(path for path in BASE.glob("*/work") if path.is_dir())


def for_messages(path: Path) -> Path:
    """Path for messages: relative to the current folder where it is below that, else unchanged."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_absolute() and path.is_relative_to(here) else path


_ANY_DATA = ("default", "folder")
"""Packed recipes that are not for a specific data set."""


def workdir_for(root: Path, recipe: str | None = None) -> Path:
    """Default work folder of a user's data set.

    Args:
        root: Its folder.
        recipe: Packed recipe or file of one; a packed one for a specific data set gives the name.
    """
    is_packed = recipe is not None and not recipe.endswith((".yaml", ".yml"))
    if recipe is not None and is_packed and recipe.replace("_", "-") not in _ANY_DATA:
        return BASE / recipe.replace("_", "-") / "work"
    return BASE / root.resolve().name / "work"
