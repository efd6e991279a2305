"""Folder of a round for Label Studio: ``labelling.xml``, ``tasks.json``, ``README.md`` and strips."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from fgbench.annotation.clip_list import ListedClip
from fgbench.annotation.label_studio.guide import guide
from fgbench.annotation.label_studio.labelling import labelling_xml
from fgbench.annotation.label_studio.tasks import local_url, tasks_json
from fgbench.annotation.project_file import PROJECT, ClipTask, Project, round_folder
from fgbench.annotation.strips import draw_strip
from fgbench.callbacks import Progress
from fgbench.media.kinds import is_picture, is_video
from fgbench.naming import counted
from fgbench.storage import OF_LOCKS, link, write_bytes, write_text

LABELLING = "labelling.xml"
TASKS = "tasks.json"
README = "README.md"
STRIPS = "strips"
CLIPS = "clips"
FORM = 1
"""Version of the files: raised when they change, so that a round of another version is of other input."""

OWN_NAMES = OF_LOCKS | {
    *(LABELLING, TASKS, README, STRIPS, CLIPS, PROJECT, "rejects.csv", "imported.json", "pulled.json")
}
"""Names in the folder of a round."""

_PLAYED = frozenset({".mp4", ".m4v", ".webm", ".ogv", ".mov"})
"""Suffixes of videos that browsers play, if their codec is one that they know."""


def strip_name(task: ClipTask | ListedClip) -> str:
    """Name of the strip of a clip in the folder of the round."""
    return f"{STRIPS}/{task.sha256[:24]}-{task.n_frames}.jpg"


def clip_name(task: ClipTask) -> str:
    """Name, in the folder of the round, of a clip under a neutral name."""
    return f"{CLIPS}/{task.sha256[:24]}{PurePosixPath(task.path).suffix.lower()}"


def is_single_file(clip: ListedClip) -> bool:
    """Whether a clip is a file of its own, by its name, and no folder of pictures."""
    return is_video(clip.path) or is_picture(clip.path)


def notes_on(clips: Sequence[ListedClip], show: str) -> list[str]:
    """Sentences on clips that browsers may not show.

    Args:
        clips: The clips.
        show: ``"clips"`` or ``"strips"``.
    """
    if show != "clips":
        return []
    others = [clip.path for clip in clips if PurePosixPath(clip.path).suffix.lower() not in _PLAYED]
    notes = []
    if others:
        notes.append(
            f"{counted(len(others), 'clip')} of a kind that browsers do not play, e.g. {others[0]}: "
            "take --as strips"
        )
    uneven = sum(clip.times_s is not None for clip in clips)
    if uneven:
        notes.append(
            f"{counted(uneven, 'clip')} whose frames come unevenly: the tool counts by the mean rate, and "
            "the import takes the frame that is shown at that time"
        )
    return notes


def write(folder: Path, project: Project, root: Path, progress: Progress) -> list[str]:
    """Write the files of a round, but for ``project.json``.

    Args:
        folder: Its folder.
        project: The round.
        root: Root of the data set.
        progress: Told the number of strips that are drawn.

    Returns:
        Names of the files, from the folder.

    Raises:
        MediaError: If a clip cannot be decoded any more.
        ResourceError: If the folder cannot be written.
    """
    names = [LABELLING, TASKS, README]
    is_hidden = project.hide_names and project.show == "clips"
    if is_hidden:
        names += sorted({clip_name(task) for task in project.tasks})
        for task in project.tasks:
            link(root / task.path, folder / clip_name(task))
    if project.show == "strips":
        for done, task in enumerate(project.tasks, start=1):
            name = strip_name(task)
            if name not in names:
                names.append(name)
                write_bytes(folder / name, draw_strip(root / task.path, task.n_frames))
            progress("strips", done, len(project.tasks))
    base = _below(folder, root)

    def media(task: ClipTask) -> str:
        if project.show == "clips" and not is_hidden:
            return local_url(task.path)
        name = clip_name(task) if is_hidden else strip_name(task)
        return local_url(name if base is None else f"{base}/{name}")

    write_text(folder / LABELLING, labelling_xml(project.classes, show=project.show))
    tasks = json.dumps(tasks_json(project, media), indent=1, ensure_ascii=False)
    write_text(folder / TASKS, f"{tasks}\n")
    below = CLIPS if is_hidden else STRIPS
    if project.show == "clips" and not is_hidden:
        where, served = "the folder of the data set", _first_folders(project)
    elif base is None:
        where, served = "this folder", below
    else:
        where, served = "the folder of the data set", f"{base}/{below}"
    write_text(
        folder / README, guide(project, root=where, serves=served, is_inside=_is_usual(folder, root, project))
    )
    return names


def _is_usual(folder: Path, root: Path, project: Project) -> bool:
    return _below(folder, root) == round_folder(Path(), project.round).as_posix()


def _below(folder: Path, root: Path) -> str | None:
    """POSIX path of a folder from the root of the data set; ``None`` if it lies elsewhere."""
    inner, outer = Path(os.path.realpath(folder)), Path(os.path.realpath(root))
    return inner.relative_to(outer).as_posix() if inner.is_relative_to(outer) else None


def _first_folders(project: Project) -> str:
    folders = sorted({task.path.partition("/")[0] if "/" in task.path else "." for task in project.tasks})
    return ", ".join(folders[:3])
