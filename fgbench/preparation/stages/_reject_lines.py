"""Messages on the clips that could not be used: the rejects of all stages, and their reasons in words."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from shlex import quote
from typing import Any

from fgbench.naming import counted
from fgbench.preparation import pipeline
from fgbench.preparation.pipeline import REJECTS
from fgbench.preparation.stages._tables import Finished
from fgbench.preparation.stages.consensus import REANNOTATE
from fgbench.preparation.voting import causes_of
from fgbench.printable import printable_name
from fgbench.storage import read_rows
from fgbench.workfolders.default_folders import workdir_for
from fgbench.workfolders.layout import MANIFESTS
from fgbench.workfolders.manifest_index import is_published

MOST = 5
"""Largest number of rejects, names or labels of one kind in a message; the files have them all."""

_LONGEST = 300


def rejected_rows(workdir: Path, finished: Finished) -> list[dict[str, Any]]:
    """Rows of the rejects of all stages: id, stage, reason, detail; ordered by stage and id.

    Args:
        workdir: The work folder.
        finished: Stage to bucket to marker.
    """
    rejected = []
    for stage, markers in finished.items():
        folder = pipeline.stage_folder(workdir, stage)
        rows = [
            row
            for marker in markers.values()
            if marker.outputs[REJECTS]["rows"]
            for row in read_rows(folder / marker.outputs[REJECTS]["file"])
        ]
        rejected += sorted(rows, key=lambda row: str(row["id"]))
    return rejected


def reject_lines(rejects: Sequence[Mapping[str, Any]], root: Path, workdir: Path) -> list[str]:
    """Messages on clips that could not be used or have to be voted on again, with the first reasons.

    Args:
        rejects: Rows with id, stage, reason and detail.
        root: Root of the data set.
        workdir: The work folder; its files that list all of them are named if they exist.
    """
    again = [row for row in rejects if row["reason"] == REANNOTATE]
    others = [row for row in rejects if row["reason"] != REANNOTATE]
    return [*_votes(again, root, workdir), *_unusable(others, workdir)]


def _unusable(rejects: Sequence[Mapping[str, Any]], workdir: Path) -> list[str]:
    """Messages on unusable clips, the most frequent reasons first."""
    if not rejects:
        return []
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in rejects:
        groups[row["reason"], row["detail"]].append(printable_name(row["id"]))
    ordered = sorted(groups.items(), key=lambda item: -len(item[1]))
    lines = [f"{counted(len(rejects), 'clip')} could not be used{_where_all(workdir, 'rejects.csv')}"]
    for (reason, detail), names in ordered[:MOST]:
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        lines.append(f"  {names[0]}{more}: {reason}, {_short(printable_name(detail))}")
    if rest := sum(len(names) for _, names in ordered[MOST:]):
        lines.append(f"  {rest} more for {len(ordered) - MOST} other reasons")
    return lines


def _votes(again: Sequence[Mapping[str, Any]], root: Path, workdir: Path) -> list[str]:
    if not again:
        return []
    causes = Counter(cause for row in again for cause in causes_of(row["detail"]))
    named = ", ".join(f"{cause} {count}" for cause, count in causes.most_common())
    where = _where_all(workdir, "reannotate.csv")
    elsewhere = "" if workdir == workdir_for(root) else f" --workdir {quote(str(workdir))}"
    export = f"fgbench annotate export --data-root {quote(str(root))} --round 2{elsewhere}"
    return [
        f"{counted(len(again), 'clip')} to be voted on again (not agreed on: {named}){where}; add the new "
        f"votes to votes.csv with round 2, and run fgbench prepare again ({export} has them annotated)"
    ]


def _where_all(workdir: Path, name: str) -> str:
    path = workdir / MANIFESTS / name
    return f", all in {path}" if is_published(workdir) and path.is_file() else ""


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} ..."
