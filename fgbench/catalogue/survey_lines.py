"""Lines of a survey for people: a table of labels and parts, then what differs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fgbench.naming import counted

if TYPE_CHECKING:
    from fgbench.catalogue.survey import Survey

_WIDTH = 12
"""Characters of a column of numbers."""


def survey_lines(data: Survey) -> list[str]:
    """Return a survey as lines of text."""
    subjects = f" of {counted(data.subjects, 'subject')}" if data.subjects else ""
    lines = [
        f"{data.recipe}: {data.title}",
        f"{counted(data.entries, 'entry', 'entries')}{subjects} in {data.root}",
    ]
    if data.inventory.media:
        media = counted(data.inventory.media, "picture or video", "pictures and videos")
        lines.append(f"{data.inventory.used:,} of {media} are used")
    return [*lines, "", *_counts(data), "", *_remarks(data), _verdict(data)]


def _counts(data: Survey) -> list[str]:
    parts = list(data.counts)
    labels = list(dict.fromkeys(label for counts in data.counts.values() for label in counts))
    width = max(len(label) for label in (*labels, "label")) + 1

    def row(title: str, numbers: Sequence[object]) -> str:
        return f"{title:<{width}}" + "".join(f"{number:>{_WIDTH}}" for number in numbers)

    lines = [row(data.scheme, parts)]
    lines += [row(label, [data.counts[part].get(label, 0) for part in parts]) for label in labels]
    lines.append(row("sum", [sum(data.counts[part].values()) for part in parts]))
    if data.known:
        lines.append(row("published", [data.known.get(part, "?") for part in parts]))
    return lines


def _remarks(data: Survey) -> list[str]:
    lines = [f"left out by the label set: {count} of {label}" for label, count in data.left_out.items()]
    lines += [f"cannot be used: {count} ({reason})" for reason, count in data.problems.items()]
    if data.missing:
        lines.append(f"missing files: {data.missing}, e.g. {', '.join(data.missing_examples)}")
    if data.unlisted:
        lines.append(f"files without a label: {data.unlisted}, e.g. {', '.join(data.unlisted_examples)}")
    return [
        *lines,
        *data.notes,
        *data.inventory.lines,
        *(f"differs: {line}" for line in data.differences),
    ]


def _verdict(data: Survey) -> str:
    if data.is_complete:
        return "complete" if data.known else "nothing is missing (published numbers are not known)"
    if not data.known:
        return "incomplete: see above; what is there can be prepared"
    return "not as published: see above; what is there can be prepared, and tables of it should say so"
