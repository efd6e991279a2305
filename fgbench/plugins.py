"""Plugins by file name: the module ``fgbench/<kind>/<name>.py`` is the plugin ``<name>`` of that kind.

There is nothing to register: adding a file adds the plugin. A hyphen in a name that a user types stands for
the underscore of the file name (``dlib-hog`` loads ``dlib_hog.py``).
"""

from __future__ import annotations

import importlib
import pkgutil
from difflib import get_close_matches
from types import ModuleType

from fgbench.errors import ConfigError


def names(kind: str) -> list[str]:
    """Names of all plugins of a kind, sorted, without importing them.

    Args:
        kind: Name of a sub-package of ``fgbench``, e.g. ``"detectors"``.
    """
    package = importlib.import_module(f"fgbench.{kind}")
    found = (module.name for module in pkgutil.iter_modules(package.__path__))
    return sorted(name for name in found if not name.startswith("_"))


def load(kind: str, name: str) -> ModuleType:
    """Import one plugin.

    Args:
        kind: Name of a sub-package of ``fgbench``, e.g. ``"detectors"``.
        name: File name without ``.py``; hyphens count as underscores.

    Raises:
        ConfigError: If there is no such plugin; the message lists what there is.
    """
    wanted = name.replace("-", "_")
    known = names(kind)
    if wanted not in known:
        near = get_close_matches(wanted, known, n=1)
        meant = f"did you mean {near[0]!r}? " if near else ""
        raise ConfigError(
            f"unknown {kind.rstrip('s')} {name!r}", f"{meant}known {kind}: {', '.join(known) or 'none'}"
        )
    return importlib.import_module(f"fgbench.{kind}.{wanted}")
