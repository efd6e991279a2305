"""The method of a trained network, by the kind in its weights.

The methods of fgbench state their kind in ``fgbench/methods/<method>/opened.py`` (``KIND``). Any other kind
is the name of a plugin method, whose module has ``open_trained(trained, device)``.
"""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path
from types import ModuleType
from typing import cast

import torch

import fgbench.methods
from fgbench import plugins
from fgbench.errors import ManifestError
from fgbench.methods.protocol import Opened
from fgbench.runs.weights import Trained

_OPENED = "opened"
_OPEN = "open_trained"


def open_trained(trained: Trained, device: torch.device) -> Opened:
    """Build the network of trained weights.

    Args:
        trained: The weights.
        device: Device to put it on.

    Raises:
        ManifestError: If no method makes such weights, or they do not fit the network that they describe.
    """
    module = _module_of(trained.kind)
    if module is None:
        kinds = ", ".join([*sorted(_own_kinds()), "and methods that are plugins"])
        raise ManifestError(
            f"{trained.path} has weights of kind {trained.kind!r}, expected one that a method makes "
            f"({kinds})",
            "give a run of fgbench train or of a network of fgbench baseline; the plugin that made it has to "
            f"be installed, and to have {_OPEN}",
        )
    return cast(Opened, getattr(module, _OPEN)(trained, device))


def _module_of(kind: str) -> ModuleType | None:
    """Return the module that opens weights of a kind; ``None`` if there is none."""
    if (own := _own_kinds().get(kind)) is not None:
        return own
    if kind.replace("-", "_") not in plugins.names("methods"):
        return None
    module = plugins.load("methods", kind)
    return module if hasattr(module, _OPEN) else None


def _own_kinds() -> dict[str, ModuleType]:
    """Return the modules of fgbench's own methods by their kinds."""
    package = fgbench.methods
    modules = {}
    for folder in map(Path, package.__path__):
        for module in pkgutil.iter_modules([str(folder)]):
            if module.ispkg and (folder / module.name / f"{_OPENED}.py").is_file():
                opened = importlib.import_module(f"{package.__name__}.{module.name}.{_OPENED}")
                modules[str(opened.KIND)] = opened
    return modules
