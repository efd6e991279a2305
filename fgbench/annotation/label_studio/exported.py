"""Answers in an export of Label Studio: JSON with all annotations of each task, or JSON-MIN.

JSON-MIN has a record for each annotation, and none for skipped ones and drafts. Frames of the timeline count
from 1 in Label Studio, from 0 here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from fgbench.annotation.answers import Answer, ClipAnswers, Reading
from fgbench.annotation.json_items import json_items
from fgbench.annotation.label_studio.results import frame_of, results_of
from fgbench.annotation.utc_times import utc_time
from fgbench.errors import DatasetError

_EXPECTED = "an export of Label Studio as JSON: a list of tasks"
_NOT_OURS = "import the export of a project that fgbench annotate export or push has made"


def read_answers(path: Path, reading: Reading) -> Iterator[ClipAnswers]:
    """Yield the answers of each task.

    Args:
        path: The export.
        reading: Rates and times of the clips.

    Raises:
        DatasetError: If it is no such export, or its tasks are not those of a project of fgbench.
    """
    for number, task in enumerate(json_items(path, _EXPECTED), start=1):
        if not isinstance(task, dict):
            raise DatasetError(f"{path} item {number} is no task, expected {_EXPECTED}", _NOT_OURS)
        is_whole = isinstance(task.get("data"), dict)
        data = task["data"] if is_whole else task
        clip, project, of_round = (data.get(name) for name in ("clip", "project", "round"))
        if not (isinstance(clip, str) and clip and isinstance(project, str) and isinstance(of_round, int)):
            raise DatasetError(
                f"{path} item {number} names no clip, project and round: it is no task of fgbench",
                _NOT_OURS,
            )
        where = f"task {_shown(task.get('id'), number)}"
        answers = _whole(path, task, where) if is_whole else _short(task, where)
        yield ClipAnswers(
            clip=clip,
            answers=tuple(_answer(one, reading, clip) for one in answers),
            project=project,
            round=of_round,
            is_whole=is_whole,
        )


def _whole(path: Path, task: Mapping[str, Any], where: str) -> Iterator[Mapping[str, Any]]:
    for kind, name in (("annotations", "annotation"), ("drafts", "draft")):
        listed = task.get(kind)
        for one in listed if isinstance(listed, list) else []:
            if not isinstance(one, dict):
                if kind == "drafts":
                    continue  # an export without its drafts has their numbers
                raise DatasetError(
                    f"{path} {where} has {str(one)[:60]!r} for an annotation, expected its results",
                    "export it anew as JSON, with all annotations",
                )
            is_of_annotation = kind == "drafts" and one.get("annotation") is not None
            if is_of_annotation:
                continue  # an unsaved change of an annotation, which counts as it was saved
            problem = ("draft", "begun, and not submitted") if kind == "drafts" else None
            if kind == "annotations" and one.get("was_cancelled"):
                problem = ("skipped", "the annotator skipped the task")
            yield {
                "by": one.get("completed_by", one.get("user")),
                "result": one.get("result"),
                "lead_time": one.get("lead_time"),
                "at": one.get("updated_at") or one.get("created_at"),
                "source": f"{where}, {name} {_shown(one.get('id'), 0)}",
                "problem": problem,
            }


def _short(task: Mapping[str, Any], where: str) -> Iterator[Mapping[str, Any]]:
    if task.get("annotation_id") is None and task.get("annotator") is None:
        return
    yield {
        "by": task.get("annotator"),
        "result": task,
        "lead_time": task.get("lead_time"),
        "at": task.get("updated_at") or task.get("created_at"),
        "source": f"{where}, annotation {_shown(task.get('annotation_id'), 0)}",
        "problem": None,
    }


def _answer(one: Mapping[str, Any], reading: Reading, clip: str) -> Answer:
    found = results_of(one["result"])
    fps, times = reading.frames.get(clip, (None, None))
    frame, problem = found.frame, one["problem"] or found.problem
    if frame is not None and found.is_from_one:
        frame = frame_of(frame, fps, times)
    spent = one["lead_time"]
    is_number = isinstance(spent, int | float) and not isinstance(spent, bool) and 0 <= spent < 1e9
    return Answer(
        annotator=_account(one["by"]),
        label=found.label,
        confidence=found.confidence,
        key_frame=frame,
        spent_s=float(spent) if is_number else None,
        cast_at=utc_time(one["at"]),
        source=one["source"],
        problem=problem,
    )


def _account(by: Any) -> str:
    """Account of an annotation: its e-mail address where the export has it, else its number."""
    if isinstance(by, dict):
        by = by.get("email") or by.get("id")
    return str(by) if isinstance(by, str | int) and not isinstance(by, bool) else ""


def _shown(number: Any, otherwise: int) -> str:
    return str(number) if isinstance(number, int) else str(otherwise)
