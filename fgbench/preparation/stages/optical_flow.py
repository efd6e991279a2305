"""Stage ``optical_flow``: the movement of the face from each frame to the next.

Reads ``faces``; writes one row per pair of neighbouring frames that show the same face, usable in both:
``u`` and ``v`` as 8-bit grey PNG, a byte standing for ``byte * 2 bound_px / 255 - bound_px`` px
(`fgbench.features.optical_flow`). Both frames are seen through one transform
(`fgbench.preparation.stages._steady_pairs`). Stacks of L fields are put together from neighbouring rows when
they are read: a field is stored once and not L times.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from itertools import groupby
from typing import Any

import numpy as np
import numpy.typing as npt

from fgbench.config import OpticalFlowConfig
from fgbench.preparation.pipeline import ROWS, Accepted, Item, Stage, Task
from fgbench.preparation.stages._steady_pairs import steady_pairs

FACE_COLUMNS = ["frame_index", "status", "track_id", "transform", "image"]
"""Columns of the table ``faces`` that flow is computed from."""


def _run(task: Task) -> Iterator[Item]:
    config = task.config
    assert isinstance(config, OpticalFlowConfig)
    faces = task.rows("faces", columns=["clip_id", *FACE_COLUMNS])
    for clip_id, of_clip in groupby(faces, key=lambda row: str(row["clip_id"])):
        yield Item(clip_id, partial(_clip, clip_id, of_clip, config))


def _clip(clip_id: str, faces: Iterable[Mapping[str, Any]], config: OpticalFlowConfig) -> Accepted:
    return Accepted(clip_id, flow_fields(clip_id, faces, config))


def flow_fields(
    clip_id: str, faces: Iterable[Mapping[str, Any]], config: OpticalFlowConfig
) -> Iterator[dict[str, Any]]:
    """Rows of the table ``optical_flow`` of one clip.

    Args:
        clip_id: The clip.
        faces: Its rows of the table ``faces``, in order, with :data:`FACE_COLUMNS`.
        config: Size, method and bound.
    """
    from fgbench.features.optical_flow import encode, flow

    for pair in steady_pairs(faces, size_px=config.size_px):
        field = flow(pair.earlier, pair.later, method=config.method)
        codes = encode(field, bound_px=config.bound_px)
        u, v = (_png(codes[:, :, channel]) for channel in range(2))
        row = {"clip_id": clip_id, "frame_index": pair.frame_index, "bound_px": config.bound_px}
        yield {**row, "u": u, "v": v}


def _png(codes: npt.NDArray[np.uint8]) -> bytes:
    import cv2

    _, data = cv2.imencode(".png", np.ascontiguousarray(codes), [cv2.IMWRITE_PNG_COMPRESSION, 4])
    return bytes(data)


STAGE = Stage(
    name="optical_flow",
    version=2,
    inputs=("faces",),
    outputs={ROWS: "optical_flow"},
    run=_run,
    enabled=lambda config: bool(config.enabled),
)
