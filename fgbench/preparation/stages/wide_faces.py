"""Stage ``wide_faces``: the aligned faces of the image set with more of their surroundings.

Reads ``faces`` and ``ingest`` and decodes each clip once more. Writes one row per frame of the image set with
landmarks: its face as stage ``faces`` stores it, in the middle of a wider picture of the same scale and turn,
and the transform from the frame to that picture. Needed for crops that are laid out otherwise than the
stored faces, as InsightFace's: a fifth of them lies outside. Pixels outside the frame are black.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from fgbench.config import WideFacesConfig
from fgbench.errors import MediaError
from fgbench.faces.status import USABLE
from fgbench.media import video
from fgbench.media.faults import GIVEN_UP
from fgbench.media.images import decode, encode
from fgbench.preparation.pipeline import ROWS, Accepted, Item, Stage, Task
from fgbench.preparation.stages._source_files import COLUMNS, check_unchanged, unchanged_rows
from fgbench.preparation.stages.ingest import inside
from fgbench.records import image_id

Row = dict[str, Any]

_FACES = ["clip_id", "frame_index", "role", "status", "landmarks", "transform", "image"]
_JPEG_QUALITY = 95


def _run(task: Task) -> Iterator[Item]:
    config = task.config
    assert isinstance(config, WideFacesConfig)
    columns = [*COLUMNS, "max_frame_px"]
    clips = {row["clip_id"]: row for row in task.rows("ingest", columns=columns)}
    faces = task.rows("faces", columns=_FACES)
    for clip_id, rows in groupby(faces, key=lambda row: str(row["clip_id"])):
        wanted = [row for row in rows if _is_wanted(row)]
        yield Item(clip_id, partial(_clip, clips[clip_id], wanted, config, task.root))


def _is_wanted(row: Mapping[str, Any]) -> bool:
    return (
        row["status"] in USABLE
        and row["role"] != "video"
        and row["landmarks"] is not None
        and row["image"] is not None
    )


def _clip(clip: Row, faces: list[Row], config: WideFacesConfig, root: Path) -> Accepted:
    if not faces:
        return Accepted(clip["clip_id"], ())
    stamp = check_unchanged(root, clip)
    # Frames of a video may grow midway, beyond the size in its header.
    limits = replace(video.NO_LIMITS, max_frame_px=clip["max_frame_px"])
    reader = video.open_video(inside(root, clip["path"]), clip["decoder"], limits=limits)
    return Accepted(clip["clip_id"], unchanged_rows(_read(reader, faces, config), root, clip, stamp))


def _read(reader: video.Reader, faces: list[Row], config: WideFacesConfig) -> Iterator[Row]:
    """Rows up to the end of what can be decoded."""
    with reader:
        try:
            yield from wide_rows(reader.frames([row["frame_index"] for row in faces]), faces, config)
        except MediaError as error:
            if error.reason in GIVEN_UP:
                raise


def wide_rows(
    frames: Iterable[video.Frame], faces: Iterable[Mapping[str, Any]], config: WideFacesConfig
) -> Iterator[Row]:
    """Rows of the table ``wide_faces`` of one clip.

    Args:
        frames: Frames of the clip, in order; some may be left out.
        faces: Its rows of the table ``faces``.
        config: Width of the surroundings.
    """
    from fgbench.faces.chips import cut_chip

    by_frame = {row["frame_index"]: row for row in faces}
    for frame in frames:
        row = by_frame[frame.index]
        side_px = decode(row["image"]["bytes"]).shape[0]
        margin_px = round(config.margin * side_px)
        transform = np.array(row["transform"], np.float64).reshape(2, 3)
        transform[:, 2] += margin_px
        chip = cut_chip(frame, transform, size=side_px + 2 * margin_px)
        name = f"{image_id(row['clip_id'], frame.index)}.jpg"
        yield {
            "clip_id": row["clip_id"],
            "frame_index": frame.index,
            "transform": transform.ravel().astype(np.float32).tolist(),
            "image": {"bytes": encode(chip, "jpeg", _JPEG_QUALITY), "path": name},
        }


STAGE = Stage(
    name="wide_faces",
    version=1,
    inputs=("faces", "ingest"),
    outputs={ROWS: "wide_faces"},
    run=_run,
    enabled=lambda config: bool(config.enabled),
)
