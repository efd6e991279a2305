"""Work folders whose faces are coloured noise, one colour per class, and recipes of tiny networks."""

from __future__ import annotations

import json
import shutil
from functools import cache

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from torch.nn import functional

from fgbench import records
from fgbench.config import TrainAuConfig, TrainImageConfig, load_prepare
from fgbench.media.images import encode
from fgbench.runs.labels import SOME_LEAVES, LabelSet, read_labels
from fgbench.taxonomy import leaf, leaves
from fgbench.training.context import TrainingContext
from tests.support.tiny_manifests import image_row, write_faces, write_images

COLOURS = {"anger": (200, 40, 40), "panic": (40, 200, 40), "relief": (40, 40, 200)}
THREE = LabelSet(name="three", labels=tuple(COLOURS))
LEAVES = LabelSet(
    name=SOME_LEAVES, labels=tuple(COLOURS), basic=tuple(leaf(label).basic for label in COLOURS)
)
"""The three classes with their upper classes, for data without the rest."""
REST = [one.name for one in leaves() if one.name not in COLOURS]
GREY = (120, 120, 120)
SUBJECTS = {"train": ("s0", "s1", "s2", "s3"), "val": ("s4", "s5"), "test": ("s6", "s7")}
TRUNK = {"input_px": 112, "stem": 4, "widths": [4, 4, 4, 8], "norm": "none"}
FAST = {"kind": "adamw", "learning_rate": 0.003, "batch": 5, "epochs": 2}
UNITS = ("au04", "au12", "au25")
NEVER = "au25"  # unit that no frame is labelled for
RESIZE_PX = 232


@cache
def coloured(number, colour):
    """An encoded face of smooth noise, another one for every number, with a colour added."""
    noise = np.random.default_rng(number).integers(0, 50, (8, 8, 3), np.uint8)
    smooth = cv2.resize(noise, (224, 224), interpolation=cv2.INTER_LINEAR)
    return encode(smooth + np.array(colour, np.uint8), "png", 0)


def add_faces(manifests, described):
    """Write manifests of ``(part, subject, label, picture)``; the clip of one without picture has no face."""
    clips, faces, images = [], [], []
    for number, (part, subject, label, data) in enumerate(described):
        row = image_row(3 * number, part=part, label=label, data=data or b"", subject_id=subject)
        clips.append({key: row[key] for key in ("clip_id", "label", "split", "subject_id")})
        face = {"clip_id": row["clip_id"], "frame_index": row["frame_index"], "role": "both"}
        if data is None:
            faces.append(face | {"status": "no_face"})
            continue
        faces.append(face | {"status": "ok", "image": row["image"]})
        images.append(row)
    write_faces(manifests, faces)
    write_images(manifests, images)
    pq.write_table(pa.Table.from_pylist(clips, schema=records.schema("clips")), manifests / "clips.parquet")
    (manifests / "index.json").write_text(json.dumps({"dataset": "made up", "synthetic": True, "files": {}}))
    return manifests


def small_work(folder, *, rest=True):
    """Manifests of 8 persons with a face of each class, and of a test frame without a face.

    With ``rest``, a training person shows each of the other 30 leaves once: every class is trained on.
    """
    described = [
        (part, subject, label, coloured(10 * int(subject[1:]) + turn, colour))
        for part, subjects in SUBJECTS.items()
        for subject in subjects
        for turn, (label, colour) in enumerate(COLOURS.items())
    ]
    described.append(("test", "s7", "anger", None))
    return add_faces(folder / "manifests", [*described, *(other_faces() if rest else ())])


def other_faces():
    """A training face of each of the other 30 leaves."""
    return [("train", "s8", label, coloured(1000 + context, GREY)) for context, label in enumerate(REST)]


def with_three_leaves(manifests):
    """Tell in the index that these are clips of three leaves, as manifests without the rest are."""
    index = json.loads((manifests / "index.json").read_text())
    (manifests / "index.json").write_text(json.dumps(index | LEAVES.described()))
    return manifests


