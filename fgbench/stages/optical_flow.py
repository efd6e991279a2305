"""Stage ``optical_flow``: the movement of the aligned face from each frame to the next.

Reads ``faces``; writes one row per pair of neighbouring frames with usable faces: ``u`` and ``v`` as 8-bit
grey PNG, a byte standing for ``byte * 40 / 255 - 20`` px (`fgbench.features.optical_flow`). Stacks of L
fields are put together from neighbouring rows when they are read: a field is stored once and not L times.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from itertools import groupby
from typing import Any

import numpy as np
import numpy.typing as npt

from fgbench.config import OpticalFlowConfig
from fgbench.faces.status import USABLE
from fgbench.features.optical_flow import encode, flow
from fgbench.images import decode
from fgbench.pipeline import ROWS, Accepted, Item, Stage, Task


def _run(task: Task) -> Iterator[Item]:
    config = task.config
    assert isinstance(config, OpticalFlowConfig)
    faces = task.rows("faces", columns=["clip_id", "frame_index", "status", "image"])
    for clip_id, found in groupby(faces, key=lambda row: str(row["clip_id"])):
        yield Item(clip_id, partial(_clip, clip_id, found, config))


def _clip(clip_id: str, faces: Iterable[Mapping[str, Any]], config: OpticalFlowConfig) -> Accepted:
    return Accepted(clip_id, flow_fields(clip_id, faces, config))


def flow_fields(
    clip_id: str, faces: Iterable[Mapping[str, Any]], config: OpticalFlowConfig
) -> Iterator[dict[str, Any]]:
    """Rows of the table ``optical_flow`` of one clip.

    Args:
        clip_id: The clip.
        faces: Its rows of the table ``faces``, in order: ``frame_index``, ``status``, ``image``.
        config: Size and method.
    """
    before: tuple[int, npt.NDArray[np.uint8]] | None = None
    for face in faces:
        if face["status"] not in USABLE:
            before = None
            continue
        now = (int(face["frame_index"]), _grey(face["image"]["bytes"], config.size_px))
        if before is not None and now[0] == before[0] + 1:
            codes = encode(flow(before[1], now[1], method=config.method))
            u, v = (_png(codes[:, :, place]) for place in range(2))
            yield {"clip_id": clip_id, "frame_index": before[0], "u": u, "v": v}
        before = now


def _grey(data: bytes, size_px: int) -> npt.NDArray[np.uint8]:
    import cv2

    grey = cv2.cvtColor(decode(data), cv2.COLOR_RGB2GRAY)
    resized: npt.NDArray[np.uint8] = cv2.resize(grey, (size_px, size_px), interpolation=cv2.INTER_AREA)
    return resized


def _png(codes: npt.NDArray[np.uint8]) -> bytes:
    import cv2

    _, data = cv2.imencode(".png", np.ascontiguousarray(codes), [cv2.IMWRITE_PNG_COMPRESSION, 4])
    return bytes(data)


STAGE = Stage(
    name="optical_flow",
    version=1,
    inputs=("faces",),
    outputs={ROWS: "optical_flow"},
    run=_run,
    enabled=lambda config: bool(config.enabled),
)
