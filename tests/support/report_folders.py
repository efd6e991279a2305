"""Work folders with runs whose predictions are made up, and manifests of plain pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from fgbench import records, storage
from fgbench.media.images import encode
from fgbench.runs.predictions import Predictions
from fgbench.runs.read_digest import read_digest
from fgbench.runs.results import write_run
from fgbench.taxonomy import leaf, leaves
from fgbench.workfolders.manifest_index import is_published, read_index

LABELS = tuple(entry.name for entry in leaves())

REGION_SCHEMA = pa.schema(
    [
        ("sample_id", pa.string()),
        ("rank", pa.int16()),
        ("box", pa.list_(pa.float32(), 4)),
        ("cell", pa.list_(pa.int16(), 2)),
        ("strength", pa.float32()),
    ]
)


def samples(n_per_class: int = 4) -> list[tuple[str, str, str, str]]:
    """Id, clip, subject and class of test images: two clips per class, of eight subjects in turn."""
    return [
        (f"{label}-{number % 2}-f{number:05d}", f"{label}-{number % 2}", f"s{(index + number) % 8}", label)
        for index, label in enumerate(LABELS)
        for number in range(n_per_class)
    ]


def digest_of(work: Path) -> str:
    """What a run of the manifests that are there keeps; without manifests, any digest."""
    return read_digest(work, read_index(work)) if is_published(work) else "0" * 64


def write_fake_run(
    work: Path,
    experiment: str,
    *,
    method: str | None,
    seed: int = 0,
    fold: str = "0",
    share: float = 0.5,
    shown: list[tuple[str, str, str, str]] | None = None,
    details: dict[str, object] | None = None,
    classes: Sequence[str] = LABELS,
) -> Path:
    """Write a run that is right for a share of the samples; one sample in twenty has no prediction."""
    shown = samples() if shown is None else shown
    generator = np.random.default_rng([seed, *experiment.encode(), *fold.encode()])
    predicted: list[str | None] = []
    probabilities = np.full((len(shown), len(classes)), np.nan, np.float32)
    for row, (_, _, _, label) in enumerate(shown):
        actual = label if generator.random() < share else str(generator.choice(classes))
        predicted.append(None if generator.random() < 0.05 else actual)
        if predicted[-1] is not None:
            probabilities[row] = 0.5 / len(classes)
            probabilities[row, list(classes).index(actual)] += 0.5
    ids, clips, subjects, labels = zip(*shown, strict=True)
    return write_run(
        work,
        Predictions(
            classes=tuple(classes),
            sample_ids=ids,
            clip_ids=clips,
            subject_ids=subjects,
            labels=labels,
            predicted=predicted,
            probabilities=probabilities,
        ),
        experiment=experiment,
        fold=fold,
        seed=seed,
        config={"name": experiment},
        manifest_digest=digest_of(work),
        device="cpu",
        details={
            "dataset": "mine",
            "synthetic": True,
            **({} if method is None else {"method": method}),
            **(details or {}),
        },
    )


def write_regions(folder: Path, cells: dict[str, list[tuple[int, int]]]) -> None:
    """Write ``regions.parquet``: boxes of 64 px round the centres of the cells."""
    rows = []
    for name, chosen in cells.items():
        for rank, (down, across) in enumerate(chosen):
            x, y = 32.0 + 32 * across, 32.0 + 32 * down
            box = [x - 32, y - 32, x + 32, y + 32]
            rows.append(
                {"sample_id": name, "rank": rank, "box": box, "cell": [down, across], "strength": 1.0 - rank}
            )
    # The order of rows is not part of the format.
    storage.write_table(folder / "regions.parquet", pa.Table.from_pylist(rows[::-1], schema=REGION_SCHEMA))


def chip_landmarks() -> np.ndarray:
    """(68, 2) points, px of the face: brows at y 32, eyes at 64, nose at 112, mouth at 160, outline below."""
    points = np.zeros((68, 2))
    points[:17] = np.column_stack([np.linspace(5, 219, 17), np.full(17, 222)])
    for (begin, end), height in (((17, 27), 32), ((27, 36), 112), ((36, 48), 64), ((48, 68), 160)):
        points[begin:end] = np.column_stack([np.linspace(64, 160, end - begin), np.full(end - begin, height)])
    return points


def write_manifests(work: Path, shown: list[tuple[str, str, str, str]], *, landmarks: bool = True) -> None:
    """Write the manifests that reports read: clips, images, and faces with or without landmarks."""
    folder = work / "manifests"
    clips, images, faces = {}, [], []
    for name, clip, subject, label in shown:
        frame = int(name.rsplit("-f", 1)[1])
        common = {"clip_id": clip, "label": label, "split": "test", "subject_id": subject}
        clips[clip] = {**common, "basic": leaf(label).basic, "valence": leaf(label).valence}
        grey = np.full((224, 224, 3), 40 + frame * 20, np.uint8)
        picture = {"bytes": encode(grey, "jpeg", 80), "path": f"{name}.jpg"}
        images.append({**common, "image_id": name, "frame_index": frame, "image": picture})
        source = (chip_landmarks() * 2.0 + 10.0).ravel().tolist()  # undone by the transform
        faces.append(
            {
                "clip_id": clip,
                "frame_index": frame,
                "role": "image",
                "landmarks": source if landmarks else None,
                "transform": [0.5, 0.0, -5.0, 0.0, 0.5, -5.0],
            }
        )
    tables = {
        "clips.parquet": ("clips", list(clips.values())),
        "images/test-00000.parquet": ("images", images),
        "faces/00000.parquet": ("faces", faces),
    }
    for name, (kind, rows) in tables.items():
        schema = records.schema(kind)
        full = [{column: row.get(column) for column in schema.names} for row in rows]
        storage.write_table(folder / name, pa.Table.from_pylist(full, schema=schema))
    index = {"dataset": "mine", "synthetic": True, "files": {name: {"sha256": "0" * 64} for name in tables}}
    storage.write_json(folder / "index.json", index)
