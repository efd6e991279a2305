"""Video runs whose streams and attention are made up, and manifests of their clips."""

from __future__ import annotations

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
from tests.support.report_folders import LABELS, digest_of

N_FRAMES = 12
KEY_FRAME = 7


def clips() -> list[tuple[str, str, str, str]]:
    """Id, part, class and subject: two validation and two test clips per class, of eight subjects in turn."""
    return [
        (f"{label}-{part}-{number}", part, label, f"s{(index + number) % 8}")
        for index, label in enumerate(LABELS)
        for part in ("val", "test")
        for number in range(2)
    ]


def stream(seed, name, entries, *, share) -> StreamScores:
    """A stream that finds the class of a share of the clips, surely or less surely."""
    generator = np.random.default_rng([seed, *name.encode()])
    probabilities = np.empty((len(entries), len(LABELS)), np.float64)
    for row, (_, _, label, _) in enumerate(entries):
        actual = label if generator.random() < share else str(generator.choice(LABELS))
        probabilities[row] = generator.dirichlet(np.full(len(LABELS), 0.4))
        sure = generator.uniform(0.1, 0.7)
        probabilities[row] *= 1.0 - sure
        probabilities[row, LABELS.index(actual)] += sure
    ids, parts, labels, subjects = zip(*entries, strict=True)
    return StreamScores(
        classes=LABELS,
        sample_ids=ids,
        parts=parts,
        labels=labels,
        subject_ids=subjects,
        probabilities=probabilities.astype(np.float32),
    )


def attention(entries, *, seed=0) -> list[ClipAttention]:
    """Weights with a hill near the key frame: low in the first block, high in the second."""
    generator = np.random.default_rng(seed)
    actual = []
    for name, part, _, _ in entries:
        hill = np.exp(-0.5 * ((np.arange(N_FRAMES) - KEY_FRAME - generator.normal()) / 2) ** 2)
        first, second = (np.exp(scale * hill) / np.exp(scale * hill).sum() for scale in (1.0, 2.0))
        actual.append(
            ClipAttention(
                sample_id=name,
                part=part,
                frames=np.arange(N_FRAMES, dtype=np.int32),
                first=first.astype(np.float32),
                second=second.astype(np.float32),
            )
        )
    return actual


def write_clip_run(
    work: Path,
    experiment: str,
    *,
    method: str = "TMSAU-Net (Ours)",
    seed: int = 0,
    fold: str = "0",
    weight: float | None = 0.5,
    shares: tuple[float, float] = (0.5, 0.3),
    lost: tuple[str, ...] = (),
    entries: list[tuple[str, str, str, str]] | None = None,
    keeps_streams: bool = True,
    keeps_attention: bool = True,
    digest: str | None = None,
    **details: object,
) -> Path:
    """Write a run of two streams, or of the spatial one (``weight=None``).

    Clips in ``lost`` have no prediction, and so no row in either file.
    """
    entries = clips() if entries is None else entries
    seen = [entry for entry in entries if entry[0] not in lost]
    names = ("spatial", "temporal") if weight is not None else ("spatial",)
    streams = {
        name: stream(seed, f"{experiment}-{name}", seen, share=share)
        for name, share in zip(names, shares, strict=False)
    }
    w = 1.0 if weight is None else weight
    test = [entry for entry in entries if entry[1] == "test"]
    probabilities = np.full((len(test), len(LABELS)), np.nan, np.float32)
    predicted: list[str | None] = []
    position = {entry[0]: row for row, entry in enumerate(seen)}
    for row, entry in enumerate(test):
        if entry[0] in lost:
            predicted.append(None)
            continue
        at = position[entry[0]]
        mixed = w * streams["spatial"].probabilities[at].astype(np.float64)
        if weight is not None:
            mixed = mixed + (1.0 - w) * streams["temporal"].probabilities[at]
        probabilities[row] = mixed
        predicted.append(LABELS[int(np.argmax(probabilities[row]))])
    folder = write_run(
        work,
        Predictions(
            classes=LABELS,
            sample_ids=[entry[0] for entry in test],
            clip_ids=[entry[0] for entry in test],
            subject_ids=[entry[3] for entry in test],
            labels=[entry[2] for entry in test],
            predicted=predicted,
            probabilities=probabilities,
        ),
        experiment=experiment,
        fold=fold,
        seed=seed,
        config={"name": experiment},
        manifest_digest=digest or digest_of(work),
        device="cpu",
        details={
            "kind": "video",
            "method": method,
            "recipe": experiment,
            "streams": list(streams),
            "temporal": None if weight is None else "flow",
            "fusion_weight": weight,
            "dataset": "mine",
            "synthetic": True,
            **details,
        },
    )
    if keeps_streams:
        write_streams(folder, streams)
    if keeps_attention:
        write_attention(folder, attention(seen, seed=seed))
    return folder


def write_clip_manifests(work: Path, entries: list[tuple[str, str, str, str]] | None = None) -> None:
    """Write the manifests that video reports read: clips, and a plain picture for every frame."""
    rows, faces = [], []
    for name, part, label, subject in clips() if entries is None else entries:
        rows.append(
            {
                "clip_id": name,
                "label": label,
                "basic": leaf(label).basic,
                "valence": leaf(label).valence,
                "split": part,
                "subject_id": subject,
                "key_frame": KEY_FRAME,
            }
        )
        for frame in range(N_FRAMES):
            picture = np.full((32, 32, 3), 20 * frame, np.uint8)
            faces.append(
                {
                    "clip_id": name,
                    "frame_index": frame,
                    "role": "video",
                    "image": {"bytes": encode(picture, "png", 90), "path": f"{name}-{frame}.png"},
                }
            )
    tables = {"clips.parquet": ("clips", rows), "faces/00000.parquet": ("faces", faces)}
    for name, (kind, one) in tables.items():
        schema = records.schema(kind)
        full = [{column: row.get(column) for column in schema.names} for row in one]
        storage.write_table(work / "manifests" / name, pa.Table.from_pylist(full, schema=schema))
    index = {"dataset": "mine", "synthetic": True, "files": {name: {"sha256": "0" * 64} for name in tables}}
    storage.write_json(work / "manifests" / "index.json", index)
