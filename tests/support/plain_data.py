"""A small data set of plain moving pictures, whole frames for faces, which is prepared in a moment."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from fgbench.config import PrepareConfig
from fgbench.preparation import prepare
from fgbench.publication.publish import Published, publish
from fgbench.synthetic.encode import h264_file

LABELS = ("wrath", "thrill", "gloom")
SIZE = (64, 48)


def write_plain_video(path: Path, seed: int, *, n_frames: int = 6, qp: int = 22) -> None:
    """An H.264 clip of a moving ramp; with another ``qp`` the same pictures in other bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    width, height = SIZE
    ramp = np.add.outer(np.arange(height * 3 // 2), np.arange(width)) * 3 + seed * 17
    with h264_file(path, width, height, 25, qp=qp) as append:
        for number in range(n_frames):
            append(((ramp + 5 * number) % 256).astype(np.uint8))


def write_plain_data(root: Path, n_clips: int = 9) -> Path:
    """Clips of three classes and persons in two folders, with labels of action units."""
    lines, units = ["clip,label,key_frame,subject"], ["clip,frame,AU1,AU12"]
    for number in range(n_clips):
        name = f"film{number % 2}/c{number}.mp4"
        write_plain_video(root / "videos" / name, number)
        lines.append(f"{name},{LABELS[number % 3]},{number % 6},p{number % 4}")
        units += [f"{name},,{number % 2},1", f"{name},2,,0"]
    (root / "annotations.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (root / "action_units.csv").write_text("\n".join(units) + "\n", encoding="utf-8")
    return root


def recipe(**sections: object) -> PrepareConfig:
    """Whole frames stand for faces."""
    described = {"name": "plain", "buckets": 4, "faces": {"align": "never"}, "dataset": {"scheme": "found"}}
    return PrepareConfig.model_validate({**described, **sections})


def prepared(root: Path, work: Path, **sections: object) -> Path:
    """Prepare a data set; returns the work folder."""
    prepare.run(recipe(**sections), root, work)
    return work


def published(work: Path, out: Path) -> Published:
    """Publish a work folder."""
    return publish(work, out, jobs=1, progress=nothing)


def nothing(name: str, done: int, total: int) -> None:
    """Tell nothing."""
