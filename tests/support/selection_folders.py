"""Made-up work folders with faces near key frames, to select from, and the data sets that they are of."""

from __future__ import annotations

import csv

import numpy as np
import pyarrow as pa

from fgbench import records, storage
from fgbench.workfolders.folder import write_origin
from tests.support.tiny_manifests import encoded

BEFORE, AFTER = 2, 1


def write_selection_work(folder, clips, *, frames=9, without=(), kind="jpeg", adapter="fg_emotions"):
    """Write a data set of empty files and a work folder of it.

    Args:
        folder: Gets ``data`` and ``work``.
        clips: Id of a clip to ``(label, key frame)``; a clip of label ``None`` is not settled.
        frames: Frames of each clip, all of them in the table ``faces``.
        without: ``(clip, frame)`` of frames without a usable face.
        kind: Encoding of the faces.
        adapter: Layout of the data set.
    """
    root, work = folder / "data", folder / "work"
    recipe = {"dataset": {"adapter": adapter}, "sample": {"before": BEFORE, "after": AFTER}}
    clip_rows, face_rows = [], []
    with _annotations(root) as file:
        table = csv.writer(file)
        table.writerow(["clip", "label", "key_frame"])
        for number, (clip, (label, key_frame)) in enumerate(sorted(clips.items())):
            path = root / "videos" / f"{clip}.mp4"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
            table.writerow([clip, label, key_frame])
            clip_rows.append(
                {
                    "clip_id": clip,
                    "label": label,
                    "key_frame": key_frame,
                    "n_frames": frames,
                    "split": "train",
                }
            )
            face_rows += [
                _face(number, clip, key_frame, at, (clip, at) in without, kind) for at in range(frames)
            ]
    manifests = work / "manifests"
    # As prepare does: two files, and clips in no order of their ids.
    for part in (0, 1):
        _write(manifests / f"faces/{part:05d}.parquet", "faces", face_rows[::-1] if part else [])
    _write(manifests / "clips.parquet", "clips", clip_rows)
    storage.write_json(
        manifests / "index.json",
        {"dataset": "made up", "synthetic": True, "files": {}, "origin": {"recipe": recipe}},
    )
    write_origin(work, recipe, root)
    return root, work


def read_table(path):
    """Rows of a table of selected frames, as lists of cells, its first line included."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def _face(number, clip, key_frame, at, is_without, kind):
    anchor = 4 if key_frame is None else key_frame
    face = {
        "clip_id": clip,
        "frame_index": at,
        "offset": at - anchor,
        "time_s": at / 25,
        "role": "both" if -BEFORE <= at - anchor <= AFTER else "video",
        "status": "no_face" if is_without else "ok",
    }
    if is_without:
        return face
    return face | {
        "sharpness": float(np.float32(10 * at)),
        "quality": 0.5,
        "image": {"bytes": encoded(100 * number + at, kind=kind), "path": "face"},
    }


def _annotations(root):
    root.mkdir(parents=True, exist_ok=True)
    return (root / "annotations.csv").open("w", encoding="utf-8", newline="")


def _write(path, kind, rows):
    schema = records.schema(kind)
    full = [{name: row.get(name) for name in schema.names} for row in rows]
    storage.write_table(path, pa.Table.from_pylist(full, schema=schema))
