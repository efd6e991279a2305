"""Result of an export, as values and lines."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fgbench.naming import counted
from fgbench.notebook_lines import NotebookLines
from fgbench.printable import printable_name

_SHOWN = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedTasks(NotebookLines):
    """A round of annotation as it was exported.

    Attributes:
        folder: Its folder.
        tool: Tool that it is for.
        project: Id of the project.
        round: Number of the round.
        n_clips: Clips in it.
        n_gold: Clips with known answers among them.
        per_clip: Annotators of each clip.
        n_dealt: Annotator to number of clips.
        is_new: Whether it was written; otherwise it was there already.
        notes: Sentences on clips that were left out, or that the tool may not show.
    """

    folder: Path
    tool: str
    project: str
    round: int
    n_clips: int
    n_gold: int
    per_clip: int
    n_dealt: dict[str, int]
    is_new: bool
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        return f"ExportedTasks({'; '.join(self.lines())})"

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "folder": str(self.folder),
            "tool": self.tool,
            "project": self.project,
            "round": self.round,
            "clips": self.n_clips,
            "gold": self.n_gold,
            "per_clip": self.per_clip,
            "dealt": self.n_dealt,
            "new": self.is_new,
            "notes": list(self.notes),
        }

    def lines(self) -> list[str]:
        """Return lines of text."""
        gold = f", {self.n_gold:,} of them with known answers" if self.n_gold else ""
        shares = [f"{printable_name(name)} {count:,}" for name, count in list(self.n_dealt.items())[:_SHOWN]]
        more = f" and {len(self.n_dealt) - _SHOWN:,} more" if len(self.n_dealt) > _SHOWN else ""
        done = "exported to" if self.is_new else "is there already in"
        return [
            *map(printable_name, self.notes),
            f"round {self.round}: {counted(self.n_clips, 'clip')}{gold}, {self.per_clip} votes each, "
            f"dealt to {counted(len(self.n_dealt), 'annotator')}: {', '.join(shares)}{more}",
            f"round {self.round} {done} {self.folder}; how to go on is in its README.md",
        ]
