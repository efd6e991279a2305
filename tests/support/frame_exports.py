"""Exports of Label Studio in which experts select frames, made from what they choose."""

from __future__ import annotations

import json
from pathlib import Path


def chosen(who, frames, *, number=1, **more):
    """An annotation that chooses frames."""
    value = {"choices": list(map(str, frames))}
    region = {"id": "r", "from_name": "frames", "to_name": "clip", "type": "choices", "value": value}
    return {
        "id": number,
        "completed_by": who,
        "was_cancelled": False,
        "result": [region],
        **more,
    }


def frame_export(folder: Path, annotations) -> list[dict]:
    """Tasks of a folder as they are exported.

    Args:
        folder: Folder of the tasks.
        annotations: Clip to its annotations.
    """
    tasks = json.loads((folder / "tasks.json").read_text(encoding="utf-8"))
    return [
        {"id": number, **task, "annotations": annotations.get(task["data"]["clip"], [])}
        for number, task in enumerate(tasks, start=1)
    ]


def write_frame_export(path: Path, folder: Path, annotations) -> Path:
    """Write such an export."""
    path.write_text(json.dumps(frame_export(folder, annotations)), encoding="utf-8")
    return path
