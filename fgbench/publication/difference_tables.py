"""Differences between two data sets as lines of text and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

from fgbench.errors import ConfigError, MediaError
from fgbench.files.regular_files import first_bytes
from fgbench.naming import counted
from fgbench.printable import cell_of
from fgbench.publication.difference import KINDS, Change, Difference
from fgbench.publication.invalid_runs import InvalidRun

SHOWN = 5
"""Examples of each kind."""

_DIGITS, _MOST_CHARACTERS = 64, 100

_HEADS = ("what", "where", "before", "after")
HEAD = ",".join(_HEADS) + "\n"
"""First line of the CSV, by which files of fgbench are recognised."""


def check_csv(path: Path) -> None:
    """Refuse to replace a file that is not such a table.

    Raises:
        ConfigError: If there is one.
    """
    if not (path.exists() or path.is_symlink()):
        return
    try:
        is_ours = not path.is_symlink() and first_bytes(path, len(HEAD)) == HEAD.encode("ascii")
    except MediaError:
        is_ours = False
    if not is_ours:
        raise ConfigError(
            f"{path} is there and is no table of fgbench diff, which would replace it; nothing was written",
            "name another file, or move it away",
        )


def difference_lines(difference: Difference, *, full: bool) -> list[str]:
    """Return counts and the first examples of each kind.

    Args:
        difference: The differences.
        full: Whether to list all examples.
    """
    names = [
        f"{folder}: {counted(clips, 'clip')}{', synthetic' if drawn else ''}"
        for folder, clips, drawn in zip(
            (difference.first, difference.second), difference.clips, difference.synthetic, strict=True
        )
    ]
    lines = [f"A {names[0]}", f"B {names[1]}"]
    for what in KINDS:
        lines += _examples(what, [_change(change) for change in difference.of(what)], full=full)
    if difference.is_same:
        lines.append("no difference")
    runs = [_run(run) for run in difference.runs]
    return [*lines, *_examples("runs that do not hold for the other data", runs, full=full)]


def _examples(kind: str, examples: Sequence[str], *, full: bool) -> Iterator[str]:
    """Yield the count of a kind and its first examples; nothing if there are none."""
    if examples:
        yield f"{kind}: {len(examples)}"
        yield from (f"  {example}" for example in (examples if full else examples[:SHOWN]))
        if not full and len(examples) > SHOWN:
            yield f"  and {len(examples) - SHOWN:,} more (--full)"


def difference_csv(difference: Difference) -> str:
    """Return all changes and runs as CSV, for a spreadsheet."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_HEADS)
    rows: list[Sequence[str]] = [
        (change.what, change.where, change.before, change.after) for change in difference.changes
    ]
    rows += [(f"run of {_letter(run)}", run.name, run.own, run.other) for run in difference.runs]
    writer.writerows([cell_of(cell) for cell in row] for row in rows)
    return text.getvalue()


def _change(change: Change) -> str:
    if not change.before:
        return f"{change.where}: {change.after}"
    return f"{change.where}: {_short(change.before)} -> {_short(change.after)}"


def _short(text: str) -> str:
    """Return the first digits of a digest, and other long values cut."""
    most = 12 if len(text) == _DIGITS and " " not in text else _MOST_CHARACTERS
    return text if len(text) <= most else f"{text[:most]}..."


def _letter(run: InvalidRun) -> str:
    return "A" if run.of == "first" else "B"


def _run(run: InvalidRun) -> str:
    own = "" if run.own == "now" else f" (of its own data: {run.own})"
    return f"{_letter(run)} runs/{run.name}: {run.other}{own}"
