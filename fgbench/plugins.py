"""Plugins by file name: the module ``<name>.py`` in the folder of a kind is the plugin ``<name>`` of it.

So is a folder ``<name>`` with a module that is called like one of the kind (``methods/lbp_svm/method.py``).
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

PACKAGES = {
    "datasets": "fgbench.datasets",
    "decoders": "fgbench.media.decoders",
    "detectors": "fgbench.faces.detectors",
    "engines": "fgbench.preparation.engines",
    "figures": "fgbench.reports.figures",
    "methods": "fgbench.methods",
    "stages": "fgbench.preparation.stages",
    "tables": "fgbench.reports.tables",
}
"""Kinds of plugins, and the package that holds those of fgbench."""


def names(kind: str) -> list[str]:
    """Names of all plugins of a kind, sorted, without importing them.

    Args:
        kind: One of :data:`PACKAGES`.
    """
    return sorted(_paths(kind))


def _paths(kind: str) -> dict[str, Path]:
    """The file of every plugin by its name."""
    found = {}
    for folder in map(Path, importlib.import_module(PACKAGES[kind]).__path__):
        for module in pkgutil.iter_modules([str(folder)]):
            path = folder / module.name / f"{_one(kind)}.py" if module.ispkg else folder / f"{module.name}.py"
            if not module.name.startswith("_") and path.is_file():
                found[module.name] = path
    return found


def _one(kind: str) -> str:
    """Name of one plugin of a kind."""
    return kind.rstrip("s")


def load(kind: str, name: str) -> ModuleType:
    """Import one plugin.

    Args:
        kind: One of :data:`PACKAGES`.
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
            f"unknown {_one(kind)} {name!r}", f"{meant}known {kind}: {', '.join(known) or 'none'}"
        )
    module = f"{PACKAGES[kind]}.{wanted}"
    is_folder = _paths(kind)[wanted].stem != wanted
    return importlib.import_module(f"{module}.{_one(kind)}" if is_folder else module)


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
        kind: One of :data:`PACKAGES`.
        name: As :func:`names` gives it.

    Raises:
        FileNotFoundError: If there is no such file.
        SyntaxError: If it is not Python.
    """
    path = _paths(kind).get(name)
    if path is None:
        raise FileNotFoundError(f"no {_one(kind)} {name}")
    tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
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
