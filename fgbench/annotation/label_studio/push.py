"""A round sent to a server of Label Studio: project, configuration, media and tasks.

The project is found again by its id in the description, a task by its clip, media by their digest: a push
that was interrupted continues, and sends nothing twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fgbench.annotation.label_studio.folder import LABELLING
from fgbench.annotation.label_studio.frame_page import PICTURES_ALONE
from fgbench.annotation.label_studio.media import UploadedMedia, checked_file
from fgbench.annotation.label_studio.server import NoAnswerError, Server, paged
from fgbench.annotation.label_studio.tasks import marked, task_data
from fgbench.annotation.project_file import FRAME_STAGES, Project
from fgbench.callbacks import Progress
from fgbench.errors import ResourceError
from fgbench.naming import counted

_BATCH = 50
"""Tasks that are sent at once."""
_TRIES = 5
_MAX_TITLE = 50
_PAGE = 500
_MAX_TABS = 50
_HIDDEN = (
    *("data.annotators", "data.project", "data.round", "data.fps", "data.last_frame"),
    *("inner_id", "completed_at", "total_annotations", "cancelled_annotations", "total_predictions"),
    *("annotators", "annotations_results", "annotations_ids", "predictions_score"),
    *("predictions_model_versions", "predictions_results", "file_upload", "storage_filename"),
    *("created_at", "updated_at", "updated_by", "avg_lead_time", "draft_exists"),
)
"""Columns that the tab of an annotator does not show: clips with known answers, on which all vote, would be
known by them, and they show the answers of others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PushedRound:
    """A round as it is on the server.

    Attributes:
        number: Number of the project there.
        n_tasks: Its tasks.
        n_sent: Tasks that were sent now.
        n_uploaded: Files that were sent now.
    """

    number: int
    n_tasks: int
    n_sent: int
    n_uploaded: int


def mark_of(project: Project) -> str:
    """Text in the description by which the project is found again."""
    return f"[fgbench {project.project}]"


def find_project(server: Server, project: Project) -> dict[str, Any] | None:
    """Return the project on the server; ``None`` if there is none.

    Raises:
        ResourceError: If the server refuses, or has several.
    """
    listed = paged(server, "/api/projects", page_size=100)
    found = [one for one in listed if mark_of(project) in str(one.get("description") or "")]
    if len(found) > 1:
        numbers = ", ".join(str(one.get("id")) for one in found)
        raise ResourceError(
            f"{server.name} has the project {project.project} several times: {numbers}",
            "somebody copied it there; take the text in [] out of the description of the copies",
        )
    return found[0] if found else None


def push_round(server: Server, folder: Path, project: Project, root: Path, progress: Progress) -> PushedRound:
    """Send a round.

    Args:
        server: The server.
        folder: Folder of the round.
        project: The round.
        root: Root of the data set.
        progress: Told the number of tasks that are there.

    Raises:
        DatasetError: If a clip is missing or has changed since the export.
        ManifestError: If a file of the round is missing or has changed.
        ResourceError: If the server refuses or cannot be reached; what is sent stays.
    """
    labelling = checked_file(folder, project, LABELLING).decode("utf-8")
    are_frames = project.show == "frames"
    there = find_project(server, project) or _create(
        server, project, PICTURES_ALONE if are_frames else labelling
    )
    number = server.number_of(there)
    settings = server.get(f"/api/projects/{number}")
    media = UploadedMedia(server, number, folder, project, root)
    if not isinstance(settings, dict) or settings.get("label_config") != labelling:
        for task in project.tasks if are_frames else ():
            media.address(task)
        server.patch(f"/api/projects/{number}", {"label_config": labelling})
    n_sent = failures = 0
    total = len(project.tasks)
    while missing := _missing(server, number, project):
        progress("tasks", total - len(missing), total)
        try:
            for start in range(0, len(missing), _BATCH):
                batch = missing[start : start + _BATCH]
                tasks = [{"data": task_data(project, one, lambda task: media.address(task))} for one in batch]
                server.post(f"/api/projects/{number}/import", tasks)
                n_sent += len(batch)
                progress("tasks", total - len(missing) + start + len(batch), total)
        except NoAnswerError:
            failures += 1
            if failures == _TRIES:
                raise
            server.get("/api/version")  # waits for the server
            media.list_again()
    _drop_twice(server, number, project)
    _add_tabs(server, number, project)
    return PushedRound(number=number, n_tasks=total, n_sent=n_sent, n_uploaded=media.n_sent)


