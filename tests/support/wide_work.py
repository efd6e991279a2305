"""Manifests of a face that lies in its frame with all its surroundings, of its wider face, and of a copy."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import skimage.transform

from fgbench import records, storage
from fgbench.config import WideFacesConfig
from fgbench.faces.chips import cut_chip
from fgbench.faces.geometry import chip_transform
from fgbench.media.images import decode, encode
from fgbench.methods.insightface.wide_crops import TABLE
from fgbench.preparation import augmentation
from fgbench.preparation.stages.wide_faces import wide_rows
from tests.support.shaken_landmarks import landmarks
from tests.support.tiny_manifests import image_row, write_faces, write_images

CHANGE = {"rotation_deg": 9.0, "scale": 1.08, "noise_sigma": 4.0, "noise_seed": 1}


class Frame:
    """A frame of a video, 640 x 600 px of smooth colours."""

    index = 0
    size = (640, 600)

    def __init__(self):
        noise = np.random.default_rng(3).integers(0, 256, (75, 80, 3)).astype(np.float64)
        self.picture = np.uint8(skimage.transform.resize(noise, (600, 640, 3), order=3, clip=True))

    def rgb(self, box=None):
        left, top, right, bottom = box or (0, 0, *self.size)
        return np.ascontiguousarray(self.picture[top:bottom, left:right])


def wide_work(manifests):
    """A frame, and manifests with its face (in the frame with all its surroundings) and a copy of it."""
    frame, points = Frame(), landmarks() + np.array([100.0, 130.0])
    transform = chip_transform(points, size=224, padding=0.25)
    face = encode(cut_chip(frame, transform, size=224), "png", 0)
    original = image_row(0, data=face)
    row = {
        "clip_id": original["clip_id"],
        "frame_index": 0,
        "role": "image",
        "status": "ok",
        "landmarks": points.ravel().tolist(),
        "transform": transform.ravel().tolist(),
        "image": original["image"],
    }
    write_faces(manifests, [row])
    change = augmentation.Augmentation(**CHANGE)
    copied = encode(augmentation.apply(decode(face), change), "png", 0)
    copy = image_row(0, image_id="copy", parent_id=original["image_id"], augmentation=CHANGE, data=copied)
    write_images(manifests, [original, copy])
    wide = list(wide_rows([frame], [row], WideFacesConfig(enabled=True)))
    table = pa.Table.from_pylist(wide, schema=records.schema("wide_faces"))
    storage.write_table(manifests / TABLE / "00000.parquet", table)
    return manifests, frame, points, transform, original["image_id"]
