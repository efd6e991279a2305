"""Equal files under several names: with different labels one label is wrong, in two parts they leak.

Reads ``clips.parquet`` of the manifests. Files that only look alike are found by ``fgbench audit``.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from fgbench.printable import printable_name
from fgbench.storage import read_table

COLUMNS = ("clip_id", "path", "sha256", "label", "split")
_SHOWN = 5

Group = list[tuple[str, str, str]]
"""Path, label and part of files with the same content; several labels or parts are joined by ``+``."""


def equal_files(clips: Path) -> list[str]:
    """One line on equal files with different labels, and one on those in different parts.

    Args:
        clips: ``clips.parquet`` of the manifests.

    Raises:
        ManifestError: If it is missing or damaged.
    """
    groups = equal_groups(_repeated(clips))
    labels: list[Group] = []
    parts: list[Group] = []
    for group in groups:
        if len({label for _, label, _ in group}) > 1:
            labels.append(group)
        elif len({part for _, _, part in group}) > 1:
            parts.append(group)
    lines = []
    if labels:
        shown = "; ".join(_shown(group, 1) for group in labels[:_SHOWN])
        lines.append(f"warning: {_count(labels)} files are equal to others with another label: {shown}")
    if parts:
        shown = "; ".join(_shown(group, 2) for group in parts[:_SHOWN])
        lines.append(f"warning: {_count(parts)} files are equal to others in another part: {shown}")
    return lines


def _repeated(clips: Path) -> Iterator[dict[str, Any]]:
    """Rows of the files whose content is that of another entry; most data sets have few."""
    table = read_table(clips, list(COLUMNS))
    columns = {name: column.to_pylist() for name, column in zip(COLUMNS, table.columns, strict=True)}
    counts = Counter(columns["sha256"])
    for values in zip(*columns.values(), strict=True):
        row = dict(zip(COLUMNS, values, strict=True))
        if counts[row["sha256"]] > 1:
            yield row


def equal_groups(rows: Iterable[Mapping[str, Any]]) -> list[Group]:
    """Groups of files with the same content, in the order of their first paths.

    Several entries of one file, as the first and the last frames of a sequence, count as one file.

    Args:
        rows: With :data:`COLUMNS`.
    """
    files: dict[str, dict[str, tuple[set[str], set[str]]]] = defaultdict(dict)
    for row in rows:
        labels, parts = files[row["sha256"]].setdefault(row["path"], (set(), set()))
        labels.add(row["label"] or "no label")
        parts.add(row["split"] or "no part")
    groups = [
        [
            (path, "+".join(sorted(labels)), "+".join(sorted(parts)))
            for path, (labels, parts) in sorted(by.items())
        ]
        for by in files.values()
        if len(by) > 1
    ]
    return sorted(groups)


def _shown(group: Group, what: int) -> str:
    named = [f"{printable_name(file[0])} ({printable_name(file[what])})" for file in group[:3]]
    return " = ".join(named) + (f" = {len(group) - 3} more" if len(group) > 3 else "")


def _count(groups: list[Group]) -> int:
    return sum(map(len, groups))
