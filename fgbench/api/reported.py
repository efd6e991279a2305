"""``Work.table``, ``Work.figure``, ``Work.leaderboard``, ``Work.agreement``: reports as values."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fgbench.api.report_values import Figure, Table

if TYPE_CHECKING:
    from fgbench.api.agreements import Agreement


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
        from fgbench.api.tables import table

        return Table(table(self.path, name))

    def figure(self, name: str | int) -> Figure:
        """Return a figure of the paper, or another one, of the runs of this work folder.

        Args:
            name: ``3``, ``6``, ``7``, ``"attention"``, or the name of a figure of another package.

        Raises:
            ConfigError: If there is no such figure.
            ManifestError: If no run has been made that it could show, or one is damaged.
        """
        from fgbench.api.tables import figure

        return Figure(figure(self.path, name))

    @property
    def leaderboard(self) -> list[Table]:
        """All runs of classes by UAR with intervals, a table per set of runs that compare: images and clips,
        other label sets, and networks from other data apart.

        Raises:
            ManifestError: If there is no finished run.
        """
        from fgbench.api.tables import leaderboard

        return [Table(one) for one in leaderboard(self.path)]

    def agreement(self) -> Agreement:
        """Return how far the annotators agree: tables by round, class, annotator and pair.

        Raises:
            ManifestError: If the data set has no votes, or manifests are damaged.
        """
        from fgbench.api.agreements import agreement

        return agreement(self.path)
