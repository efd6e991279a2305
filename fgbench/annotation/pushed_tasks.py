"""Result of sending a round to a server, as values and lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fgbench.naming import counted
from fgbench.notebook_lines import NotebookLines


@dataclass(frozen=True, slots=True, kw_only=True)
class PushedTasks(NotebookLines):
    """A round of annotation on a server.

    Attributes:
        url: Address of the project.
        round: Number of the round.
        n_tasks: Its tasks.
        n_sent: Tasks that were sent now; the others were there.
        n_uploaded: Clips or strips that were sent now.
    """

    url: str
    round: int
    n_tasks: int
    n_sent: int
    n_uploaded: int

    def __repr__(self) -> str:
        return f"PushedTasks({'; '.join(self.lines())})"

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "url": self.url,
            "round": self.round,
            "tasks": self.n_tasks,
            "sent": self.n_sent,
            "uploaded": self.n_uploaded,
        }

    def lines(self) -> list[str]:
        """Return lines of text."""
        return [
            f"round {self.round}: {counted(self.n_tasks, 'task')} at {self.url}, {self.n_sent:,} sent now, "
            f"with {counted(self.n_uploaded, 'file')}"
        ]
