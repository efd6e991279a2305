"""Work folders with short clips: faces of coloured noise, and optical flow, both made by the test.

Each class has a colour, which frames show, and a direction of movement, which the flow shows; either can be
left out.
"""

from __future__ import annotations

import json
from functools import cache

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from fgbench import records
from fgbench.config import TrainClipConfig
from tests.support.tiny_manifests import write_faces
from tests.support.tiny_work import COLOURS, GREY, REST, SUBJECTS, TRUNK, coloured

MOVES = {
    "anger": (0.0, 6.0),
    "panic": (0.0, -6.0),
    "relief": (0.0, 0.0),
}  # px per frame; no mirror changes them
FLOW_PX = 64


def flow_png(values):
    codes = np.rint((np.clip(values, -20, 20) + 20) * 255 / 40).astype(np.uint8)
    return cv2.imencode(".png", codes)[1].tobytes()


@cache
def field(number, move):
    """u and v of a pair of frames: the movement of its class with smooth noise."""
    random = np.random.default_rng(number)
    noise = [cv2.resize(random.normal(0, 0.5, (4, 4)), (FLOW_PX, FLOW_PX)) for _ in range(2)]
    return tuple(flow_png(part + shift) for part, shift in zip(noise, move, strict=True))


def write_clips(manifests, described, *, group=16):
    """Write manifests of ``(clip_id, part, subject, label, faces, fields)``.

    Faces are pairs of a frame's number and its picture (``None``: no face was found), fields are
    ``(number, u, v)``.
    """
    clips, faces, fields = [], [], []
    for clip_id, part, subject, label, one, flow in described:
        clips.append(
            {"clip_id": clip_id, "label": label, "split": part, "subject_id": subject, "sha256": clip_id}
        )
        for frame_index, data in one:
            row = {"clip_id": clip_id, "frame_index": frame_index, "role": "both"}
            image = {"image": {"bytes": data, "path": "x.png"}} if data else {}
            faces.append(row | image | {"status": "ok" if data else "no_face"})
        fields += [{"clip_id": clip_id, "frame_index": n, "u": u, "v": v} for n, u, v in flow]
    write_faces(manifests, faces)
    path = manifests / "features" / "optical_flow" / "00000.parquet"
    path.parent.mkdir(parents=True)
    table = pa.Table.from_pylist(fields, schema=records.schema("optical_flow"))
    pq.write_table(table, path, row_group_size=group)
    pq.write_table(pa.Table.from_pylist(clips, schema=records.schema("clips")), manifests / "clips.parquet")
    (manifests / "index.json").write_text(json.dumps({"dataset": "made up", "synthetic": True, "files": {}}))
    return manifests


def clip(number, part, subject, label, n_frames, *, colours=True, moves=True):
    """A clip of ``n_frames`` faces."""
    colour = COLOURS[label] if colours else GREY
    move = MOVES[label] if moves else MOVES["relief"]
    faces = [(frame, coloured(100 * number + frame, colour)) for frame in range(n_frames)]
    flow = [(frame, *field(100 * number + frame, move)) for frame in range(n_frames - 1)]
    return f"clip{number:03d}", part, subject, label, faces, flow


def small_clips(folder, *, colours=True, moves=True, labels=None, rest=True):
    """Manifests of a clip of each class by 8 persons, 5 to 8 frames long, and of one without any face.

    With ``rest``, a training person shows each of the other 30 leaves once, in 3 frames.
    ``labels`` maps the true class of a clip (by its number) to that which is written.
    """
    described, number = [], 0
    for part, subjects in SUBJECTS.items():
        for subject in subjects:
            for label in COLOURS:
                made = list(clip(number, part, subject, label, 5 + number % 4, colours=colours, moves=moves))
                if labels is not None:
                    made[3] = labels[number]
                described.append(tuple(made))
                number += 1
    described.append((f"clip{number:03d}", "test", "s7", "anger", [(0, None), (1, None)], []))
    return write_clips(folder / "manifests", [*described, *(other_clips() if rest else ())])


def other_clips():
    """A training clip of each of the other 30 leaves, of 3 frames."""
    return [
        clip(200 + number, "train", "s8", label, 3, colours=False, moves=False)
        for number, label in enumerate(REST)
    ]


def clip_recipe(**changes):
    plain = {
        "name": "tiny-tmsau",
        "method": "TMSAU-Net (Ours)",
        "image_recipe": "tiny",
        "attention": {"size": 8},
        "rgb": {"input_px": 64, "width": 0.0625, "dropout": 0.0, "test_snippets": 3},
        "flow": {"input_px": 64, "width": 0.0625, "dropout": 0.0, "length": 2, "test_snippets": 3},
        "vgg_lstm": {"input_px": 64, "width": 0.0625, "batch_norm": True, "fc": 16, "hidden": 8, "frames": 3},
        "c3d_lstm": {
            "input_px": 64,
            "width": 0.0625,
            "batch_norm": True,
            "fc": 16,
            "hidden": 8,
            "windows": 2,
        },
        "losses": {"on": "streams"},
        "optimiser": {"kind": "adamw", "learning_rate": 0.01, "batch": 6, "epochs": 2},
        "data": {"enlarge": 1.0, "crops": "centre"},
    }
    return TrainClipConfig.model_validate(plain | changes)


IMAGE_NETWORK = {"trunk": TRUNK, "fc_hidden": None, "embedding": 8, "zooms": 1}
