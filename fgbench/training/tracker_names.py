"""Names of the experiment trackers that a training can report to; imports none of them."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from difflib import get_close_matches

from fgbench.errors import ConfigError, package_missing

TRACKERS = {"tensorboard": "tensorboard", "mlflow": "mlflow", "wandb": "wandb", "trackio": "trackio"}
"""Module that each needs, by its name. The curves of TensorBoard are written in any case."""


def check_trackers(names: Sequence[str]) -> tuple[str, ...]:
    """Return names of trackers, each once, in the order in which they are named.

    Raises:
        ConfigError: If there is no such tracker.
        DependencyError: If its package is not installed.
    """
    for name in names:
        if name not in TRACKERS:
            near = get_close_matches(name, TRACKERS, n=1)
            meant = f"did you mean {near[0]!r}? " if near else ""
            raise ConfigError(f"unknown tracker {name!r}", f"{meant}there are {', '.join(TRACKERS)}")
        if importlib.util.find_spec(TRACKERS[name]) is None:
            raise package_missing(f"the tracker {name} needs", TRACKERS[name], install=name)
    return tuple(dict.fromkeys(names))
