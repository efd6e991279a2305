"""``project.json``: what a round of annotation is of, and what was dealt to whom.

It lies in the folder of the round, ``annotation/round-N`` of the data set's root unless another is named, and
is written last: a folder without it is of an export that did not end.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fgbench.annotation.telling_names import neutral_name
from fgbench.datasets._tree import ROUNDS
from fgbench.datasets._vote_rows import MAX_ROUNDS as MAX_ROUNDS
from fgbench.errors import ManifestError
from fgbench.storage import read_json, write_json

PROJECT = "project.json"
FRAME_STAGES = {1: "frames-select", 2: "frames-inspect"}
"""Round of a project of frames to what it is: one expert selects, another inspects (paper section III)."""
SCHEMA = 1
"""Version of the file."""
_AGAIN = (
    "put a copy of it back: by its id answers are known again; where there is none, move the folder away and "
    "export anew (fgbench annotate export), to which answers to the old tasks are refused"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipTask:
    """A clip of a round.

    Attributes:
        clip: Id of the clip.
        path: POSIX path of its file from the root of the data set.
        sha256: Digest of the file.
        n_frames: Its number of frames.
        fps: Frames per second; ``None`` for a picture.
        annotators: Numbers of those who vote on it, in :attr:`Project.annotators`.
        times_s: Times of its frames in seconds since the first, where they come unevenly.
        frames: Frames that an expert selects from, where the round is one of frames; of these
            ``sha256`` and ``n_frames`` are those of the picture that shows them.
    """

    clip: str
    path: str
    sha256: str
    n_frames: int
    fps: float | None
    annotators: tuple[int, ...]
    times_s: tuple[float, ...] | None = None
    frames: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A round of annotation.

    Attributes:
        project: Its id, which no one can guess.
        dataset: Name of the data set: that of its folder.
        tool: Tool that it was exported for.
        round: Number of the round, from 1.
        seed: Seed of shares and order.
        show: ``"clips"``, ``"strips"``, or ``"frames"``, which experts select.
        scheme: Label set in which answers are looked up.
        classes: ``(class, upper class)`` in order; the upper class is empty where there is none.
        annotators: Names of the annotators.
        per_clip: Annotators of each clip; items with known answers are voted on by all.
        tasks: The clips, in the order of the tasks.
        gold: Ids of the clips with known answers.
        input: Digest of all that the export was made from.
        files: Name of each file of the folder to its digest.
        left_out: Clips that could not be read, ``(clip, reason, detail)``.
        hide_names: Whether annotators see neutral names in the place of those of the clips.
        recipe: Recipe whose classes they are; ``None`` where none was named.
        changes: Settings of it that were changed, each as ``section.field=value``.
    """

    project: str
    dataset: str
    tool: str
    round: int
    seed: int
    show: str
    scheme: str
    classes: tuple[tuple[str, str], ...]
    annotators: tuple[str, ...]
    per_clip: int
    tasks: tuple[ClipTask, ...]
    gold: tuple[str, ...]
    input: str
    files: Mapping[str, str]
    left_out: tuple[tuple[str, str, str], ...] = ()
    hide_names: bool = False
    recipe: str | None = None
    changes: tuple[str, ...] = ()

    def shown_name(self, clip: str) -> str:
        """Name under which annotators see a clip."""
        return neutral_name(self.project, clip) if self.hide_names else clip


def round_folder(root: Path, number: int) -> Path:
    """Return the folder of a round in the root of a data set."""
    return root / ROUNDS / f"round-{number}"


def write_project(folder: Path, project: Project) -> None:
    """Write ``project.json``.

    Raises:
        ResourceError: If it cannot be written.
    """
    from fgbench.annotation.shares import pair_counts

    counts = pair_counts([task.annotators for task in project.tasks], len(project.annotators))
    shares = {
        name: {
            "clips": counts[number][number],
            "shared_with": {
                other: counts[number][at] for at, other in enumerate(project.annotators) if at != number
            },
        }
        for number, name in enumerate(project.annotators)
    }
    write_json(folder / PROJECT, {"schema": SCHEMA, **asdict(project), "shares": shares})


def read_project(folder: Path) -> Project | None:
    """Read ``project.json``; ``None`` if there is none.

    Raises:
        ManifestError: If it is damaged, or of another version of fgbench.
    """
    path = folder / PROJECT
    try:
        value = read_json(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except ManifestError as error:
        raise ManifestError(error.message, _AGAIN) from error
    if not isinstance(value, dict) or value.get("schema") != SCHEMA:
        found = value.get("schema") if isinstance(value, dict) else None
        raise ManifestError(f"{path} has the version {found}, expected {SCHEMA}", _AGAIN)
    try:
        return _project(value)
    except (KeyError, TypeError, ValueError) as error:
        raise ManifestError(f"{path} is no project of a round: {error}", _AGAIN) from error


def rounds_of(root: Path) -> dict[int, Path]:
    """Number of each exported round to its folder, in the root of a data set."""
    found = {}
    for path in sorted((root / ROUNDS).glob(f"round-*/{PROJECT}")):
        number = path.parent.name.removeprefix("round-")
        if number.isascii() and number.isdigit():
            found[int(number)] = path.parent
    return dict(sorted(found.items()))


def _project(value: Mapping[str, Any]) -> Project:
    tasks = tuple(
        ClipTask(
            clip=str(one["clip"]),
            path=str(one["path"]),
            sha256=str(one["sha256"]),
            n_frames=int(one["n_frames"]),
            fps=None if one["fps"] is None else float(one["fps"]),
            annotators=tuple(map(int, one["annotators"])),
            times_s=None if one["times_s"] is None else tuple(map(float, one["times_s"])),
            frames=tuple(map(int, one.get("frames", ()))),
        )
        for one in value["tasks"]
    )
    names = tuple(map(str, value["annotators"]))
    if any(not 0 <= number < len(names) for task in tasks for number in task.annotators):
        raise ValueError("a task has an annotator that is not listed")
    return Project(
        project=str(value["project"]),
        dataset=str(value["dataset"]),
        tool=str(value["tool"]),
        round=int(value["round"]),
        seed=int(value["seed"]),
        show=str(value["show"]),
        scheme=str(value["scheme"]),
        classes=tuple((str(name), str(upper)) for name, upper in value["classes"]),
        annotators=names,
        per_clip=int(value["per_clip"]),
        tasks=tasks,
        gold=tuple(map(str, value["gold"])),
        input=str(value["input"]),
        files={str(name): str(digest) for name, digest in value["files"].items()},
        left_out=tuple((str(a), str(b), str(c)) for a, b, c in value["left_out"]),
        hide_names=bool(value.get("hide_names", False)),
        recipe=None if value.get("recipe") is None else str(value["recipe"]),
        changes=tuple(map(str, value.get("changes", ()))),
    )
