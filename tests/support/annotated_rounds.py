"""Small data sets without labels, and exports as Label Studio writes them, made from what people answer."""

from __future__ import annotations

import json
from pathlib import Path

import fgbench
from tests.support.video_files import write_clip

FIVE = ["anna", "ben", "cem", "dora", "emil"]
N_FRAMES = 10


def write_clips(root: Path, names=("a", "b", "film1/c")) -> Path:
    """Write clips of ten frames into ``videos/``; returns the root."""
    for name in names:
        path = root / "videos" / f"{name}.mp4"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_clip(path, N_FRAMES)
    return root


def exported(root: Path, **more):
    """Export the first round for five people."""
    return fgbench.export_tasks(root, **{"annotators": FIVE, "progress": False, **more})


def annotation(who, label="anger", frame=4, stars=4, *, number=1, **more):
    """An annotation as Label Studio exports it; ``label=None``: none; a reserved answer by its choice."""
    result = []
    if label in ("unsure", "not usable"):
        result.append(_region("answer", "choices", {"choices": [label]}))
    elif label is not None:
        result.append(_region("label", "taxonomy", {"taxonomy": [["upper", label]]}))
    if frame is not None:
        marked = {"ranges": [{"start": frame + 1, "end": frame + 1}], "timelinelabels": ["key frame"]}
        result.append(_region("key_frame", "timelinelabels", marked))
    if stars is not None:
        result.append(_region("confidence", "rating", {"rating": stars}))
    times = {"created_at": "2026-01-31T12:00:00.5Z", "updated_at": "2026-01-31T12:01:00.5Z"}
    return {
        "id": number,
        "completed_by": who,
        "was_cancelled": False,
        "lead_time": 3.25,
        "result": result,
        **times,
        **more,
    }


def _region(name, kind, value):
    return {"id": f"r{name}", "from_name": name, "to_name": "clip", "type": kind, "value": value}


def write_export(path: Path, folder: Path, annotations, *, drafts=(), **changed) -> Path:
    """Write an export of a round.

    Args:
        path: The file.
        folder: Folder of the round.
        annotations: Clip to its annotations.
        drafts: Clip and draft of those that were begun.
        changed: Values of the data of all tasks that are others.
    """
    tasks = json.loads((folder / "tasks.json").read_text())
    for number, task in enumerate(tasks, start=1):
        clip = task["data"]["clip"]
        task["id"] = number
        task["annotations"] = annotations.get(clip, [])
        task["drafts"] = [draft for of_clip, draft in drafts if of_clip == clip]
        task["data"] |= changed
    path.write_text(json.dumps(tasks))
    return path


def votes(root: Path) -> list[str]:
    """Lines of ``votes.csv`` without the names of the columns."""
    return (root / "votes.csv").read_text(encoding="utf-8").splitlines()[1:]
