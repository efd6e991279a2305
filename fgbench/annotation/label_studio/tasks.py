"""``tasks.json``: tasks as Label Studio imports them.

Each carries the clip, the project and the round, so that its answers are known again, and the people it is
for. It does not tell which clips have known answers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from fgbench.annotation.project_file import ClipTask, Project

NO_FRAME = "none"
"""Choice of an expert who selects no frame of a clip."""

NO_RATE = 25.0
"""Frames per second of a task whose clip has none: a picture."""


def local_url(path: str) -> str:
    """Return the address of a file below the document root of a server that serves local files."""
    return f"/data/local-files/?d={quote(path)}"


def task_data(project: Project, number: int, media: Callable[[ClipTask], str]) -> dict[str, Any]:
    """Return the data of a task.

    Args:
        project: The round.
        number: Number of the task, from 0.
        media: Address of the clip, or of its strip.
    """
    task = project.tasks[number]
    asked: dict[str, Any] = {"fps": str(task.fps or NO_RATE), "last_frame": task.n_frames - 1}
    if project.show == "frames":
        asked = {"frames": [{"value": str(frame)} for frame in task.frames] + [{"value": NO_FRAME}]}
    return {
        "media": media(task),
        **asked,
        "clip": project.shown_name(task.clip),
        "project": project.project,
        "round": project.round,
        "number": number + 1,
        "annotators": marked([project.annotators[one] for one in task.annotators]),
    }


def marked(names: list[str]) -> str:
    """Return names so that a filter finds each by ``|name|`` and no other name that holds it."""
    return "|" + "|".join(names) + "|"


def tasks_json(project: Project, media: Callable[[ClipTask], str]) -> list[dict[str, Any]]:
    """Return the tasks in order.

    Args:
        project: The round.
        media: Address of a clip, or of its strip.
    """
    return [{"data": task_data(project, number, media)} for number in range(len(project.tasks))]
