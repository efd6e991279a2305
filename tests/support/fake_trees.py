"""Files for fakes of data sets in the layouts of their owners: small pictures and clips, and label files.

The pictures are noise on a grey that depends on the label, so that a baseline can tell them apart.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from zlib import crc32

import cv2
import numpy as np

from fgbench.config import load_prepare
from fgbench.preparation import prepare
from fgbench.storage import read_rows
from tests.support.clip_folders import write_plain_clip
from tests.support.video_files import write_clip as write_video


def write_picture(path: Path, label: str = "", *, size: tuple[int, int] = (48, 48)) -> Path:
    """Write a picture; the same label and names, of it and of two folders above, give the same pixels."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), pixels("/".join(path.parts[-3:]), label, size=size))
    return path


def pixels(name: str, label: str = "", *, size: tuple[int, int] = (48, 48)) -> np.ndarray:
    """(H, W) uint8: stripes whose width and grey depend on the label, and noise."""
    rng = np.random.default_rng(crc32(name.encode()))
    kind = crc32(label.encode())
    stripes = np.arange(size[0]) // (2 + kind % 7) % 2 * (40 + kind // 7 % 60)
    noise = rng.integers(0, 40, (size[1], size[0]))
    return (60 + stripes[None, :] + noise).astype(np.uint8)


def write_pictures(folder: Path, names: list[str], label: str = "") -> None:
    """Write several pictures."""
    for name in names:
        write_picture(folder / name, label)


def write_text(path: Path, text: str) -> Path:
    """Write a text file and its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def write_clip(path: Path, n_frames: int = 4, label: str | None = None) -> Path:
    """Write a small video: a moving ramp, or, of a label, its pixels moving up or to the left."""
    seed = crc32(path.name.encode()) % 100
    if label is None:
        write_plain_clip(path, n_frames, seed=seed)
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    write_video(path, size=(96, 96), pictures=moving(path.name, label, n_frames))
    return path


def moving(name: str, label: str, n_frames: int) -> Iterator[np.ndarray]:
    """(H, W, 3) uint8 of every frame: coarse noise, moved by 2 px a frame in a direction of the label's."""
    first = cv2.resize(pixels(name, label, size=(24, 24)), (96, 96), interpolation=cv2.INTER_CUBIC)
    for number in range(n_frames):
        shift = (0, 2 * number) if crc32(label.encode()) % 2 else (2 * number, 0)
        yield np.stack([np.roll(first, shift, axis=(0, 1))] * 3, axis=-1)


class Prepared:
    """Manifests that ``fgbench prepare`` made of a fake with a packed recipe.

    Args:
        recipe: Name of the recipe.
        root: The fake.
        work: Work folder.
        changes: What is set otherwise: values, or keys of sections, e.g. ``faces={"align": "never"}``.
    """

    def __init__(self, recipe: str, root: Path, work: Path, **changes: dict[str, object] | float) -> None:
        config = load_prepare(recipe)
        update = {
            name: getattr(config, name).model_copy(update=values) if isinstance(values, dict) else values
            for name, values in changes.items()
        }
        self.report = prepare.run(config.model_copy(update={"buckets": 2, **update}), root, work)
        self.work = work
        self.manifests = work / "manifests"
        self.index = json.loads((self.manifests / "index.json").read_text(encoding="utf-8"))

    @property
    def clips(self) -> dict[str, dict[str, object]]:
        """Rows of the clips by id."""
        return {row["clip_id"]: row for row in read_rows(self.manifests / "clips.parquet")}

    @property
    def rejects(self) -> dict[str, str]:
        """Id to reason."""
        return {row["id"]: row["reason"] for row in read_rows(self.manifests / "rejects.parquet")}

    @property
    def images(self) -> list[dict[str, object]]:
        """Original images of the image set, ordered by id."""
        rows = [row for path in (self.manifests / "images").glob("*.parquet") for row in read_rows(path)]
        originals = [row for row in rows if row["parent_id"] is None]
        return sorted(originals, key=lambda row: row["image_id"])
