"""Small manifests with faces drawn by the tests."""

from __future__ import annotations

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from fgbench import records
from fgbench.media.images import encode


def picture(number, side=224):
    """A smooth coloured (side, side, 3) RGB picture, another one for every number."""
    random = np.random.default_rng(number)
    return cv2.resize(
        random.integers(0, 256, (6, 6, 3), np.uint8), (side, side), interpolation=cv2.INTER_LINEAR
    )


def encoded(number, side=224, kind="jpeg"):
    return encode(picture(number, side), kind, 90)


def image_row(number, *, part="train", label="anger", data=None, **more):
    clip = f"clip{number // 3:03d}"
    row = {
        "image_id": records.image_id(clip, number),
        "clip_id": clip,
        "frame_index": number,
        "offset": 0,
        "label": label,
        "split": part,
        "image": {"bytes": encoded(number) if data is None else data, "path": "x.jpg"},
    }
    return {**row, **more}


def write_images(folder, rows, *, files=3, group=4):
    """Write rows over some files, in row groups of a few rows; returns the ids."""
    for number in range(files):
        table = pa.Table.from_pylist(rows[number::files], schema=records.schema("images"))
        path = folder / "images" / f"train-{number:05d}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, path, row_group_size=group, compression="zstd")
    return [row["image_id"] for row in rows]


def write_faces(folder, rows):
    path = folder / "faces" / "00000.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows, schema=records.schema("faces")), path)
