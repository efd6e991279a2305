"""Result of an import of annotations of ELAN and Praat."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fgbench.annotation.marked_clips import RejectedSpan
from fgbench.datasets._annotation_table import VOTES
from fgbench.naming import counted
from fgbench.notebook_lines import NotebookLines
from fgbench.printable import printable_name


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedTimelines(NotebookLines):
    """Result of an import.

    Attributes:
        table: The table with the labels.
        n_added: Labels or votes that are new in it.
        n_same: Those that were there already.
        n_cut: Clips that were written as pictures, without those that were there already.
        rejects: Intervals and marks that were not imported.
    """

    table: Path
    n_added: int
    n_same: int
    n_cut: int
    rejects: tuple[RejectedSpan, ...]

    @property
    def has_table(self) -> bool:
        """Whether the table is there; it is not where nothing could be imported, and nothing was before."""
        return self.table.exists()

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "table": str(self.table),
            "added": self.n_added,
            "same": self.n_same,
            "cut": self.n_cut,
            "rejects": [
                [one.clip, one.annotator, one.reason, one.detail, one.source] for one in self.rejects
            ],
        }

    def lines(self) -> list[str]:
        """Return lines of text."""
        what = "vote" if self.table.name == VOTES else "label"
        lines = [
            f"{counted(self.n_added, what)} added, {self.n_same:,} there already, "
            f"{counted(self.n_cut, 'clip')} cut, {len(self.rejects):,} rejected; "
            f"{self.table if self.has_table else f'no {what}s yet'}"
        ]
        for one in self.rejects:
            who = f" by {printable_name(one.annotator)}" if one.annotator else ""
            where = f"{printable_name(one.clip)}{who} ({printable_name(one.source)})"
            lines.append(f"  {one.reason:<18} {where}: {printable_name(one.detail)}")
        return lines
