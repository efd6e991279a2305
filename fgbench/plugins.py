"""Plugins by file name: the module ``fgbench/<kind>/<name>.py`` is the plugin ``<name>`` of that kind.

There is nothing to register: adding a file adds the plugin. A hyphen in a name that a user types stands for
the underscore of the file name (``dlib-hog`` loads ``dlib_hog.py``).
"""

from __future__ import annotations

import ast
import importlib
import pkgutil
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Sketch:
    """What the file of a plugin tells without being run.

    Attributes:
        summary: First line of its docstring; empty without one.
        names: Names that it assigns at the top level.
    """

    summary: str
    names: frozenset[str]


def sketch(kind: str, name: str) -> Sketch:
    """Read the file of a plugin without importing it, which may take seconds.

    Args:
        kind: Name of a sub-package of ``fgbench``.
        name: As :func:`names` gives it.

    Raises:
        FileNotFoundError: If there is no such file.
        SyntaxError: If it is not Python.
    """
    folders = [Path(folder) for folder in importlib.import_module(f"fgbench.{kind}").__path__]
    paths = [path for folder in folders if (path := folder / f"{name}.py").is_file()]
    if not paths:
        raise FileNotFoundError(f"no {name}.py in {', '.join(map(str, folders))}")
    tree = ast.parse(paths[0].read_text(encoding="utf-8"), filename=str(paths[0]))
    targets = [
        target
        for node in tree.body
        if isinstance(node, ast.Assign | ast.AnnAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
    ]
    return Sketch(
        summary=(ast.get_docstring(tree) or "").partition("\n")[0],
        names=frozenset(target.id for target in targets if isinstance(target, ast.Name)),
    )
