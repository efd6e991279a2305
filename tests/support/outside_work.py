"""Small work folders that other programs' predictions are scored in, and the truth of their test parts."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import yaml
from typer.testing import CliRunner

from fgbench.cli.app import app
from fgbench.taxonomy import leaf
from tests.support.clip_folders import LABELS, write_folder

N_FRAMES = 8
LOST = "c900"
"""Test clip whose file is empty: it could not be read, and counts as wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """A work folder and the truth of its test part, as the annotations have it.

    Attributes:
        work: The work folder.
        labels: Test sample to class, by clip; lost clips are not among them.
    """

    work: Path
    labels: dict[str, str]


def cli(*arguments: object):
    return CliRunner().invoke(app, list(map(str, arguments)))


def prepared(folder: Path, recipe: dict[str, object], root: Path) -> Path:
    """Prepare a folder; whole frames stand for faces."""
    path, work = folder / f"{recipe['name']}.yaml", folder / f"{recipe['name']}-work"
    path.write_text(yaml.safe_dump({"buckets": 2, "faces": {"align": "never"}, **recipe}))
    done = cli("prepare", path, "--data-root", root, "--workdir", work, "--jobs", 1)
    assert done.exit_code == 0, done.output
    return work


def videos(folder: Path, *, units: bool = True) -> Truth:
    """40 clips of the 33 classes, every third of them tested, labels of two action units; one lost clip."""
    root = write_folder(folder / "clips", 40, n_frames=N_FRAMES)
    (root / "videos" / f"{LOST}.mp4").touch()
    head, *lines = (root / "annotations.csv").read_text().split()
    parts = ["test" if number % 3 == 0 else "train" for number in range(40)]
    lines = [f"{line},{part}" for line, part in zip(lines, parts, strict=True)]
    lines.append(f"{LOST}.mp4,anger,0,s1,test")
    (root / "annotations.csv").write_text("\n".join([f"{head},split", *lines]) + "\n")
    if units:
        rows = [f"c{number:03d},{frame},{present(number, frame)}" for number, frame in unit_frames()]
        (root / "action_units.csv").write_text("\n".join(["clip,frame,AU1,AU12", *rows]) + "\n")
    work = prepared(folder, {"name": "videos"}, root)
    labels = {f"c{number:03d}": LABELS[number % 33] for number in range(0, 40, 3)}
    return Truth(work=work, labels=labels)


def unit_frames() -> list[tuple[int, int]]:
    return [(number, frame) for number in range(40) for frame in range(N_FRAMES)]


def present(number: int, frame: int) -> str:
    """Labels of two units: present, absent, or not labelled in one frame of each clip."""
    first = "" if frame == 7 else str((number + frame) % 2)
    return f"{first},{int((number * frame) % 3 == 0)}"


def pictures(folder: Path) -> Truth:
    """Pictures of four basic expressions in folders of parts and classes, five of each tested."""
    generator, labels = np.random.default_rng(0), {}
    for part, count in (("train", 3), ("test", 5)):
        for label in ("Happy", "sad", "anger", "Surprised"):
            for number in range(count):
                path = folder / "pictures" / part / label / f"{part}-{label}-{number}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                cv2.imwrite(str(path), generator.integers(0, 255, (64, 64, 3), dtype=np.uint8))
                if part == "test":
                    clip = f"test/{label}/{path.stem}"
                    labels[clip] = {"Happy": "happiness", "sad": "sadness", "Surprised": "surprise"}.get(
                        label, label
                    )
    recipe = {"name": "pictures", "dataset": {"adapter": "folder", "scheme": "found"}}
    return Truth(work=prepared(folder, recipe, folder / "pictures"), labels=labels)


def folds(folder: Path) -> Truth:
    """Twelve clips of three classes, in three folds by clip."""
    root = write_folder(folder / "folded", 12, n_frames=4)
    head, *lines = (root / "annotations.csv").read_text().split()
    names = ("anger", "pride", "panic")
    rows = [line.split(",") for line in lines]
    rows = [[row[0], names[number % 3], "2", row[3]] for number, row in enumerate(rows)]
    (root / "annotations.csv").write_text("\n".join([head, *map(",".join, rows)]) + "\n")
    recipe = {
        "name": "folds",
        "dataset": {"scheme": "found"},
        "protocol": {"kind": "k-fold", "folds": 3, "group_by": "clip_id"},
    }
    labels = {f"c{number:03d}": names[number % 3] for number in range(12)}
    return Truth(work=prepared(folder, recipe, root), labels=labels)


def write_rows(path: Path, rows: list[dict[str, object]], *, before: str = "") -> Path:
    """Write rows as CSV, with the columns in the order of the first row."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [before + name for name in rows[0]])
        writer.writeheader()
        writer.writerows([{before + name: value for name, value in row.items()} for row in rows])
    return path


def score(path: Path, work: Path, *more: object) -> dict[str, object]:
    """What ``fgbench score --json`` tells."""
    done = cli("score", path, "--workdir", work, "--json", *more)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def basic(label: str) -> str:
    """Ekman's class of a leaf, or love."""
    return "disgust" if label == "disgust" else leaf(label).basic
