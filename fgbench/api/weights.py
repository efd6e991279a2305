"""Weights of the run that a user means."""

from __future__ import annotations

import os
from pathlib import Path

from fgbench.api.progress import log


def named_weights(run: str | os.PathLike[str], workdir: str | os.PathLike[str]) -> Path:
    """Return the weights that a user means, in a work folder or in another below ``fgbench-data``; where it
    is another, the log says so.

    Args:
        run: A file of weights, the folder of a run, a folder above that of a single run, or the name of an
            experiment (also ``experiment/fold/seed``).
        workdir: The work folder.

    Raises:
        ConfigError: If several runs match, or one of another program, which has none.
        ManifestError: If none does.
    """
    from fgbench.runs.weights import find_weights, work_folder
    from fgbench.workfolders.default_folders import work_folders

    weights = find_weights(os.fspath(run), Path(workdir), work_folders())
    own = work_folder(weights)
    if own is not None and not Path(run).exists() and own.resolve() != Path(workdir).resolve():
        # As named, not as an absolute path.
        log(f"{'/'.join(weights.parts[-4:-1])} is taken from {weights.parents[4]}")
    return weights
