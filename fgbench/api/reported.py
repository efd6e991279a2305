"""``Work.table``, ``Work.figure`` and ``Work.leaderboard``: reports of a work folder as values."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from fgbench.api.arguments import name_of, shown
from fgbench.api.report_values import Figure, Table
from fgbench.errors import ConfigError
from fgbench.reports.paper.numerals import ROMAN

_Made = TypeVar("_Made")


class Reported:
    """Tables and figures of a work folder."""

    path: Path

    def table(self, name: str | int = "II") -> Table:
        """Return a table of the paper with the runs of this work folder beside the paper's numbers.

        Args:
            name: ``"I"`` to ``"VII"``, a number, or the name of a table of another package.

        Raises:
            ConfigError: If there is no such table.
            ManifestError: If no run has been made that it could show, or one is damaged.
        """
        from fgbench.reports.rendering.table import Table as ReportTable

        return Table(_built("tables", _name("table", name), self.path, ReportTable))

    def figure(self, name: str | int) -> Figure:
        """Return a figure of the paper, or another one, of the runs of this work folder.

        Args:
            name: ``3``, ``6``, ``7``, ``"attention"``, or the name of a figure of another package.

        Raises:
            ConfigError: If there is no such figure.
            ManifestError: If no run has been made that it could show, or one is damaged.
        """
        from fgbench.reports.rendering.table import Figure as ReportFigure

        return Figure(_built("figures", _name("figure", name), self.path, ReportFigure))

    @property
    def leaderboard(self) -> list[Table]:
        """All runs of classes by UAR with intervals, a table per set of runs that compare: images and clips,
        other label sets, and networks from other data apart.

        Raises:
            ManifestError: If there is no finished run.
        """
        from fgbench.reports.comparison.leaderboard import leaderboard

        return [Table(one) for one in leaderboard(self.path)]


def _name(kind: str, name: object) -> str:
    """Return the name of a table or figure: ``"table2"`` for ``"II"`` or ``2``; others have their own.

    Raises:
        ConfigError: If it is none.
    """
    if isinstance(name, bool) or not isinstance(name, str | int):
        raise ConfigError(
            f"{kind} {shown(name)}, expected a name or a number",
            "e.g. work.table('II')" if kind == "table" else "e.g. work.figure(6)",
        )
    typed = name_of(kind, str(name), example="'II'")
    number = str(ROMAN.get(typed.upper(), typed)) if kind == "table" else typed
    return f"{kind}{number}" if number.isdecimal() else typed


def _built(kind: str, name: str, workdir: Path, wanted: type[_Made]) -> _Made:
    from fgbench import plugins

    module = plugins.load(kind, name)
    with plugins.explained(kind, name):
        made = module.build(workdir)
        if not isinstance(made, wanted):
            raise TypeError(f"it gave {type(made).__name__}, expected {wanted.__name__}")
        return made
