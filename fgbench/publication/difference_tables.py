"""What two data sets differ in, in lines for people and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from fgbench.naming import counted
from fgbench.printable import cell_of
from fgbench.publication.difference import KINDS, Change, Difference
from fgbench.publication.fallen_runs import FallenRun

SHOWN = 5
"""Examples of each kind."""

_DIGITS, _MOST_CHARACTERS = 64, 100

_HEADS = ("what", "where", "before", "after")
HEAD = ",".join(_HEADS) + "\n"
"""First line of the CSV, by which a file of ours is known."""


def difference_lines(found: Difference, *, full: bool) -> list[str]:
    """Counts, and the first examples of each kind.

    Args:
        found: What differs.
        full: Whether to tell all examples.
    """
    names = [
        f"{folder}: {counted(clips, 'clip')}{', synthetic' if drawn else ''}"
        for folder, clips, drawn in zip(
            (found.first, found.second), found.clips, found.synthetic, strict=True
        )
    ]
    lines = [f"A {names[0]}", f"B {names[1]}"]
    for what in KINDS:
        changes = found.of(what)
        if changes:
            lines.append(f"{what}: {len(changes)}")
            lines += [f"  {_told(change)}" for change in (changes if full else changes[:SHOWN])]
            if not full and len(changes) > SHOWN:
                lines.append(f"  and {len(changes) - SHOWN:,} more (--full)")
    if found.is_same:
        lines.append("no difference")
    if found.runs:
        told = [_run(run) for run in found.runs]
        lines.append(f"runs that do not hold for the other data: {len(told)}")
        lines += [f"  {line}" for line in (told if full else told[:SHOWN])]
        if not full and len(told) > SHOWN:
            lines.append(f"  and {len(told) - SHOWN:,} more (--full)")
    return lines


def difference_csv(found: Difference) -> str:
    """All changes and runs as CSV, for a spreadsheet."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_HEADS)
    rows: list[Sequence[str]] = [
        (change.what, change.where, change.before, change.after) for change in found.changes
    ]
    rows += [(f"run of {_letter(run)}", run.name, run.own, run.other) for run in found.runs]
    writer.writerows([cell_of(cell) for cell in row] for row in rows)
    return text.getvalue()


def _told(change: Change) -> str:
    if not change.before:
        return f"{change.where}: {change.after}"
    return f"{change.where}: {_short(change.before)} -> {_short(change.after)}"


def _short(text: str) -> str:
    """A digest by its first digits, and other long values cut."""
    most = 12 if len(text) == _DIGITS and " " not in text else _MOST_CHARACTERS
    return text if len(text) <= most else f"{text[:most]}..."


def _letter(run: FallenRun) -> str:
    return "A" if run.of == "first" else "B"


def _run(run: FallenRun) -> str:
    own = "" if run.own == "now" else f" (of its own data: {run.own})"
    return f"{_letter(run)} runs/{run.name}: {run.other}{own}"