def context_in(folder, manifests, **changes):
    """A context to train in: manifests of another folder, and what ``fgbench prepare`` keeps of it."""
    shutil.copytree(manifests, folder / "manifests", dirs_exist_ok=True)
    prepared = {"root": str(folder), "recipe": load_prepare("demo").model_dump(mode="json")}
    (folder / "prepare.json").write_text(json.dumps(prepared))
    usual = {
        "workdir": folder,
        "manifest_digest": "m",
        "details": {"dataset": "made up", "synthetic": True},
        "seed": 0,
        "resume": True,
        "force": False,
        "jobs": 1,
        "progress": lambda name, done, of: None,
        "device": torch.device("cpu"),
        "labels": read_labels(json.loads((manifests / "index.json").read_text())),
    }
    return TrainingContext(**(usual | changes))


def au_rows(manifests):
    """Labels by colour: ``au04`` is red, ``au12`` not blue; of every fifth frame ``au12`` is not labelled."""
    rows = pq.read_table(manifests / "clips.parquet", columns=["clip_id", "label"]).to_pylist()
    return [
        records.AuRow(
            clip_id=row["clip_id"],
            frame_index=3 * number,
            labels={
                "au04": 1 if row["label"] == "anger" else -1,
                "au12": 0 if number % 5 == 0 else -1 if row["label"] == "relief" else 1,
                "au99": 1,
            },
        )
        for number, row in enumerate(rows)
    ]


def au_recipe(**changes):
    plain = {
        "name": "au-tiny",
        "action_units": UNITS,
        "trunk": TRUNK,
        "fc_hidden": None,
        "embedding": 8,
        "optimiser": FAST,
        "data": {"resize_px": RESIZE_PX},
    }
    return TrainAuConfig.model_validate(plain | changes)


def image_recipe(**changes):
    plain = {
        "name": "tiny",
        "method": "MSAU-Net (Ours)",
        "au_recipe": "au-tiny",
        "network": {"trunk": TRUNK, "fc_hidden": None, "embedding": 8},
        "optimiser": FAST,
        "data": {"resize_px": RESIZE_PX, "keep_maps": True},
    }
    return TrainImageConfig.model_validate(plain | changes)


def plain_recipe(**changes):
    """A network without trunk of action units and without zoom."""
    plain = {
        "name": "tiny-cnn",
        "method": "Plain CNN",
        "au_recipe": None,
        "network": {
            "trunk": TRUNK | {"region_layer": False},
            "fc_hidden": None,
            "embedding": 8,
            "dropout": 0.0,
            "mac": False,
            "zooms": 0,
        },
        "losses": {"fine": 1.0, "basic": 0.0, "rank": 0.0, "alternate": False},
        "data": {"resize_px": RESIZE_PX},
    }
    return image_recipe(**(plain | changes))


def pictures_of(manifests, sample_ids):
    """Faces of the image set by their ids, (N, 3, 224, 224) float RGB, read by the test's own code."""
    rows = pq.read_table(manifests / "images").to_pylist()
    data = {row["image_id"]: np.frombuffer(row["image"]["bytes"], np.uint8) for row in rows}
    faces = [cv2.cvtColor(cv2.imdecode(data[name], 1), cv2.COLOR_BGR2RGB) for name in sample_ids]
    return torch.from_numpy(np.stack(faces)).permute(0, 3, 1, 2).float()


def pictures_of_frames(manifests, frames):
    """Faces of frames by clip and number, (N, 3, 224, 224) float RGB, read by the test's own code."""
    rows = pq.read_table(manifests / "faces").to_pylist()
    data = {(row["clip_id"], row["frame_index"]): row["image"] for row in rows}
    encoded = [np.frombuffer(data[frame]["bytes"], np.uint8) for frame in frames]
    faces = [cv2.cvtColor(cv2.imdecode(one, 1), cv2.COLOR_BGR2RGB) for one in encoded]
    return torch.from_numpy(np.stack(faces)).permute(0, 3, 1, 2).float()


def seen(faces, metadata):
    """What a network sees of faces in test: enlarged, the centre cut out, normalised as its metadata tell."""
    side_px = metadata["resize_px"]
    margin_px = (side_px - 224) // 2
    large = functional.interpolate(faces, size=(side_px, side_px), mode="bilinear", align_corners=False)
    crops = large[:, :, margin_px : margin_px + 224, margin_px : margin_px + 224]
    mean, std = (torch.tensor(metadata[name])[:, None, None] for name in ("mean", "std"))
    return (crops - mean) / std
