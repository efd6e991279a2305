"""Stage ``dense_trajectories``: trajectories and descriptors of whole clips.

Reads the clips that have a part; decodes each and writes one row per trajectory. Places are px of the frame
as it was reduced.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fgbench import video
from fgbench.config import DenseTrajectoriesConfig
from fgbench.errors import MediaError
from fgbench.features.trajectory_file import reduced_size, trajectory_rows
from fgbench.pipeline import ROWS, Accepted, Outcome, Stage, Task
from fgbench.records import Rejected
from fgbench.stages._source_files import COLUMNS, check_unchanged, unchanged_rows
from fgbench.stages.ingest import inside


def _run(task: Task) -> Iterator[Outcome]:
    config = task.config
    assert isinstance(config, DenseTrajectoriesConfig)
    columns = [*COLUMNS, "n_frames", "width", "height", "stills_only"]
    clips = {row["clip_id"]: row for row in task.rows("ingest", columns=columns)}
    for row in task.rows("split", columns=["clip_id"]):
        clip = clips[row["clip_id"]]
        if clip["stills_only"]:
            yield Accepted(clip["clip_id"], ())
            continue
        size = reduced_size(clip["width"], clip["height"], config.max_side_px)
        if min(size) < 32:
            detail = (
                f"{clip['width']}x{clip['height']} px, expected at least 32 px to either side when reduced"
            )
            yield Rejected(clip["clip_id"], "too_small", detail)
            continue
        try:
            stamp = check_unchanged(task.root, clip)
            reader = video.open_video(inside(task.root, clip["path"]), clip["decoder"])
        except MediaError as error:
            yield Rejected(clip["clip_id"], error.reason, error.message)
            continue
        with reader:
            yield Accepted(clip["clip_id"], unchanged_rows(_rows(reader, clip, size), task.root, clip, stamp))


def _rows(reader: video.Reader, clip: dict[str, Any], size: tuple[int, int]) -> Iterator[dict[str, Any]]:
    """Rows up to the end of what can be decoded: a clip that lacks its end was accepted by ``ingest``."""
    try:
        yield from trajectory_rows(reader.frames(), clip["clip_id"], size=size, n_frames=clip["n_frames"])
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
