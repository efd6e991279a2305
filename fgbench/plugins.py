"""Plugins by name: files of fgbench, and modules that other packages declare.

The module ``<name>.py`` in the folder of a kind is the plugin ``<name>`` of it. So is a folder ``<name>``
with a module that is called like one of the kind (``methods/lbp_svm/method.py``). There is nothing to
register: adding a file adds the plugin. Another package declares one as an entry point of the group
``fgbench.<kind>``; one that cannot be used disables only itself. A hyphen in a name that a user types stands
for the underscore of the file name (``dlib-hog`` loads ``dlib_hog.py``).
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from fgbench.errors import ConfigError, FgbenchError
from fgbench.plugin_sketch import Sketch as Sketch
from fgbench.plugin_sketch import sketch_of

if TYPE_CHECKING:
    from fgbench.entry_points import Declared

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

_left_out: dict[str, None] = {}
_added: dict[tuple[str, str], ModuleType] = {}


class PluginError(ConfigError):
    """A plugin of another package cannot be used, or failed."""


def names(kind: str) -> list[str]:
    """Names of all plugins of a kind, sorted, without importing them.

    Args:
        kind: One of :data:`PACKAGES`.
    """
    return sorted({*own_names(kind), *_others(kind), *added_names(kind)})


def added_names(kind: str) -> list[str]:
    """Names of the plugins of a kind that :func:`add` has added, sorted.

    Args:
        kind: One of :data:`PACKAGES`.
    """
    return sorted(name for of_kind, name in _added if of_kind == kind)


def add(kind: str, name: str, module: ModuleType) -> None:
    """Add a plugin to this process; one that was added before under the name is replaced.

    Args:
        kind: One of :data:`PACKAGES`.
        name: As users type it.
        module: See ``fgbench/plugin_shapes.py``.

    Raises:
        PluginError: If the module lacks what its kind has to have.
        ConfigError: If fgbench or a package has a plugin of this name.
    """
    from fgbench.plugin_shapes import shape_fault

    wanted = name.replace("-", "_")
    if wanted in {*_paths(kind), *_others(kind)}:
        raise ConfigError(f"there is a {one_of(kind)} {name!r} already", "choose another name")
    if fault := shape_fault(kind, module):
        raise PluginError(f"the {one_of(kind)} {name} cannot be used: {fault}", "mend its module")
    _added[kind, wanted] = module


def own_names(kind: str) -> list[str]:
    """Names of fgbench's own plugins of a kind, sorted, without importing them.

    Args:
        kind: One of :data:`PACKAGES`.
    """
    return sorted(_paths(kind))


def other_names(kind: str) -> list[str]:
    """Names of the plugins of a kind that other packages declare, sorted, without importing them.

    Args:
        kind: One of :data:`PACKAGES`.
    """
    return sorted(_others(kind))


def _paths(kind: str) -> dict[str, Path]:
    """Name to file of every plugin of fgbench itself."""
    paths = {}
    for folder in map(Path, importlib.import_module(PACKAGES[kind]).__path__):
        for module in pkgutil.iter_modules([str(folder)]):
            path = (
                folder / module.name / f"{one_of(kind)}.py" if module.ispkg else folder / f"{module.name}.py"
            )
            if not module.name.startswith("_") and path.is_file():
                paths[module.name] = path
    return paths


def _others(kind: str) -> dict[str, Declared]:
    return {one.name: one for one in _judged() if one.kind == kind and not one.fault}


def _judged() -> list[Declared]:
    """Plugins declared by other packages, with faults that are known before they are imported."""
    from fgbench.entry_points import PREFIX, declared  # imported only when needed: it takes time

    own: dict[str, dict[str, Path]] = {}
    plugins = []
    for one in declared():
        if not one.fault and one.kind not in PACKAGES:
            kinds = ", ".join(f"{PREFIX}{kind}" for kind in PACKAGES)
            one = replace(one, fault=f"there is no group {PREFIX}{one.kind}, expected one of {kinds}")
        elif not one.fault and one.name in own.setdefault(one.kind, _paths(one.kind)):
            one = replace(one, fault="fgbench has one of this name itself")
        plugins.append(one)
    return plugins


def one_of(kind: str) -> str:
    """Name of one plugin of a kind."""
    return kind.rstrip("s")


def load(kind: str, name: str) -> ModuleType:
    """Import one plugin.

    Args:
        kind: One of :data:`PACKAGES`.
        name: File name without ``.py``; hyphens count as underscores.

    Raises:
        ConfigError: If there is no such plugin; the message lists the existing ones.
        PluginError: If it is of another package and cannot be used.
    """
    wanted = name.replace("-", "_")
    path = _paths(kind).get(wanted)
    if path is not None:
        module = f"{PACKAGES[kind]}.{wanted}"
        return importlib.import_module(module if path.stem == wanted else f"{module}.{one_of(kind)}")
    if (kind, wanted) in _added:
        return _added[kind, wanted]
    others = [one for one in _judged() if one.kind == kind and one.name == wanted]
    if others:
        return _use(min(others, key=lambda one: bool(one.fault)))
    existing = names(kind)
    near = get_close_matches(wanted, existing, n=1)
    meant = f"did you mean {near[0]!r}? " if near else ""
    raise ConfigError(
        f"unknown {one_of(kind)} {name!r}", f"{meant}known {kind}: {', '.join(existing) or 'none'}"
    )


def _use(one: Declared) -> ModuleType:
    module, judged = _tried(one)
    if module is None:
        raise PluginError(_sentence(judged), judged.remedy)
    return module


def _sentence(one: Declared) -> str:
    what = f"{one_of(one.kind)} {one.name.replace('_', '-')} " if one.name else "plugins "
    return f"the {what}of the package {one.origin} cannot be used: {one.fault}"


@lru_cache(maxsize=256)
def _tried(one: Declared) -> tuple[ModuleType | None, Declared]:
    """Return the module of a plugin of another package (``None``: unusable), and it with its fault."""
    if one.fault:
        return None, one
    from fgbench.entry_points import code_fault
    from fgbench.plugin_shapes import shape_fault

    try:
        fault, hint = code_fault(one.module)
        if fault:
            return None, replace(one, fault=fault, hint=hint)
        module = importlib.import_module(one.module)
    except (Exception, SystemExit) as error:  # errors of a foreign module end nothing but itself
        text = " ".join(f"{type(error).__name__}: {error}".split()).rstrip(": ")
        return None, replace(one, fault=f"{one.module} cannot be imported ({text[:300]})")
    fault = shape_fault(one.kind, module)
    return (None, replace(one, fault=fault)) if fault else (module, one)


def loaded(kind: str) -> dict[str, ModuleType]:
    """All plugins of a kind that can be used, by their sorted names.

    Unusable ones of other packages are left out and reported by :func:`left_out`.

    Args:
        kind: One of :data:`PACKAGES`.
    """
    modules = {name: load(kind, name) for name in own_names(kind)}
    for one in _judged():
        if one.kind not in (kind, ""):
            continue
        module, judged = _tried(one)
        if module is None:
            leave_out(_sentence(judged))
        else:
            modules[one.name] = module
    modules |= {name: module for (of_kind, name), module in _added.items() if of_kind == kind}
    return dict(sorted(modules.items()))


def leave_out(sentence: str) -> None:
    """Record for :func:`left_out` an unusable part of another package, with the reason."""
    _left_out[sentence] = None


def left_out() -> list[str]:
    """Return a sentence for each plugin, or part of one, that was left out since the last call."""
    sentences = list(_left_out)
    _left_out.clear()
    return sentences


def installed() -> list[Declared]:
    """The plugins of other packages, each imported to see whether it can be used."""
    return [_tried(one)[1] for one in _judged()]


def package_of(kind: str, name: str) -> str:
    """Package of a plugin, with its version; empty for fgbench's own.

    Args:
        kind: One of :data:`PACKAGES`.
        name: Name of the plugin.
    """
    wanted = name.replace("-", "_")
    if wanted in _paths(kind):
        return ""
    one = _others(kind).get(wanted)
    return one.origin if one is not None else ""


@contextmanager
def explained(kind: str, name: str) -> Iterator[None]:
    """Context that names the package of a plugin in unforeseen errors.

    Args:
        kind: One of :data:`PACKAGES`.
        name: Name of the plugin.

    Raises:
        PluginError: In place of errors of a plugin of another package, except errors of fgbench.
    """
    try:
        yield
    except Exception as error:
        package = "" if isinstance(error, FgbenchError | OSError | MemoryError) else package_of(kind, name)
        if not package:
            raise
        failure = f"{name.replace('_', '-')} of the package {package} failed: {type(error).__name__}: {error}"
        raise PluginError(
            f"the {one_of(kind)} {failure}",
            f"tell its authors; fgbench check-plugin {kind}/{name.replace('_', '-')} tries it, "
            "FGBENCH_DEBUG=1 shows where",
        ) from error


def readable_sketch(kind: str, name: str) -> Sketch:
    """Like :func:`sketch`; if the file cannot be read, or is not found, a summary that says so.

    Args:
        kind: One of :data:`PACKAGES`.
        name: Name from :func:`names`.
    """
    try:
        return sketch(kind, name)
    except (SyntaxError, ValueError, OSError) as error:
        return Sketch(summary=f"Cannot be read: {error}", names=frozenset())


def sketch(kind: str, name: str) -> Sketch:
    """Read the file of a plugin without importing it, which may take seconds.

    Args:
        kind: One of :data:`PACKAGES`.
        name: Name from :func:`names`.

    Raises:
        FileNotFoundError: If there is no such file.
        SyntaxError: If it is not Python.
    """
    path = _paths(kind).get(name)
    if path is None and name in (others := _others(kind)):
        from fgbench.entry_points import source_file

        path = source_file(others[name].module)
    if path is None:
        raise FileNotFoundError(f"no {one_of(kind)} {name}")
    return sketch_of(path)
