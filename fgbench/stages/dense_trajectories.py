"""Stage ``dense_trajectories``: trajectories and descriptors of whole clips.

Reads the clips that have a part; decodes each and writes one row per trajectory. Places are px of the frame
as it was reduced.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from fgbench import video
from fgbench.config import DenseTrajectoriesConfig
from fgbench.errors import MediaError
from fgbench.features.dense_trajectories import iter_trajectories
from fgbench.pipeline import ROWS, Accepted, Outcome, Stage, Task
from fgbench.records import TRAJECTORY_CHANNELS, TRAJECTORY_NUMBERS, Rejected
from fgbench.stages.ingest import inside


def _run(task: Task) -> Iterator[Outcome]:
    config = task.config
    assert isinstance(config, DenseTrajectoriesConfig)
    columns = ["clip_id", "path", "decoder", "n_frames", "width", "height"]
    clips = {row["clip_id"]: row for row in task.rows("ingest", columns=columns)}
    for row in task.rows("split", columns=["clip_id"]):
        clip = clips[row["clip_id"]]
        if min(reduced_size(clip["width"], clip["height"], config.max_side_px)) < 32:
            detail = (
                f"{clip['width']}x{clip['height']} px, expected at least 32 px to either side when reduced"
            )
            yield Rejected(clip["clip_id"], "too_small", detail)
            continue
        try:
            reader = video.open_video(inside(task.root, clip["path"]), clip["decoder"])
        except MediaError as error:
            yield Rejected(clip["clip_id"], error.reason, error.message)
            continue
        with reader:
            yield Accepted(clip["clip_id"], _rows(reader, clip, config))


def reduced_size(width: int, height: int, max_side_px: int) -> tuple[int, int]:
    """Size of a frame whose longer side is at most ``max_side_px``; 0 keeps the size."""
    if not max_side_px or max(width, height) <= max_side_px:
        return width, height
    factor = max_side_px / max(width, height)
    return round(width * factor), round(height * factor)


def _rows(
    reader: video.Reader, clip: dict[str, Any], config: DenseTrajectoriesConfig
) -> Iterator[dict[str, Any]]:
    size = reduced_size(clip["width"], clip["height"], config.max_side_px)
    for found in iter_trajectories(_pictures(reader, size), n_frames=clip["n_frames"]):
        columns = {
            name: getattr(found, name) for name in ("end_frame", *TRAJECTORY_NUMBERS, *TRAJECTORY_CHANNELS)
        }
        for place in range(len(found.end_frame)):
            yield {"clip_id": clip["clip_id"], **{name: values[place] for name, values in columns.items()}}


def _pictures(reader: video.Reader, size: tuple[int, int]) -> Iterator[npt.NDArray[np.uint8]]:
    import cv2

    try:
        for frame in reader.frames():
            picture = frame.rgb()
            yield picture if frame.size == size else cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    except MediaError:
        return


STAGE = Stage(
    name="dense_trajectories",
    version=1,
    inputs=("split", "ingest"),
    outputs={ROWS: "dense_trajectories"},
    run=_run,
    enabled=lambda config: bool(config.enabled),
)
