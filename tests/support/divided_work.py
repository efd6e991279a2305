"""Work folders of public data sets in small: own classes, persons, a protocol; pictures and features."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pyarrow as pa

from fgbench import records, storage
from fgbench.media.images import encode
from fgbench.taxonomy import ontology

EKMAN7 = ontology("ekman7").labels
FIVE_FOLD = {"kind": "k-fold", "folds": 5, "group_by": "subject_id", "label": "5-fold by subject"}
WIDTH = 16


def described(labels=EKMAN7, *, subjects=10, part="train"):
    """``(clip, subject, label, part)`` of one clip per person and class; persons are s1 to s10."""
    return [
        (f"s{number}-{label}", f"s{number}", label, part)
        for number in range(1, subjects + 1)
        for label in labels
    ]


def write_work(folder, clips, *, pictures=False, no_face=(), dataset="ck-plus", source=None, **index):
    """A work folder: ``manifests/`` with clips, one frame each, and LBP features that tell the classes apart.

    Args:
        folder: Where.
        clips: See :func:`described`.
        pictures: Whether frames have pictures: noise in the colour of their class.
        no_face: Clips without a face.
        dataset: Name of the data set.
        source: Clip to source id.
        index: Further keys of ``index.json``, e.g. ``scheme``, ``classes`` and ``protocol``.
    """
    labels = sorted({label for _, _, label, _ in clips})
    rows = {"clips": [], "faces": [], "images": [], "lbp": []}
    for number, (clip, subject, label, part) in enumerate(clips):
        about = {"clip_id": clip, "label": label, "split": part, "subject_id": subject}
        digest = f"{dataset}-{clip}"
        rows["clips"].append({**about, "sha256": digest, "source_id": (source or {}).get(clip)})
        status = "no_face" if clip in no_face else "ok"
        face = {"clip_id": clip, "frame_index": 0, "role": "both", "status": status}
        rows["faces"].append(face)
        if clip in no_face:
            continue
        name = records.image_id(clip, 0)
        image = {**about, "image_id": name, "frame_index": 0, "offset": 0}
        if pictures:
            picture = {"bytes": coloured(number, labels.index(label), len(labels)), "path": "x.png"}
            image["image"], face["image"] = picture, picture
        rows["images"].append(image)
        random = np.random.default_rng(number)
        vector = random.uniform(0, 0.3, WIDTH) + 2.0 * (np.arange(WIDTH) % len(labels) == labels.index(label))
        rows["lbp"].append({"image_id": name, "clip_id": clip, "lbp": (vector / vector.sum()).tolist()})
    manifests = folder / "manifests"
    tables = {
        "clips.parquet": ("clips", records.schema("clips")),
        "faces/00000.parquet": ("faces", records.schema("faces")),
        "images/all-00000.parquet": ("images", records.schema("images")),
        "features/lbp/00000.parquet": ("lbp", records.schema("lbp", WIDTH)),
    }
    for name, (table, schema) in tables.items():
        storage.write_table(manifests / name, pa.Table.from_pylist(rows[table], schema=schema))
    about = {"dataset": dataset, "synthetic": True, "files": {}, **index}
    (manifests / "index.json").write_text(json.dumps(about))
    return folder


def coloured(number, position, of):
    """A 224 px face of smooth noise in one of some colours, as PNG."""
    noise = np.random.default_rng(number).integers(0, 40, (8, 8, 3), np.uint8)
    smooth = cv2.resize(noise, (224, 224), interpolation=cv2.INTER_LINEAR)
    colour = cv2.cvtColor(np.uint8([[[180 * position // of, 255, 200]]]), cv2.COLOR_HSV2RGB)[0, 0]
    return encode(cv2.add(smooth, np.full((224, 224, 3), colour, np.uint8)), "png", 0)


def ekman_index(**changes):
    """Keys of the index of a seven-class set in five folds by person."""
    return {"scheme": "ekman7", "classes": list(EKMAN7), "protocol": FIVE_FOLD, **changes}
