"""Contract of each kind of plugin, tried on one plugin: the same for fgbench's own and for those of others.

A check loads the plugin, inspects its module and calls it with small inputs; it needs no data set and leaves
nothing behind.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType

from fgbench import plugins
from fgbench.contracts.datasets import dataset_faults
from fgbench.contracts.engines import engine_faults
from fgbench.contracts.media import decoder_faults, detector_faults
from fgbench.contracts.methods import method_faults
from fgbench.contracts.reports import figure_faults, table_faults
from fgbench.contracts.stages import stage_faults
from fgbench.errors import ConfigError

CHECKS: Mapping[str, Callable[[str, ModuleType], list[str]]] = {
    "datasets": dataset_faults,
    "decoders": decoder_faults,
    "detectors": detector_faults,
    "engines": engine_faults,
    "figures": figure_faults,
    "methods": method_faults,
    "stages": stage_faults,
    "tables": table_faults,
}
"""Kind to its contract."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """Result of a check of a plugin.

    Attributes:
        kind: Its kind.
        name: Its name, with hyphens.
        package: Its package, with the version; empty for fgbench's own.
        faults: Violations of the contract, one line each; empty if there are none.
    """

    kind: str
    name: str
    package: str
    faults: tuple[str, ...]


def check(kind: str, name: str) -> Checked:
    """Check a plugin.

    Args:
        kind: One of :data:`fgbench.plugins.PACKAGES`.
        name: Name of the plugin.

    Raises:
        ConfigError: If there is no such plugin.
    """
    package = plugins.package_of(kind, name)
    typed = name.replace("_", "-")
    try:
        module = plugins.load(kind, name)
    except plugins.PluginError as error:
        return Checked(kind=kind, name=typed, package=package, faults=(error.message,))
    return Checked(kind=kind, name=typed, package=package, faults=tuple(faults(kind, name, module)))


def faults(kind: str, name: str, module: ModuleType) -> list[str]:
    """Violations of the contract by a plugin; empty if there are none.

    Args:
        kind: One of :data:`CHECKS`.
        name: Name of the plugin.
        module: Its module.
    """
    try:
        return CHECKS[kind](name.replace("-", "_"), module)
    except Exception as error:  # a contract calls code of other authors
        return [f"failed: {type(error).__name__}: {error}"]


def kinds_named(name: str) -> list[str]:
    """Kinds that have a plugin of this name.

    Args:
        name: Name, or kind and name as ``datasets/mine``.

    Raises:
        ConfigError: If there is no such kind, or no plugin of this name.
    """
    kind, slash, inner = name.partition("/")
    if slash:
        kinds = [key for key in plugins.PACKAGES if kind in (key, plugins.one_of(key))]
        if not kinds:
            raise ConfigError(f"unknown kind of plug-in {kind!r}", f"kinds: {', '.join(plugins.PACKAGES)}")
        return kinds
    wanted = inner or name.replace("-", "_")
    names_of = {key: {*plugins.names(key), *_faulty(key)} for key in plugins.PACKAGES}
    matching = [key for key, names in names_of.items() if wanted in names]
    if not matching:
        raise ConfigError(f"unknown plug-in {name!r}", "fgbench doctor lists those of other packages")
    return matching


def _faulty(kind: str) -> set[str]:
    return {one.name for one in plugins.installed() if one.kind == kind}
