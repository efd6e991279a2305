"""Small data sets in the layout of FG-Emotions, made on the spot: plain moving pictures without faces."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from fgbench.taxonomy import leaves
from tests.support.video_files import write_clip

LABELS = [leaf.name for leaf in leaves()]


def write_plain_clip(
    path: Path, n_frames: int = 8, *, size: tuple[int, int] = (64, 48), seed: int = 0
) -> None:
    """Write an H.264 clip of a moving ramp."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_plain_clip(n_frames, size, seed, path.suffix))


@cache
def _plain_clip(n_frames: int, size: tuple[int, int], seed: int, suffix: str) -> bytes:
    ramp = np.add.outer(np.arange(size[1]), np.arange(size[0])) * 3 + seed * 17
    pictures = (
        np.stack([(ramp + 5 * index) % 256] * 3, axis=-1).astype(np.uint8) for index in range(n_frames)
    )
    with TemporaryDirectory() as folder:
        return write_clip(Path(folder) / f"clip{suffix}", size=size, pictures=pictures).read_bytes()


def write_folder(root: Path, n_clips: int, *, n_frames: int = 8) -> Path:
    """Write ``n_clips`` clips, labels in turn, and their annotations."""
    lines = ["clip,label,key_frame,subject"]
    for number in range(n_clips):
        write_plain_clip(root / "videos" / f"c{number:03d}.mp4", n_frames, seed=number)
        lines.append(f"c{number:03d}.mp4,{LABELS[number % 33]},{n_frames // 2},s{number % 7}")
    (root / "annotations.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return root


def add_clip(root: Path, name: str, label: str, *, n_frames: int = 8, key_frame: int | None = 4) -> None:
    """Add one clip to a folder."""
    write_plain_clip(root / "videos" / f"{name}.mp4", n_frames, seed=len(name))
    with (root / "annotations.csv").open("a", encoding="utf-8") as file:
        file.write(f"{name}.mp4,{label},{'' if key_frame is None else key_frame},s0\n")


def contents(folder: Path) -> dict[str, bytes]:
    """Relative path to bytes of every file below a folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
