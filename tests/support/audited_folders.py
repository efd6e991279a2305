"""Small work folders to be audited: drawn faces, cut out by their exact landmarks."""

from __future__ import annotations

import json
from functools import cache

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from fgbench import records
from fgbench.faces.chips import cut_chip
from fgbench.faces.geometry import chip_transform
from fgbench.faces.layout import FACE
from fgbench.faces.still_picture import ImageFrame
from fgbench.media.images import encode
from fgbench.synthetic.clip import draw_clip, truth
from fgbench.synthetic.plan import SynthOptions, plan
from fgbench.synthetic.render import Renderer

OPTIONS = SynthOptions(clips_per_class=2, subjects=16, width=480, height=360, max_duration_s=1.0)
OFFSETS = (-3, 0, 3)


@cache
def drawn_clips(count):
    """The first clips of every few: (id, subject, label, frames, landmarks of each frame)."""
    actual = []
    plans = plan(OPTIONS)
    for one in plans[:: len(plans) // count][:count]:
        clip = draw_clip(one, OPTIONS)
        rows = truth(clip)
        points = np.array(rows["landmarks"].to_pylist(), np.float64).reshape(-1, 68, 2)
        renderer = Renderer(clip.person, clip.scene, OPTIONS.width, OPTIONS.height)
        numbers = [clip.performance.timing.key_frame + offset for offset in OFFSETS]
        frames = []
        for number in numbers:
            left, up = clip.performance.gaze[number].tolist()
            activation = clip.performance.activations[number]
            frames.append(renderer.picture(activation, clip.pose(number), gaze=(left, up)))
        actual.append((one.clip_id, one.subject_id, one.label, tuple(frames), points[numbers]))
    return tuple(actual)


def face(frame, points, *, jitter_px=0.0, seed=0):
    """Aligned face of 224 px; landmarks may be off by some px, as those of a predictor are."""
    moved = points + np.random.default_rng(seed).normal(0.0, jitter_px, points.shape)
    still = ImageFrame(pixels=np.ascontiguousarray(frame), index=0, time_s=0.0)
    return cut_chip(still, chip_transform(moved, size=224, padding=FACE.padding, shift=FACE.shift), size=224)


@cache
def drawn_faces(count):
    """(clip id, subject, label, faces) of some clips."""
    return tuple(
        (name, subject, label, tuple(face(f, p) for f, p in zip(frames, points, strict=True)))
        for name, subject, label, frames, points in drawn_clips(count)
    )


def recoded(image, quality):
    """As JPEG of a low quality, and back."""
    data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return cv2.imdecode(data, cv2.IMREAD_COLOR)


def cropped(image, left, top, right, bottom):
    """Without some shares at the edges, at its old size."""
    height, width = image.shape[:2]
    part = image[
        round(top * height) : round((1 - bottom) * height), round(left * width) : round((1 - right) * width)
    ]
    return cv2.resize(part, (width, height), interpolation=cv2.INTER_LINEAR)


CHANGES = {
    "encoded": lambda image: recoded(image, 30),
    "mirrored": lambda image: np.ascontiguousarray(image[:, ::-1]),
    "brighter": lambda image: np.clip(1.2 * image + 20.0, 0, 255).astype(np.uint8),
    "darker": lambda image: (0.6 * image).astype(np.uint8),
    "cropped": lambda image: cropped(image, 0.025, 0.025, 0.025, 0.025),
    "cropped at a corner": lambda image: cropped(image, 0.05, 0.05, 0.0, 0.0),
    "cropped at all sides": lambda image: cropped(image, 0.05, 0.05, 0.05, 0.05),
    "smaller": lambda image: cv2.resize(image, (96, 96), interpolation=cv2.INTER_AREA),
    "all at once": lambda image: recoded(
        cropped((0.8 * image[:, ::-1]).astype(np.uint8), 0, 0.05, 0.05, 0), 50
    ),
}
"""What becomes of a clip on its way to another data set; of faces or of frames."""


def clip_row(clip_id, part, *, subject="s1", source="f1", sha256=None, label="anger"):
    return {
        "clip_id": clip_id,
        "dataset": "test",
        "path": f"videos/{clip_id}.mp4",
        "sha256": sha256 or clip_id,
        "subject_id": subject,
        "source_id": source,
        "label": label,
        "split": part,
    }


def image_rows(clip_id, part, images, *, quality=95):
    """Rows of the originals of a clip."""
    return [
        {
            "image_id": records.image_id(clip_id, number),
            "clip_id": clip_id,
            "frame_index": number,
            "offset": 0,
            "label": "anger",
            "split": part,
            "image": {"bytes": encode(image, "jpeg", quality), "path": "x.jpg"},
        }
        for number, image in enumerate(images)
    ]


def face_rows(clip_id, faces, *, quality=95):
    """Rows of the frames of a clip, each with its face, or with ``None`` for a frame without one."""
    return [
        {
            "clip_id": clip_id,
            "frame_index": number,
            "role": "video",
            "status": "no_face" if face is None else "ok",
            "image": None if face is None else {"bytes": encode(face, "jpeg", quality), "path": "x.jpg"},
        }
        for number, face in enumerate(faces)
    ]


def write_work(work, clips, images, *, group_by="clip_id", dataset="test", protocol=None, faces=()):
    """A work folder as ``fgbench prepare`` publishes it, with what an audit reads."""
    manifests = work / "manifests"
    (manifests / "images").mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist(clips, records.schema("clips")), manifests / "clips.parquet")
    for part in records.SPLITS:
        rows = [row for row in images if row["split"] == part]
        if rows:
            table = pa.Table.from_pylist(rows, records.schema("images"))
            pq.write_table(table, manifests / "images" / f"{part}-00000.parquet")
    if faces:
        (manifests / "faces").mkdir()
        table = pa.Table.from_pylist([*faces], records.schema("faces"))
        pq.write_table(table, manifests / "faces" / "00000.parquet")
    origin = {"recipe": {"split": {"group_by": group_by}}}
    index = {"dataset": dataset, "synthetic": True, "origin": origin, "files": {}, "protocol": protocol}
    (manifests / "index.json").write_text(json.dumps(index), encoding="utf-8")
    return work
