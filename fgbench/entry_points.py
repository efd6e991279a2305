"""Plugins of other packages: declarations in their entry points, read without importing the packages.

A package declares a plugin in the group ``fgbench.<kind>``: its name and its module. Nothing is
taken from folders of data: neither from the current directory nor from a work folder, however they came onto
the path of modules.
"""

from __future__ import annotations

import importlib.util
import re
import sys
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.machinery import ModuleSpec, PathFinder
from importlib.metadata import Distribution, distributions
from pathlib import Path

PREFIX = "fgbench."
"""Prefix of the groups of entry points, before the kind of plugin."""

WORK_MARKS = (".fgbench-work.json", "prepare.json")
"""Files by which a work folder is recognised."""

_NAME = re.compile(r"[a-z][a-z0-9]*(?:[_-][a-z0-9]+)*\Z")
_MODULE = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*\Z")
_LONGEST = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """A plugin as declared by a package.

    Attributes:
        kind: Kind of plugin, from its group.
        name: Name with underscores.
        module: Module that is the plugin.
        package: Name of the package.
        version: Version of the package.
        fault: Why it is not used; empty if no fault is known.
        hint: What to do about the fault; empty: update or uninstall the package.
    """

    kind: str
    name: str
    module: str
    package: str
    version: str
    fault: str = ""
    hint: str = ""

    @property
    def origin(self) -> str:
        """Package and version."""
        return f"{self.package} {self.version}".rstrip()

    @property
    def remedy(self) -> str:
        """Advice on the fault."""
        return self.hint or f"update {self.package}, or uninstall it"


def declared() -> tuple[Declared, ...]:
    """All plugins that installed packages declare, by package, kind and name.

    If two packages declare the same name, the first in the alphabet has it.
    """
    return _declared(tuple(sys.path), _here())


@lru_cache(maxsize=4)
def _declared(path: tuple[str, ...], here: Path | None) -> tuple[Declared, ...]:
    """All declared plugins, cached by the path of modules and the current directory."""
    plugins: dict[Declared, None] = {}
    seen: set[str] = set()
    for package in distributions():
        ones = _of_package(package, here)
        key = re.sub("[-_.]+", "-", ones[0].package).lower() if ones else ""
        if key in seen:  # an older version further down the path, from which nothing is imported
            continue
        if any(one.module and not one.fault for one in ones):
            seen.add(key)
        plugins |= dict.fromkeys(ones)
    holders: dict[tuple[str, str], Declared] = {}
    settled = []
    for one in sorted(plugins, key=lambda one: (one.package.lower(), one.kind, one.name, one.module)):
        holder = one if one.fault else holders.setdefault((one.kind, one.name), one)
        taken = f"the package {holder.package} has the name already"
        settled.append(one if holder is one else replace(one, fault=taken))
    return tuple(settled)


def _of_package(package: Distribution, here: Path | None) -> list[Declared]:
    """Plugins that one package declares; for most packages the file of entry points decides."""
    try:
        text = package.read_text("entry_points.txt")
    except (OSError, UnicodeDecodeError):
        return []
    if not text or f"[{PREFIX}" not in text:
        return []
    name, version = _named(package)
    folder = Path(str(package.locate_file("")))
    fault, hint = _folder_fault(folder, here, "its package")
    try:
        points = list(package.entry_points)
    except (TypeError, ValueError):
        fault = "its entry points cannot be read"
        return [Declared(kind="", name="", module="", package=name, version=version, fault=fault)]
    return [
        Declared(
            kind=point.group.removeprefix(PREFIX),
            name=point.name.replace("-", "_"),
            module=point.value,
            package=name,
            version=version,
            fault=fault or _writing_fault(point.name, point.value),
            hint=hint,
        )
        for point in points
        if point.group.startswith(PREFIX)
    ]


def _named(package: Distribution) -> tuple[str, str]:
    """Name and version of a package, as far as its metadata have them."""
    try:
        metadata = package.metadata
        return metadata["Name"] or "unnamed", metadata["Version"] or ""
    except (OSError, UnicodeDecodeError, KeyError, TypeError):
        return "unnamed", ""


def _writing_fault(name: str, value: str) -> str:
    """Fault in the text of an entry point; empty if there is none."""
    if not _NAME.match(name) or len(name) > _LONGEST:
        return f"{name[:_LONGEST]!r} is no name: expected small letters, digits and single hyphens"
    if not _MODULE.match(value):
        return f"its entry point is {value[:_LONGEST]!r}, expected a module, as 'package.module'"
    return ""


def _here() -> Path | None:
    try:
        return Path.cwd().resolve()
    except OSError:  # it was deleted
        return None


def _folder_fault(folder: Path, here: Path | None, what: str) -> tuple[str, str]:
    """Return why nothing is imported from a folder of modules, and what to do; both empty if it may be."""
    if not folder.is_absolute() or folder.resolve() == here:
        return (
            f"{what} lies in the current directory, where data may lie and nothing is loaded from",
            "use fgbench from another folder",
        )
    if not folder.is_dir():
        return f"{what} does not lie in a folder", "install it with pip, into a folder"
    for above in (folder.resolve(), *folder.resolve().parents):
        is_older = (above / WORK_MARKS[1]).is_file() and (above / "manifests").is_dir()
        if is_older or (above / WORK_MARKS[0]).is_file():
            return f"{what} lies in the work folder {above}", "install it elsewhere: work folders hold data"
    return "", ""


def code_fault(module: str) -> tuple[str, str]:
    """Return why the code of a module must not be run, by its location, and what to do.

    Both are empty if it may be run, or does not exist.
    """
    spec = importlib.util.find_spec(module.partition(".")[0])
    if spec is None:
        return "", ""
    if spec.submodule_search_locations is not None:
        folders = [Path(location).parent for location in spec.submodule_search_locations]
    else:
        folders = [] if spec.origin is None else [Path(spec.origin).parent]
    faults = (_folder_fault(folder, _here(), "its code") for folder in folders)
    return next((fault for fault in faults if fault[0]), ("", ""))


def source_file(module: str) -> Path | None:
    """Return the file of a module, found without importing its parent packages; ``None`` if there is none."""
    top, *inner = module.split(".")
    spec: ModuleSpec | None = importlib.util.find_spec(top)
    for number, _ in enumerate(inner, start=2):
        if spec is None or spec.submodule_search_locations is None:
            return None
        spec = PathFinder.find_spec(".".join([top, *inner][:number]), list(spec.submodule_search_locations))
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        return None
    return Path(spec.origin)
