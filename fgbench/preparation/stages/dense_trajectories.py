"""Stage ``dense_trajectories``: trajectories and descriptors of whole clips.

Reads the clips that have a part; decodes each and writes one row per trajectory. Positions are in px of the
reduced frame.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from fgbench.config import DenseTrajectoriesConfig
from fgbench.errors import MediaError
from fgbench.media import video
from fgbench.media.faults import GIVEN_UP
from fgbench.preparation.pipeline import ROWS, Accepted, Item, Outcome, Stage, Task
from fgbench.preparation.stages._source_files import COLUMNS, check_unchanged, unchanged_rows
from fgbench.preparation.stages.ingest import inside
from fgbench.records import Rejected


def _run(task: Task) -> Iterator[Item]:
    config = task.config
    assert isinstance(config, DenseTrajectoriesConfig)
    columns = [*COLUMNS, "n_frames", "width", "height", "stills_only", "max_frame_px"]
    clips = {row["clip_id"]: row for row in task.rows("ingest", columns=columns)}
    for row in task.rows("split", columns=["clip_id"]):
        yield Item(row["clip_id"], partial(_clip, clips[row["clip_id"]], config, task.root))


def _clip(clip: dict[str, Any], config: DenseTrajectoriesConfig, root: Path) -> Outcome:
    from fgbench.features.trajectory_file import reduced_size

    if clip["stills_only"]:
        return Accepted(clip["clip_id"], ())
    size = reduced_size(clip["width"], clip["height"], config.max_side_px)
    if min(size) < 32:
        detail = f"{clip['width']}x{clip['height']} px, expected at least 32 px to either side when reduced"
        return Rejected(clip["clip_id"], "too_small", detail)
    stamp = check_unchanged(root, clip)
    # Frames of a video may grow midway, beyond the size in its header.
    limits = replace(video.NO_LIMITS, max_frame_px=clip["max_frame_px"])
    reader = video.open_video(inside(root, clip["path"]), clip["decoder"], limits=limits)
    return Accepted(clip["clip_id"], unchanged_rows(_rows(reader, clip, size), root, clip, stamp))


def _rows(reader: video.Reader, clip: dict[str, Any], size: tuple[int, int]) -> Iterator[dict[str, Any]]:
    """Rows up to the end of what can be decoded: ``ingest`` accepts clips that lack their end."""
    from fgbench.features.trajectory_file import trajectory_rows

    with reader:
        try:
            yield from trajectory_rows(reader.frames(), clip["clip_id"], size=size, n_frames=clip["n_frames"])
        except MediaError as error:
            if error.reason in GIVEN_UP:
                raise


STAGE = Stage(
    name="dense_trajectories",
    version=2,
    inputs=("split", "ingest"),
    outputs={ROWS: "dense_trajectories"},
    run=_run,
    enabled=lambda config: bool(config.enabled),
)
