"""Data sets and finished work folders that campaigns damage, or make again under kills."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fgbench.synthetic.dataset import SynthOptions, generate
from tests.support.campaigns.commands import Commands
from tests.support.campaigns.moving_faces import face_pictures
from tests.support.video_files import QUICK, write_clip

CLASSES = ("calm", "glad", "wild")
PARTS = {"train": 4, "val": 1, "test": 2}

SMALL = """\
name: small
buckets: 4
max_reject_rate: 1.0
dataset: {adapter: folder, name: small, scheme: free, synthetic: true}
sample: {before: 1, after: 1, video: uniform, video_frames: 4}
augment: {copies: 1}
optical_flow: {enabled: true, size_px: 32}
"""

TRACKED = SMALL.replace("small", "tracked") + "dense_trajectories: {enabled: true, max_side_px: 120}\n"

DRAWN = """\
name: drawn
buckets: 4
max_reject_rate: 1.0
dataset: {adapter: fg_emotions, name: drawn, scheme: fg33, synthetic: true}
sample: {before: 1, after: 0, video: uniform, video_frames: 4}
augment: {copies: 1}
optical_flow: {enabled: true, size_px: 32}
"""

TRUNK = "trunk: {stem: 4, widths: [4, 4, 4, 8]}"
RECIPES = {
    "au": f"extends: au-small\nname: campaign-au\naction_units: [au04, au12, au25]\n{TRUNK}\nembedding: 8\n"
    "optimiser: {epochs: 2, batch: 16, checkpoint_steps: 1}\n",
    "msau": "extends: msau-small\nname: campaign-msau\nau_recipe: au-small\n"
    f"network: {{{TRUNK}, embedding: 8}}\n"
    "optimiser: {epochs: 3, batch: 16, checkpoint_steps: 1}\n",
    "cnn": f"extends: plain-cnn-small\nname: campaign-cnn\nnetwork: {{{TRUNK}, embedding: 8}}\n"
    "optimiser: {epochs: 3, batch: 8, checkpoint_steps: 1}\n",
    "tmsau": "extends: tmsau-small\nname: campaign-tmsau\n"
    "attention: {size: 8, frames: 4, train_frames: 2}\n"
    "flow: {width: 0.0625, length: 2, train_snippets: 2, test_snippets: 2}\n"
    "optimiser: {epochs: 2, batch: 16, checkpoint_steps: 1}\n",
    "nan": "extends: nan-small\nname: campaign-nan\n"
    "attention: {size: 8, frames: 4, train_frames: 2}\n"
    "optimiser: {epochs: 3, batch: 16, checkpoint_steps: 1}\n",
    "dense": "name: campaign-dense\nwords: 20\nsamples: 1000\nruns: 2\nc_values: [1.0, 10.0]\n",
}
"""Recipes of tiny runs, with a checkpoint after every step."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A data set and what was made of it.

    Attributes:
        data: Root of the data set.
        recipe: Recipe of ``fgbench prepare``.
        work: Finished work folder.
        recipes: Folder with :data:`RECIPES`.
    """

    data: Path
    recipe: Path
    work: Path
    recipes: Path

    def prepare(self, work: Path | None = None, *, jobs: int = 1) -> list[str]:
        """Arguments of ``fgbench prepare`` for this data set."""
        options = ["--data-root", str(self.data), "--workdir", str(work or self.work)]
        return ["prepare", str(self.recipe), *options, "--jobs", str(jobs)]

    def recipe_of(self, name: str) -> str:
        """File of one of :data:`RECIPES`."""
        return str(self.recipes / f"campaign-{name}.yaml")


def write_small(root: Path, *, n_frames: int = 6) -> Path:
    """Clips of a photographed face, ``<part>/<class>/<clip>.mp4``; classes differ in colour."""
    number = 0
    for part, count in PARTS.items():
        for index in range(count):
            for shade, label in enumerate(CLASSES):
                number += 1
                pictures = face_pictures(number, n_frames, colour=shade)
                path = root / part / label / f"{part}{index}.mp4"
                path.parent.mkdir(parents=True, exist_ok=True)
                write_clip(path, size=(176, 176), pictures=pictures, options=QUICK)
    return root


def write_drawn(root: Path) -> Path:
    """Two drawn clips of each of the 33 classes, with action units: the first for training."""
    generate(
        root,
        SynthOptions(
            clips_per_class=2,
            subjects=8,
            width=240,
            height=180,
            seed=5,
            min_duration_s=0.5,
            max_duration_s=0.6,
        ),
        jobs=2,
    )
    table = root / "annotations.csv"
    head, *lines = table.read_text(encoding="utf-8").splitlines()
    parted = [
        f"{line},{'train' if number % 2 == 0 else ('val', 'test')[number // 2 % 2]}"
        for number, line in enumerate(lines)
    ]
    table.write_text("\n".join([f"{head},split", *parted]) + "\n", encoding="utf-8")
    return root


def prepared(folder: Path, commands: Commands, kind: str = "small") -> Prepared:
    """Write a data set and its recipes, and prepare it.

    Args:
        folder: A new folder.
        commands: Runs ``fgbench prepare``.
        kind: ``small``, ``tracked`` (with dense trajectories) or ``drawn`` (with action units).
    """
    folder.mkdir(parents=True)
    recipe = folder / "recipe.yaml"
    recipe.write_text({"small": SMALL, "tracked": TRACKED, "drawn": DRAWN}[kind], encoding="utf-8")
    for name, text in RECIPES.items():
        (folder / f"campaign-{name}.yaml").write_text(text, encoding="utf-8")
    data = folder / "data"
    if kind == "drawn":
        write_drawn(data)
    else:
        write_small(data, n_frames=18 if kind == "tracked" else 6)
    made = Prepared(data, recipe, folder / "work", folder)
    ended = commands.run(*made.prepare(), limit_s=300)
    assert ended.status == 0, ended.printed
    return made


def copied(work: Path, target: Path) -> Path:
    """A copy of a work folder; files that share their bytes there share them in the copy."""
    shared: dict[int, Path] = {}

    def copy(source: str, copy_to: str) -> None:
        inode = Path(source).stat().st_ino
        if inode in shared:
            Path(copy_to).hardlink_to(shared[inode])
        else:
            shutil.copy2(source, copy_to)
            shared[inode] = Path(copy_to)

    shutil.copytree(work, target, copy_function=copy, symlinks=True)
    return target


def bytes_below(folder: Path) -> dict[str, bytes]:
    """Relative path to bytes of every regular file below a folder; links are not followed."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }


def differences(actual: dict[str, bytes], expected: dict[str, bytes]) -> list[str]:
    """Names whose bytes differ or that only one has."""
    names = sorted(actual.keys() | expected.keys())
    return [name for name in names if actual.get(name) != expected.get(name)]


def noise(number: int, size: int) -> bytes:
    """Bytes without meaning."""
    return np.random.default_rng(number).bytes(size)
