"""Tables and figures that were written, as a value."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fgbench.notebook_lines import NotebookLines

if TYPE_CHECKING:
    from fgbench.reports.index import Entry
    from fgbench.reports.rendering.table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportItem:
    """A table or figure of a report.

    Attributes:
        entry: Its name and title, cells that are blank, and how to fill them.
        table: The table, or that behind the figure; ``None`` where it could not be made.
        paths: Its files.
    """

    entry: Entry
    table: Table | None
    paths: tuple[Path, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report(NotebookLines):
    """Tables and figures that were written.

    Attributes:
        folder: Their folder.
        items: Each of them, those that could not be made too.
        index: Files of the index of all; empty if none was written.
        n_wanted: Tables and figures that were asked for.
        failed: Names of those that could not be made although there are runs for them.
        has_classes: Whether the data set has classes.
    """

    folder: Path
    items: tuple[ReportItem, ...]
    index: tuple[Path, ...]
    n_wanted: int
    failed: tuple[str, ...]
    has_classes: bool

    @property
    def paths(self) -> list[Path]:
        """All files but those of the index."""
        return [path for item in self.items for path in item.paths]

    def lines(self) -> list[str]:
        """Return lines of text: one on each that was made, and the number of files."""
        from fgbench.naming import counted
        from fgbench.reports.index import state

        made = [item.entry for item in self.items if item.table is not None]
        return [
            *(f"{entry.title}: {state(entry)} ({', '.join(entry.files)})" for entry in made),
            f"wrote {counted(len(self.paths), 'file')} into {self.folder}; printed with --full",
        ]

    def require(self) -> None:
        """Do nothing where all could be made for which there are runs.

        Raises:
            ManifestError: If one could not.
        """
        from fgbench.errors import ManifestError

        if self.failed:
            raise ManifestError(
                f"{len(self.failed)} of {self.n_wanted} tables and figures could not be made: "
                f"{', '.join(self.failed)}",
                "see the lines above; the others are written",
            )

    def __repr__(self) -> str:
        return f"<Report: {len(self.paths)} files in {self.folder}>"