def _create(server: Server, project: Project, labelling: str) -> dict[str, Any]:
    what = f"round {project.round}" if project.show != "frames" else FRAME_STAGES[project.round]
    title = f"{project.dataset}: {what}"
    described = (
        f"{counted(len(project.tasks), 'clip')}, {project.per_clip} votes each; made by fgbench. Leave the "
        f"text in [] as it is: the answers are known by it. {mark_of(project)}"
    )
    voters = len(project.annotators) if project.gold else project.per_clip
    value = server.post(
        "/api/projects",
        {
            "title": title if len(title) <= _MAX_TITLE else f"{title[: _MAX_TITLE - 3]}...",
            "description": described,
            "label_config": labelling,
            "maximum_annotations": voters,
            "sampling": "Sequential sampling",
            "show_collab_predictions": False,
            "enable_empty_annotation": False,
        },
    )
    if not isinstance(value, dict) or not isinstance(value.get("id"), int):
        raise ResourceError(f"{server.name} made no project", "is this the address of Label Studio?")
    return value


def _tasks(server: Server, number: int, project: Project) -> Iterator[tuple[str, dict[str, Any]]]:
    """Clip and task of each task of the project on the server that is one of ours."""
    for task in paged(server, "/api/tasks", project=number, page_size=_PAGE, fields="task_only"):
        data = task.get("data")
        if isinstance(data, dict) and data.get("project") == project.project:
            yield str(data.get("clip")), task


def _missing(server: Server, number: int, project: Project) -> list[int]:
    """Numbers of the tasks that are not there."""
    there = {clip for clip, _ in _tasks(server, number, project)}
    return [at for at, task in enumerate(project.tasks) if project.shown_name(task.clip) not in there]


def _drop_twice(server: Server, number: int, project: Project) -> None:
    """Delete tasks without answers of clips that have another: of a batch whose answer was lost."""
    first: dict[str, dict[str, Any]] = {}
    for clip, task in _tasks(server, number, project):
        other = first.setdefault(clip, task)
        if other is task:
            continue
        without = [one for one in (task, other) if not _has_answers(one)]
        if without:
            server.delete(f"/api/tasks/{server.number_of(without[0])}/")
            first[clip] = other if without[0] is task else task


def _has_answers(task: dict[str, Any]) -> bool:
    return bool(task.get("total_annotations") or task.get("cancelled_annotations") or task.get("drafts"))


def _add_tabs(server: Server, number: int, project: Project) -> None:
    """Make a tab for each annotator with the tasks that are for him or her, where these are not all."""
    if project.per_clip == len(project.annotators) or len(project.annotators) > _MAX_TABS:
        return
    columns = [f"tasks:{name}" for name in _HIDDEN]
    listed = server.get("/api/dm/views", project=number)
    titles = {
        one["data"].get("title")
        for one in (listed if isinstance(listed, list) else [])
        if isinstance(one, dict) and isinstance(one.get("data"), dict)
    }
    for name in project.annotators:
        if name in titles:
            continue
        shown = {
            "filter": "filter:tasks:data.annotators",
            "operator": "contains",
            "type": "String",
            "value": marked([name]),
        }
        data = {
            "title": name,
            "filters": {"conjunction": "and", "items": [shown]},
            "hiddenColumns": {"explore": columns, "labeling": columns},
        }
        server.post("/api/dm/views/", {"project": number, "data": data})
