"""Frames near key frames as tasks for Label Studio: one expert selects, another inspects (section III).

Reads manifests and ``selection.csv``; writes a folder with ``tasks.json``, ``labelling.xml``, ``README.md``,
``strips/`` and, last, ``project.json``. It is sent to a server as rounds of votes are.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fgbench.annotation.exporting import check_folder, is_whole
from fgbench.annotation.label_studio.folder import LABELLING, README, TASKS, strip_name
from fgbench.annotation.label_studio.frame_page import frames_guide, frames_xml
from fgbench.annotation.label_studio.tasks import local_url, tasks_json
from fgbench.annotation.project_file import FRAME_STAGES, ClipTask, Project, read_project, write_project
from fgbench.annotation.selection.offered_frames import OfferedClip, offered_clips, pictures_of
from fgbench.annotation.strips import draw_tiles
from fgbench.annotation.tools import LABEL_STUDIO
from fgbench.callbacks import Progress
from fgbench.datasets._annotation_table import SELECTION, VIDEOS
from fgbench.datasets._clip_files import ClipFiles
from fgbench.datasets._selected_frames import is_inspected, read_selection
from fgbench.datasets._tables import whole_number
from fgbench.errors import ArgumentError, ConfigError
from fgbench.files.hashing import digest_file, digest_json
from fgbench.media.images import decode
from fgbench.naming import counted, key
from fgbench.printable import printable_name
from fgbench.storage import exclusive, write_bytes, write_text
from fgbench.workfolders.folder import published_recipe
from fgbench.workfolders.manifest_index import read_index

SELECT, INSPECT = FRAME_STAGES


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameTasks:
    """Tasks that were written.

    Attributes:
        folder: Their folder.
        project: Id of the project.
        expert: Who selects or inspects.
        is_inspection: Whether frames are inspected that another expert selected.
        clips: Clips, one in each task.
        frames: Their frames.
        is_new: Whether they were written; otherwise they were there already.
    """

    folder: Path
    project: str
    expert: str
    is_inspection: bool
    clips: int
    frames: int
    is_new: bool

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "folder": str(self.folder),
            "project": self.project,
            "expert": self.expert,
            "inspection": self.is_inspection,
            "clips": self.clips,
            "frames": self.frames,
            "new": self.is_new,
        }

    def lines(self) -> list[str]:
        """Return lines of text."""
        what = "inspect" if self.is_inspection else "select from"
        done = "written to" if self.is_new else "there already in"
        return [
            f"{counted(self.frames, 'frame')} of {counted(self.clips, 'clip')} for "
            f"{printable_name(self.expert)} to {what}",
            f"tasks are {done} {self.folder}; how to go on is in its README.md",
        ]


def export_frame_tasks(
    workdir: Path, root: Path, out: Path, *, expert: str, is_inspection: bool, progress: Progress
) -> FrameTasks:
    """Write the frames near the key frames of settled clips, or those that were selected, as tasks.

    Args:
        workdir: Work folder with complete manifests.
        root: Folder of the data set.
        out: Folder to write; tasks that are there already, of the same input, are left as they are.
        expert: Name of the expert.
        is_inspection: Whether the selection of another expert is inspected.
        progress: Told the number of clips that are done.

    Raises:
        ArgumentError: If the expert inspects an own selection.
        ConfigError: If there is no frame, no selection to inspect, or the folder holds something else.
        ManifestError: If manifests are missing or damaged.
        ResourceError: If the folder cannot be written, or another process writes it.
    """
    index, recipe = read_index(workdir), published_recipe(workdir)
    clips = [clip for clip in offered_clips(workdir, recipe) if clip.frames]
    if is_inspection:
        clips = _selected(clips, root, expert)
    if not clips:
        raise ConfigError(
            f"{workdir} has no usable face near a key frame, expected frames to select from",
            "look at what fgbench prepare says of faces and key frames",
        )
    check_folder(out)
    with exclusive(out):
        tasks, strips = [], []
        for done, (name, data, task) in enumerate(_drawn(workdir, clips), start=1):
            tasks.append(task)
            strips.append(name)
            if not (out / name).is_file():
                write_bytes(out / name, data)
            progress("clips", done, len(clips))
        project = _project(
            str(index["dataset"]), sorted(tasks, key=lambda task: task.clip), expert, is_inspection
        )
        before = read_project(out)
        if before is not None and before.input != project.input:
            raise ConfigError(
                f"{out} holds tasks of other frames, or for another expert: they are not replaced",
                "import their answers and move the folder away, or name another one with --out",
            )
        if before is not None and is_whole(out, before):
            return _told(out, before, is_new=False)
        if before is not None:
            project = replace(project, project=before.project)
        write_text(out / LABELLING, frames_xml(project.round))
        listed = tasks_json(project, lambda task: local_url(strip_name(task)))
        write_text(out / TASKS, f"{json.dumps(listed, indent=1, ensure_ascii=False)}\n")
        write_text(out / README, frames_guide(project))
        names = sorted({LABELLING, TASKS, README, *strips})
        project = replace(project, files={name: digest_file(out / name) for name in names})
        write_project(out, project)
    return _told(out, project, is_new=True)


def selected_by(root: Path) -> dict[tuple[str, int], str]:
    """Clip and frame of each row of ``selection.csv`` to who selected it.

    Args:
        root: Folder of the data set.

    Raises:
        DatasetError: If the table cannot be read.
    """
    rows, files = read_selection(root / SELECTION) or [], ClipFiles(root, VIDEOS)
    return {
        (files.find(row["clip"]).clip_id, frame): row.get("selected_by", "")
        for row in rows
        if (frame := whole_number(row["frame"])) is not None
    }


def _selected(clips: Sequence[OfferedClip], root: Path, expert: str) -> list[OfferedClip]:
    """The clips with the frames that were selected, and not inspected yet."""
    rows = read_selection(root / SELECTION)
    if not rows or is_inspected(rows):
        raise ConfigError(
            f"{root / SELECTION} is " + ("inspected already" if rows else "not there, or empty"),
            "have one expert select frames, and import what was selected, before another inspects it",
        )
    people = selected_by(root)
    if key(expert) in map(key, people.values()):
        raise ArgumentError(
            f"{expert!r} selected the frames, expected another expert to inspect them",
            "name who inspects",
            argument="expert",
        )
    frames: dict[str, list[int]] = {}
    for clip_id, frame in sorted(people):
        frames.setdefault(clip_id, []).append(frame)
    return [
        replace(clip, frames=tuple(frames[clip.clip_id]), context=())
        for clip in clips
        if clip.clip_id in frames
    ]


def _drawn(workdir: Path, clips: Sequence[OfferedClip]) -> Iterator[tuple[str, bytes, ClipTask]]:
    """Name and data of the strip of each clip, and its task."""
    for clip, pictures in pictures_of(workdir, clips):
        shown = [(one.frame_index, decode(one.data)) for one in pictures if one.frame_index in clip.frames]
        if not shown:
            continue
        data = draw_tiles(shown)
        task = ClipTask(
            clip=clip.clip_id,
            path=clip.clip_id,
            sha256=hashlib.sha256(data).hexdigest(),
            n_frames=len(shown),
            fps=None,
            annotators=(0,),
            frames=tuple(frame for frame, _ in shown),
        )
        yield strip_name(task), data, task


def _project(dataset: str, tasks: Sequence[ClipTask], expert: str, is_inspection: bool) -> Project:
    stage = INSPECT if is_inspection else SELECT
    identity = [dataset, stage, expert, [[one.clip, one.sha256, list(one.frames)] for one in tasks]]
    return Project(
        project=secrets.token_hex(8),
        dataset=dataset,
        tool=LABEL_STUDIO,
        round=stage,
        seed=0,
        show="frames",
        scheme="none",
        classes=(),
        annotators=(expert,),
        per_clip=1,
        tasks=tuple(tasks),
        gold=(),
        input=digest_json(identity),
        files={},
    )


def _told(folder: Path, project: Project, *, is_new: bool) -> FrameTasks:
    return FrameTasks(
        folder=folder,
        project=project.project,
        expert=project.annotators[0],
        is_inspection=project.round == INSPECT,
        clips=len(project.tasks),
        frames=sum(len(task.frames) for task in project.tasks),
        is_new=is_new,
    )
