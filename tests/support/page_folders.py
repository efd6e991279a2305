"""Made-up work folders of any size for the page: pictures of a face, runs with all that they may keep."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from fgbench import records, storage
from fgbench.media.images import encode
from fgbench.runs.attention import ClipAttention, write_attention
from fgbench.runs.predictions import Predictions
from fgbench.runs.results import write_run
from fgbench.runs.streams import StreamScores, write_streams
from fgbench.taxonomy import leaf
from tests.support.report_folders import LABELS, REGION_SCHEMA, digest_of, write_fake_run

HOSTILE = '</script><script>window.hacked = 1</script><img src=x onerror="window.hacked=1">'
"""A name that would run a script, were it taken for markup."""

Sample = tuple[str, str, str, str]
"""Id, clip, subject, class."""


def face_variants(n: int, seed: int = 0) -> list[bytes]:
    """JPEG files of a photographed face, 224 px, moved, scaled and lit in ``n`` ways."""
    import cv2
    from skimage.data import astronaut

    generator = np.random.default_rng(seed)
    actual = []
    for _ in range(n):
        scale, turn = generator.uniform(1.0, 1.5), generator.uniform(-15, 15)
        matrix = cv2.getRotationMatrix2D((224, 120), turn, scale)
        matrix[:, 2] += [112 - 224 + generator.uniform(-15, 15), 112 - 120 + generator.uniform(-15, 15)]
        moved = cv2.warpAffine(astronaut(), matrix, (224, 224), borderMode=cv2.BORDER_REFLECT)
        lit = np.clip(moved * generator.uniform(0.6, 1.2) + generator.normal(0, 4, moved.shape), 0, 255)
        actual.append(encode(lit.astype(np.uint8), "jpeg", 95))
    return actual


def write_data(
    work: Path,
    *,
    clips: dict[str, int],
    images_per_clip: int | dict[str, int],
    copies: dict[str, int],
    frames: int = 8,
    synthetic: bool = True,
    n_faces: int = 20,
    labels: Sequence[str] = LABELS,
) -> dict[str, list[Sample]]:
    """Write manifests: clips in turn of all classes, of ten persons; returns the test images and clips.

    Args:
        work: Work folder.
        clips: Part to number of clips.
        images_per_clip: Original images of each, or part to that number.
        copies: Part to number of augmented copies in all.
        frames: Frames of each test clip in the ``faces`` table.
        synthetic: Whether the data are said to be drawn.
        n_faces: Different pictures.
        labels: Classes.
    """
    faces, manifests = face_variants(n_faces), work / "manifests"
    clip_rows, face_rows, files = [], [], []
    actual: dict[str, list[Sample]] = {"image": [], "video": []}
    number = 0
    for part, count in clips.items():
        image_rows = []
        per_clip = images_per_clip if isinstance(images_per_clip, int) else images_per_clip[part]
        for index in range(count):
            label, subject, clip = labels[index % len(labels)], f"s{index % 10}", f"{part}-clip{index:04d}"
            tree = leaf(label) if label in LABELS else None
            common = {
                "clip_id": clip,
                "label": label,
                "basic": tree.basic if tree else None,
                "valence": tree.valence if tree else None,
                "split": part,
                "subject_id": subject,
            }
            clip_rows.append({**common, "dataset": "made up", "key_frame": 2})
            for frame in range(per_clip):
                name = records.image_id(clip, frame)
                image_rows.append({**common, "image_id": name, "frame_index": frame, "offset": frame - 2})
                if part == "test":
                    actual["image"].append((name, clip, subject, label))
            if part == "test":
                actual["video"].append((clip, clip, subject, label))
                for frame in range(frames):
                    face_rows.append(
                        {"clip_id": clip, "frame_index": frame * 3, "role": "video", "status": "ok"}
                    )
        originals = list(image_rows)
        for copy in range(copies.get(part, 0)):
            parent = originals[copy % len(originals)]
            name = parent["image_id"]
            image_rows.append({**parent, "image_id": f"{name}-a{copy:05d}", "parent_id": name})
        for row in (*image_rows, *(face_rows if part == "test" else ())):
            row["image"] = {"bytes": faces[number % len(faces)], "path": "face.jpg"}
            number += 1
        for begin in range(0, len(image_rows), 500):
            file = f"images/{part}-{begin // 500:05d}.parquet"
            _write(manifests / file, "images", image_rows[begin : begin + 500])
            files.append(file)
    # One face could not be used, and has no picture.
    face_rows.append({"clip_id": "test-clip0000", "frame_index": 1, "role": "image", "status": "no_face"})
    _write(manifests / "faces/00000.parquet", "faces", face_rows)
    _write(manifests / "clips.parquet", "clips", clip_rows)
    reject = {"id": "lost", "stage": "ingest", "reason": "empty_file", "detail": "0 bytes"}
    _write(manifests / "rejects.parquet", "published_rejects", [reject])
    storage.write_json(
        manifests / "index.json",
        {
            "dataset": "made up",
            "synthetic": synthetic,
            "files": {name: {"sha256": "0" * 64, "rows": 1} for name in files},
        },
    )
    return actual


def _write(path: Path, kind: str, rows: list[dict[str, object]]) -> None:
    schema = records.schema(kind)
    full = [{column: row.get(column) for column in schema.names} for row in rows]
    storage.write_table(path, pa.Table.from_pylist(full, schema=schema))


def write_image_run(work: Path, experiment: str, shown: list[Sample], **options: object) -> Path:
    """A run of an image network: curves, what its scales say, regions."""
    folder = write_fake_run(work, experiment, shown=shown, **options)  # type: ignore[arg-type]
    generator = np.random.default_rng(len(experiment))
    epochs = [
        {
            "epoch": epoch,
            "losses": {"loss": 3.0 / (epoch + 1), "rank": 0.1, "gradient_norm": 1.0},
            "score": {"score": 0.1 * epoch, "scale1": None if epoch == 0 else 0.05 * epoch},
            "learning_rate": 1e-3,
            "seconds": 1.5,
            "images_per_s": 10.0,
        }
        for epoch in range(4)
    ]
    history = {"epochs": epochs, "best_epoch": 3, "best_score": 0.3, "keep": "best", "stopped_early": False}
    storage.write_json(folder / "history.json", history)
    ids = [name for name, *_ in shown]
    branches = generator.dirichlet(np.ones(len(LABELS)), size=(len(ids), 2)).astype(np.float32)
    schema = pa.schema(
        [
            ("sample_id", pa.string()),
            ("branch", pa.int16()),
            ("probabilities", pa.list_(pa.float32(), len(LABELS))),
        ]
    )
    columns = {
        "sample_id": [name for name in ids for _ in range(2)],
        "branch": [0, 1] * len(ids),
        "probabilities": list(branches.reshape(-1, len(LABELS))),
    }
    storage.write_table(folder / "branches.parquet", pa.table(columns, schema=schema))
    rows = []
    for name in ids:
        for rank, (down, across) in enumerate(generator.integers(0, 6, (3, 2)).tolist()):
            x, y = 32.0 + 32 * across, 32.0 + 32 * down
            box = [x - 40, y - 40, x + 40, y + 40]
            rows.append(
                {"sample_id": name, "rank": rank, "box": box, "cell": [down, across], "strength": 1.0}
            )
    storage.write_table(folder / "regions.parquet", pa.Table.from_pylist(rows, schema=REGION_SCHEMA))
    return folder


def write_clip_run(
    work: Path, experiment: str, shown: list[Sample], *, frames: int = 8, **options: object
) -> Path:
    """A run of a clip network: what its streams say, attention over frames."""
    folder = write_fake_run(work, experiment, shown=shown, **options)  # type: ignore[arg-type]
    generator = np.random.default_rng(len(experiment))
    ids, _, subjects, labels = zip(*shown, strict=True)

    def stream() -> StreamScores:
        shares = generator.dirichlet(np.ones(len(LABELS)), size=len(ids)).astype(np.float32)
        return StreamScores(
            classes=LABELS,
            sample_ids=ids,
            parts=["test"] * len(ids),
            labels=labels,
            subject_ids=subjects,
            probabilities=shares,
        )

    write_streams(folder, {"spatial": stream(), "temporal": stream()})
    clips = [
        ClipAttention(
            sample_id=name,
            part="test",
            frames=np.arange(frames, dtype=np.int32) * 3,
            first=generator.dirichlet(np.ones(frames) * 3).astype(np.float32),
            second=generator.dirichlet(np.ones(frames)).astype(np.float32),
        )
        for name in ids
    ]
    write_attention(folder, clips)
    return folder


def hostile_work(folder: Path) -> Path:
    """A work folder whose classes, ids, clips and data set are named like markup."""
    labels = (f"good {HOSTILE}", f"bad & '\"{HOSTILE}")
    write_data(folder, clips={"test": 4}, images_per_clip=1, copies={}, labels=labels, n_faces=2)
    shares = np.tile(np.array([0.75, 0.25], np.float32), (4, 1))
    for experiment in ("one", "other"):
        write_run(
            folder,
            Predictions(
                classes=labels,
                sample_ids=[f"{number} {HOSTILE}" for number in range(4)],
                clip_ids=[HOSTILE] * 2 + ["c"] * 2,
                subject_ids=[HOSTILE, None, "a", "b"],
                labels=[labels[number % 2] for number in range(4)],
                predicted=[labels[0], None, labels[0], labels[0]],
                probabilities=shares,
            ),
            experiment=experiment,
            fold="0",
            seed=0,
            config={"name": HOSTILE},
            manifest_digest=digest_of(folder),
            device=HOSTILE,
            details={"dataset": HOSTILE, "synthetic": True, "method": HOSTILE},
        )
    return folder
