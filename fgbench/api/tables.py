"""Tables and figures of a work folder's runs, as values."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fgbench.api.arguments import name_of, paths_of, shown
from fgbench.errors import ArgumentError, ConfigError
from fgbench.reports.paper.numerals import ROMAN as ROMAN

if TYPE_CHECKING:
    from types import ModuleType

    from fgbench.reports.rendering.table import Figure as Figure
    from fgbench.reports.rendering.table import Table as Table


def table_names() -> list[str]:
    """Return the names of all tables: the paper's by their numbers, ``"I"`` to ``"VII"``, then the others,
    those of other packages too."""
    from fgbench import plugins

    numbered = {f"table{number}" for number in ROMAN.values()}
    return [*ROMAN, *(name for name in plugins.names("tables") if name not in numbered)]


def figure_names() -> list[str]:
    """Return the names of all figures: the paper's by their numbers, e.g. ``"3"``, and the others."""
    from fgbench import plugins

    return [name.removeprefix("figure") for name in plugins.names("figures")]


def table(workdirs: str | os.PathLike[str] | Sequence[str | os.PathLike[str]], name: str | int) -> Table:
    """Return a table of the runs of a work folder, or of several where it shows a data set each.

    Args:
        workdirs: One or more.
        name: Its number, ``"I"``, ``"1"`` or 1, or its name.

    Raises:
        ArgumentError: If several work folders are named, and it is of one.
        ConfigError: If there is no such table; or it is of another package, and fails or gives something
            else.
        ManifestError: If there are no runs for it, or they are damaged.
    """
    from fgbench.reports.rendering.table import Table

    made = built("tables", table_name(name), paths_of("workdirs", workdirs, example="work.path"))
    assert isinstance(made, Table)
    return made


def figure(workdirs: str | os.PathLike[str] | Sequence[str | os.PathLike[str]], name: str | int) -> Figure:
    """Return a figure of the runs of a work folder, or of several; arguments and errors as of :func:`table`.

    Args:
        workdirs: One or more.
        name: Its number, e.g. ``"3"`` or 3, or its name, e.g. ``"attention"``.
    """
    from fgbench.reports.rendering.table import Figure

    made = built("figures", figure_name(name), paths_of("workdirs", workdirs, example="work.path"))
    assert isinstance(made, Figure)
    return made


def leaderboard(workdir: str | os.PathLike[str]) -> list[Table]:
    """Return all runs of a work folder by their mean accuracy, with intervals: a table each of images, of
    clips, and of networks from other data.

    Raises:
        ManifestError: If there are none, or manifests are damaged.
    """
    from fgbench.reports.comparison.leaderboard import leaderboard as ranked

    return list(ranked(Path(workdir)))


def asked_items(table: str | None, figure: str | None) -> list[tuple[str, str]]:
    """Return kind and full name of the tables and figures that are named; all there are where none is."""
    from fgbench import plugins

    named = [("tables", table_name(table))] if table is not None else []
    named += [("figures", figure_name(figure))] if figure is not None else []
    return named or [(kind, name) for kind in ("tables", "figures") for name in plugins.names(kind)]


def built(kind: str, name: str, workdirs: Sequence[Path]) -> Table | Figure:
    """Return a table or figure, by the full name of its plug-in; errors as of :func:`table`."""
    from fgbench import plugins
    from fgbench.reports.rendering.table import Figure, Table

    module = plugins.load(kind, name)
    wanted = Table if kind == "tables" else Figure
    with plugins.explained(kind, name):
        made = _made(module, name, workdirs)
        if not isinstance(made, wanted):
            raise TypeError(f"it gave {type(made).__name__}, expected {wanted.__name__}")
        return made


def _made(module: ModuleType, name: str, workdirs: Sequence[Path]) -> Table | Figure:
    if len(workdirs) == 1:
        single: Table | Figure = module.build(workdirs[0])
        return single
    if not hasattr(module, "build_of"):
        raise ArgumentError(f"{len(workdirs)} work folders, but {name} is of one", argument="workdir")
    several: Table | Figure = module.build_of(list(workdirs))
    return several


def table_name(typed: Any) -> str:
    """Return the full name of a table: ``"table1"`` for ``"I"``, ``"1"`` or 1; others have their own.

    Raises:
        ConfigError: If it is no name and no number.
    """
    name = _named("table", typed, example="'II'")
    number = str(ROMAN.get(name.upper(), name))
    return f"table{number}" if number.isdecimal() else name


def figure_name(typed: Any) -> str:
    """Return the full name of a figure: ``"figure3"`` for ``"3"`` or 3; others have their own.

    Raises:
        ConfigError: If it is no name and no number.
    """
    name = _named("figure", typed, example="6")
    return f"figure{name}" if name.isdecimal() else name


def _named(kind: str, typed: Any, *, example: str) -> str:
    if isinstance(typed, bool) or not isinstance(typed, str | int):
        raise ConfigError(f"{kind} {shown(typed)}, expected a name or a number", f"e.g. {example}")
    return name_of(kind, str(typed), example=example)
