"""A work folder of colours, weights and a context, on which ``insightface`` is tried in a moment."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from fgbench import records
from fgbench.faces.geometry import mean_face
from fgbench.media.images import encode
from fgbench.methods.insightface import method as insightface
from fgbench.models.initialisation import initialise
from fgbench.runs.labels import read_labels
from fgbench.training.context import TrainingContext
from tests.support.insightface_runs import CLASSES, CPU, PARTS, narrow
from tests.support.tiny_manifests import image_row, write_faces, write_images
from tests.support.tiny_work import GREY, REST, with_three_leaves


@contextmanager
def narrow_on_one_thread(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have the method build its narrow network, and torch compute with one thread."""
    monkeypatch.setattr(insightface, "iresnet", narrow)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def write_colours(folder: Path, *, rest: bool = True) -> Path:
    """Write a work folder of colours as classes: 12 training images and a copy, 6 to choose on, 6 to test.

    With ``rest``, a grey training image of each of the other 30 leaves lets all be trained on.
    """
    points = np.zeros((68, 2))
    points[17:] = (mean_face() + 0.25) / 1.5 * 224 - 0.5
    clips, faces, images = [], [], []
    shown = [(label, colour, part) for label, colour in CLASSES.items() for part in PARTS]
    if rest:
        shown += [(label, GREY, "train") for label in REST]
    for context, (label, colour, part) in enumerate(shown):
        noise = np.random.default_rng(3 * context).integers(0, 50, (8, 8, 3), np.uint8)
        smooth = cv2.resize(noise, (224, 224), interpolation=cv2.INTER_LINEAR)
        row = image_row(3 * context, part=part, label=label, data=encode(smooth + np.uint8(colour), "png", 0))
        clips.append({**{key: row[key] for key in ("clip_id", "label", "split")}, "subject_id": part})
        about = {"role": "image", "status": "ok", "transform": [1.0, 0, 0, 0, 1.0, 0]}
        keys = {key: row[key] for key in ("clip_id", "frame_index")}
        faces.append({**keys, **about, "landmarks": points.ravel().tolist()})
        images.append(row)
    change = {"rotation_deg": 5.0, "scale": 1.0, "noise_sigma": 0.0, "noise_seed": 1}
    copy = {**images[0], "image_id": "copy", "parent_id": images[0]["image_id"], "augmentation": change}
    manifests = folder / "manifests"
    write_faces(manifests, faces)
    write_images(manifests, [*images, copy])
    seen = 3 * len(PARTS) - 1
    clips.append({**clips[seen], "clip_id": "unseen"})  # a test frame without a face, which counts as wrong
    faces.append({**faces[seen], "clip_id": "unseen", "status": "no_face", "landmarks": None})
    write_faces(manifests, faces)
    pq.write_table(pa.Table.from_pylist(clips, schema=records.schema("clips")), manifests / "clips.parquet")
    (manifests / "index.json").write_text(json.dumps({"dataset": "made up", "synthetic": True, "files": {}}))
    if not rest:
        with_three_leaves(manifests)
    return folder


def write_weights(path: Path) -> Path:
    """Write weights with the names of arcface_torch, as torch.save writes them."""
    net = narrow()
    initialise(net, torch.Generator().manual_seed(3))
    torch.save(net.state_dict(), path)
    return path


def context_of(work: Path, folder: Path) -> TrainingContext:
    """The context of a run in a copy of a work folder."""
    shutil.copytree(work / "manifests", folder / "manifests")
    index = json.loads((folder / "manifests" / "index.json").read_text())
    return TrainingContext(
        labels=read_labels(index),
        workdir=folder,
        manifest_digest="m",
        details={"dataset": "made up", "synthetic": True},
        seed=0,
        device=CPU,
        resume=True,
        force=False,
        jobs=1,
        progress=lambda name, done, of: None,
    )
