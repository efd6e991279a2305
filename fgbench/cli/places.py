"""Default folders of the commands, all below ``./fgbench-data``."""

from __future__ import annotations

from pathlib import Path

BASE = Path("fgbench-data")
DEMO_ROOT = BASE / "demo" / "data"
"""The embedded data set."""
DEMO_WORKDIR = BASE / "demo" / "work"
"""Work folder of the embedded data set."""


def workdir_for(root: Path) -> Path:
    """Default work folder of a data set of the user's."""
    return BASE / root.resolve().name / "work"
