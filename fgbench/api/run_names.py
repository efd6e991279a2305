"""Names of the experiments of a work folder, without reading any."""

from __future__ import annotations

import os
from pathlib import Path


def experiment_names(workdir: str | os.PathLike[str] | None = None) -> list[str]:
    """Return the names of the folders of experiments, finished or not, sorted.

    Args:
        workdir: Work folder; ``None``: that of the embedded data set. Of one that cannot be read there are
            none.
    """
    from fgbench.workfolders.default_folders import DEMO_WORKDIR
    from fgbench.workfolders.layout import RUNS

    try:
        entries = list((Path(workdir or DEMO_WORKDIR) / RUNS).iterdir())
    except OSError:
        return []
    return sorted(one.name for one in entries if one.is_dir() and not one.name.startswith("."))
