"""Result of an import, and what is kept of it in the round's folder: ``rejects.csv``, ``imported.json``."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fgbench.annotation.checks import RejectedAnswer
from fgbench.errors import ManifestError
from fgbench.naming import counted
from fgbench.notebook_lines import NotebookLines
from fgbench.printable import cell_of, printable_name
from fgbench.storage import read_json, write_json, write_text

REJECTS = "rejects.csv"
IMPORTED = "imported.json"
_SHOWN = 8
_LONGEST = 80
"""Characters of a name in lines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedVotes(NotebookLines):
    """Votes of an import.

    Attributes:
        table: The table ``votes.csv``.
        rounds: Rounds of the answers.
        n_added: Votes that are new.
        n_same: Votes that were there already.
        n_updated: Votes that were replaced.
        changed: ``(clip, annotator)`` whose answer is another now, and was not replaced.
        withdrawn: ``(clip, annotator)`` imported before, and no vote any more in the tool: deleted, skipped
            or not valid there. Their votes stay.
        rejects: Answers that are no votes.
        missing: Annotator to ``(votes, clips dealt)`` where votes are missing.
    """

    table: Path
    rounds: tuple[int, ...]
    n_added: int
    n_same: int
    n_updated: int
    changed: tuple[tuple[str, str], ...]
    withdrawn: tuple[tuple[str, str], ...]
    rejects: tuple[RejectedAnswer, ...]
    missing: Mapping[str, tuple[int, int]]

    @property
    def has_table(self) -> bool:
        """Whether the table is there; it is not where no answer was a vote, and none was before."""
        return self.table.exists()

    def __repr__(self) -> str:
        return f"ImportedVotes({'; '.join(self.lines())})"

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "table": str(self.table),
            "rounds": list(self.rounds),
            "added": self.n_added,
            "same": self.n_same,
            "updated": self.n_updated,
            "changed": [list(one) for one in self.changed],
            "withdrawn": [list(one) for one in self.withdrawn],
            "rejects": [[one.clip, one.annotator, one.round, one.reason, one.detail] for one in self.rejects],
            "missing": {name: list(counts) for name, counts in self.missing.items()},
        }

    def lines(self) -> list[str]:
        """Return lines of text."""
        rounds = ", ".join(map(str, self.rounds)) or "none"
        lines = [
            f"round {rounds}: {counted(self.n_added, 'vote')} added, {self.n_same:,} there already, "
            f"{self.n_updated:,} updated, {counted(len(self.rejects), 'answer')} rejected; "
            f"{self.table if self.has_table else 'no votes yet'}"
        ]
        lines += _pairs("changed in the tool, and not replaced without --update", self.changed)
        lines += _pairs(
            "no vote any more in the tool (deleted, skipped or not valid there); the vote stays, take its "
            "row out of votes.csv if it is not to count",
            self.withdrawn,
        )
        by_reason: dict[str, list[RejectedAnswer]] = {}
        for one in self.rejects:
            by_reason.setdefault(one.reason, []).append(one)
        for reason, rejects in sorted(by_reason.items()):
            first = rejects[0]
            example = f"{_short(first.clip)} by {_short(first.annotator) or 'nobody'}"
            lines.append(f"  {len(rejects):>6,}  {reason:<18} e.g. {example}: {printable_name(first.detail)}")
            if reason == "unknown_annotator":
                lines.append(f"          whose accounts are these: {_accounts(rejects)}")
        if self.missing:
            listed = [
                f"{printable_name(name)} {n_dealt - n_votes:,} of {n_dealt:,}"
                for name, (n_votes, n_dealt) in list(self.missing.items())[:_SHOWN]
            ]
            more = f" and {len(self.missing) - _SHOWN:,} more" if len(self.missing) > _SHOWN else ""
            lines.append(f"votes still missing: {', '.join(listed)}{more}")
        return lines


def _accounts(rejects: Sequence[RejectedAnswer]) -> str:
    """Accounts that belong to nobody, each with its number of answers."""
    counts = Counter(one.annotator for one in rejects)
    named = [f"{_short(name)} ({counted(n, 'answer')})" for name, n in sorted(counts.items())[:_SHOWN]]
    more = f" and {len(counts) - _SHOWN:,} more" if len(counts) > _SHOWN else ""
    return f"{', '.join(named)}{more}"


def _short(name: str) -> str:
    """A name on one line; very long ones cut."""
    shown = printable_name(name[: _LONGEST + 1])
    return shown if len(name) <= _LONGEST else f"{shown[:_LONGEST]}..."


def _pairs(what: str, pairs: Sequence[tuple[str, str]]) -> list[str]:
    if not pairs:
        return []
    named = [f"{printable_name(clip)} by {printable_name(name)}" for clip, name in pairs[:_SHOWN]]
    more = f" and {len(pairs) - _SHOWN:,} more" if len(pairs) > _SHOWN else ""
    return [f"{counted(len(pairs), 'answer')} {what}: {', '.join(named)}{more}"]


def write_rejects(folder: Path, rejects: Sequence[RejectedAnswer]) -> None:
    """Write ``rejects.csv`` of a round: the answers of the last import that are no votes.

    Raises:
        ResourceError: If it cannot be written.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["clip", "annotator", "reason", "detail", "source"])
    for one in rejects:
        cells = (one.clip, one.annotator, one.reason, one.detail, one.source)
        writer.writerow([cell_of(printable_name(cell)) for cell in cells])
    write_text(folder / REJECTS, text.getvalue())


def read_imported(folder: Path, project: str) -> dict[str, list[str]]:
    """Clip to the annotators whose votes were imported from a project before.

    Raises:
        ManifestError: If the file is damaged.
    """
    path = folder / IMPORTED
    try:
        value = read_json(path)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    votes = value.get("votes") if isinstance(value, dict) else None
    if not isinstance(votes, dict) or not all(isinstance(names, list) for names in votes.values()):
        raise ManifestError(
            f"{path} is no list of imported votes", "delete it; answers deleted before are then not told"
        )
    return (
        {str(clip): list(map(str, names)) for clip, names in votes.items()}
        if value.get("project") == project
        else {}
    )


def write_imported(folder: Path, project: str, votes: Mapping[str, Sequence[str]]) -> None:
    """Write what :func:`read_imported` reads.

    Raises:
        ResourceError: If it cannot be written.
    """
    kept = {clip: sorted(names) for clip, names in votes.items()}
    write_json(folder / IMPORTED, {"project": project, "votes": kept}, on_one_line=True)
