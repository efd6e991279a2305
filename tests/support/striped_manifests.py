"""Manifests of made-up clips whose classes are patterns of stripes, and the index of their work folder."""

import json
import random

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from fgbench import records, storage
from fgbench.features.lbp import lbp_histograms
from fgbench.files.hashing import digest_file
from fgbench.taxonomy import leaves

LABELS = [leaf.name for leaf in leaves()]
SUBJECTS = {"train": 6, "val": 2, "test": 4}


def manifests(folder, *, shuffle=False, without=(), no_face=0):
    """Manifests of made-up clips: a class is a pattern of stripes, a subject is a noise."""
    rng = np.random.default_rng(0)
    order = list(LABELS)
    clips, faces, images, features = [], [], [], []
    across, down = np.meshgrid(np.arange(96), np.arange(96))
    for part, count in SUBJECTS.items():
        for subject in range(count):
            if shuffle:
                random.Random(f"{part}{subject}").shuffle(order)
            for index, label in enumerate(LABELS):
                if (label, part) in without:
                    continue
                name = f"{part}-{subject}-{label}"
                angle, period = np.pi * index / 33, 5 + index % 3
                stripes = np.sin((across * np.cos(angle) + down * np.sin(angle)) * 2 * np.pi / period)
                picture = np.uint8(np.clip(128 + 60 * stripes + rng.normal(0, 25, (96, 96)), 0, 255))
                reported = order[index] if shuffle else label
                about = {"clip_id": name, "label": reported, "split": part, "subject_id": f"{part}{subject}"}
                clips.append(about)
                has_face = not (part == "test" and subject == 0 and index < no_face)
                status = "ok" if has_face else "no_face"
                faces.append({"clip_id": name, "frame_index": 0, "role": "both", "status": status})
                if has_face:
                    images.append({**about, "image_id": f"{name}-f00000", "frame_index": 0})
                    histogram = lbp_histograms(picture[None])[0]
                    features.append(
                        {"image_id": f"{name}-f00000", "clip_id": name, "lbp": histogram.tolist()}
                    )
    write = {
        "clips.parquet": (clips, records.schema("clips")),
        "faces/00000.parquet": (faces, records.schema("faces")),
        "images/all-00000.parquet": (images, records.schema("images")),
        "features/lbp/00000.parquet": (features, records.schema("lbp", 2478)),
    }
    for name, (rows, schema) in write.items():
        storage.write_table(folder / name, pa.Table.from_pylist(rows, schema=schema))
    return folder


def write_index(work, dataset):
    rejects = work / "manifests" / "rejects.parquet"
    lost = {"id": "lost", "stage": "consensus", "reason": "dropped", "detail": dataset}
    pq.write_table(pa.Table.from_pylist([lost], schema=records.schema("published_rejects")), rejects)
    files = {"rejects.parquet": {"sha256": digest_file(rejects)}}
    index = {"dataset": dataset, "synthetic": True, "files": files}
    (work / "manifests" / "index.json").write_text(json.dumps(index))
