"""Answers of experts to tasks of frames, taken into ``selection.csv`` of the data set.

All tasks have to be answered: frames of a clip without an answer would count as struck out.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import replace as replaced
from pathlib import Path
from typing import Any

from fgbench.annotation.json_items import json_items
from fgbench.annotation.label_studio.frame_page import FRAMES
from fgbench.annotation.label_studio.tasks import NO_FRAME
from fgbench.annotation.project_file import FRAME_STAGES, PROJECT, Project, read_project
from fgbench.annotation.selection.frame_tasks import INSPECT, selected_by
from fgbench.annotation.selection.selection_table import ImportedSelection, RejectedRow, join_selection
from fgbench.datasets._annotation_table import COLUMNS, SELECTION
from fgbench.datasets._selected_frames import is_inspected, read_selection
from fgbench.datasets._tree import ROUNDS
from fgbench.errors import ConfigError, DatasetError
from fgbench.naming import counted, first_few, key
from fgbench.printable import cell_of
from fgbench.storage import write_text

_EXPECTED = "an export of Label Studio as JSON: a list of tasks of frames"


def frame_folder(root: Path, stage: int) -> Path:
    """Return the folder of a stage in the root of a data set."""
    return root / ROUNDS / FRAME_STAGES[stage]


def find_project(export: Path, root: Path) -> tuple[Path, Project]:
    """Return the folder and the project that an export is of, among those of a data set.

    Raises:
        DatasetError: If it is no export of tasks of frames, or of another project.
    """
    first = next(json_items(export, _EXPECTED), None)
    data = first.get("data") if isinstance(first, dict) else None
    wanted = data.get("project") if isinstance(data, dict) else None
    for folder in (frame_folder(root, stage) for stage in FRAME_STAGES):
        project = read_project(folder)
        if project is not None and project.project == wanted:
            return folder, project
    raise DatasetError(
        f"{export} is of the project {str(wanted)[:60]!r}, which no {PROJECT} of {root} has",
        "import the export of a project of frames for Label Studio",
    )


def import_answers(
    export: Path, folder: Path, project: Project, root: Path, *, accounts: Mapping[str, str], replace: bool
) -> ImportedSelection:
    """Import what an expert selected or confirmed.

    Args:
        export: Export of the tool, JSON.
        folder: Folder of the tasks.
        project: Their project.
        root: Folder of the data set.
        accounts: Account in the tool to the name of the expert.
        replace: Whether a selection may be replaced that has other frames, or was inspected.

    Raises:
        ConfigError: If there is a selection with other frames, or one that was inspected.
        DatasetError: If it is no such export, clips are not answered, or no frame is left; nothing is
            written.
        ResourceError: If the selection cannot be written.
    """
    chosen, rejected = _answers(export, project, accounts)
    open_ = [task.clip for task in project.tasks if task.clip not in chosen]
    if open_:
        why = f" ({rejected[0].reason}: {rejected[0].detail})" if rejected else ""
        raise DatasetError(
            f"{project.annotators[0]!r} has not answered {counted(len(open_), 'clip')} of "
            f"{len(project.tasks):,}, e.g. {first_few(open_, 3)}{why}; nothing was written",
            "import again when all are answered",
        )
    present = read_selection(root / SELECTION) or []
    if project.round != INSPECT and is_inspected(present) and not replace:
        raise ConfigError(
            f"{root / SELECTION} was inspected, and the new selection is not; nothing was written",
            "keep it, or replace it with --replace (of pull: --update)",
        )
    rows = _rows(project, chosen, root)
    if project.round == INSPECT and not any(row[3] for row in rows):
        raise DatasetError(
            f"{project.annotators[0]!r} confirmed none of {counted(len(rows), 'frame')}, expected some; "
            "nothing was written",
            "have frames selected anew",
        )
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS[SELECTION])
    writer.writerows([*map(cell_of, row[:1]), row[1], *map(cell_of, row[2:])] for row in rows)
    write_text(folder / SELECTION, text.getvalue())
    offered = {task.clip: task.frames for task in project.tasks}
    joined = join_selection([folder / SELECTION], root, offered, replace=replace)
    return replaced(joined, rejected=(*rejected, *joined.rejected))


def _rows(
    project: Project, chosen: Mapping[str, frozenset[int]], root: Path
) -> list[tuple[str, int, str, str]]:
    """Rows of the table: clip, frame, who selected it and who confirmed it."""
    expert = project.annotators[0]
    if project.round != INSPECT:
        return [(clip, frame, expert, "") for clip in sorted(chosen) for frame in sorted(chosen[clip])]
    people = selected_by(root)
    return [
        (
            task.clip,
            frame,
            people.get((task.clip, frame), ""),
            expert if frame in chosen[task.clip] else "",
        )
        for task in project.tasks
        for frame in task.frames
    ]


def _answers(
    export: Path, project: Project, accounts: Mapping[str, str]
) -> tuple[dict[str, frozenset[int]], list[RejectedRow]]:
    """Clip to the frames that the expert chose; and annotations that are no answer, each with its reason."""
    offered = {task.clip: {str(frame): frame for frame in task.frames} for task in project.tasks}
    names = {key(account): name for account, name in accounts.items()}
    chosen: dict[str, frozenset[int]] = {}
    rejected: list[RejectedRow] = []
    for number, task in enumerate(json_items(export, _EXPECTED), start=1):
        data = task.get("data") if isinstance(task, dict) else None
        if not isinstance(data, dict) or data.get("project") != project.project:
            raise DatasetError(
                f"{export} item {number} is no task of the project {project.project}", f"expected {_EXPECTED}"
            )
        clip = str(data.get("clip"))
        if clip not in offered:
            rejected.append(_reject(export, number, "unknown_clip", f"no task is of {clip[:200]!r}"))
            continue
        given = task.get("annotations")
        for one in given if isinstance(given, list) else []:
            frames, problem = _frames(one, offered[clip], names, project.annotators[0])
            if problem is None and chosen.get(clip, frames) != frames:
                problem = ("several_answers", f"{clip!r} is answered in several ways")
                chosen.pop(clip)
            if problem is None:
                chosen[clip] = frames
            else:
                rejected.append(_reject(export, number, *problem))
    return chosen, rejected


def _frames(
    one: Any, offered: Mapping[str, int], names: Mapping[str, str], expert: str
) -> tuple[frozenset[int], tuple[str, str] | None]:
    """Frames of an annotation, and what is wrong with it."""
    if not isinstance(one, dict) or one.get("was_cancelled"):
        return frozenset(), ("skipped", "the expert skipped the task")
    by = one.get("completed_by", one.get("user"))
    account = str((by.get("email") or by.get("id")) if isinstance(by, dict) else by)
    name = names.get(key(account), account)
    if key(expert) not in (key(name), key(name.partition("@")[0])):
        return frozenset(), ("unknown_expert", f"{account[:80]!r} is not {expert!r}")
    result = one.get("result")
    said = [
        choice
        for region in (result if isinstance(result, list) else [])
        if isinstance(region, dict) and region.get("from_name") == FRAMES
        for choice in (region.get("value") or {}).get("choices", [])
    ]
    frames = frozenset(offered[choice] for choice in said if choice in offered)
    if not said or len(set(said)) != len(frames) + (NO_FRAME in said) or (frames and NO_FRAME in said):
        return frozenset(), (
            "bad_answer",
            f"{str(said)[:60]}, expected some of {', '.join(offered)}, or none",
        )
    return frames, None


def _reject(export: Path, number: int, reason: str, detail: str) -> RejectedRow:
    return RejectedRow(file=export.name, line=number, reason=reason, detail=detail)
