"""Stage ``sample``: choose frames of each clip, each with its role.

Reads ``split`` (which clips), ``consensus`` (key frame), ``ingest`` (number of frames) and the experts'
selection, which no earlier stage depends on; writes one row per frame. ``role`` is ``image`` (near the key
frame, for the image set), ``video`` (for the video set) or ``both``. Where experts have selected frames for
the image set, those are taken instead of the neighbourhood of the key frame. An entry that stands for its
selected frames alone has no frames in the video set.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from fgbench.config import SampleConfig
from fgbench.preparation.pipeline import ROWS, Accepted, Item, Outcome, Stage, Task
from fgbench.preparation.sampling import near_key_frame, uniform
from fgbench.records import Rejected


def _run(task: Task) -> Iterator[Item]:
    config = task.config
    assert isinstance(config, SampleConfig)
    ingested = task.by_clip("ingest")
    settled = task.by_clip("consensus")
    for row in task.rows("split"):
        clip_id = row["clip_id"]
        clip = {**ingested[clip_id], "key_frame": settled[clip_id]["key_frame"]}
        yield Item(clip_id, partial(_sample, clip, task.selected.get(clip_id), config))


def _sample(clip: dict[str, Any], selected: Sequence[int] | None, config: SampleConfig) -> Outcome:
    last = clip["n_frames"] - 1
    outside = [index for index in selected or () if not 0 <= index <= last]
    if outside:
        detail = f"selected frame {outside[0]}, but the clip has frames 0 to {last}"
        return Rejected(clip["clip_id"], "selected_frame_outside", detail)
    rows = _frames(clip, selected, config)
    if not rows:
        return Rejected(clip["clip_id"], "no_frames_sampled", "the recipe takes no frame of this clip")
    return Accepted(clip["clip_id"], rows)


def _frames(
    clip: dict[str, Any], selected: Sequence[int] | None, config: SampleConfig
) -> list[dict[str, Any]]:
    n_frames: int = clip["n_frames"]
    anchor: int | None = clip["key_frame"]
    if anchor is None and config.without_key_frame == "middle":
        anchor = n_frames // 2
    images: set[int] = set()
    if selected is not None:
        images.update(selected)
    elif anchor is not None:
        images.update(
            near_key_frame(anchor, n_frames, before=config.before, after=config.after, step=config.step)
        )
    if clip["stills_only"]:
        videos: set[int] = set()
    elif config.video == "all":
        videos = set(range(n_frames))
    elif config.video == "uniform":
        videos = set(uniform(n_frames, config.video_frames))
    else:
        videos = set()
    return [
        {
            "clip_id": clip["clip_id"],
            "frame_index": index,
            "offset": None if anchor is None else index - anchor,
            "role": "both"
            if index in images and index in videos
            else "image"
            if index in images
            else "video",
        }
        for index in sorted(images | videos)
    ]


STAGE = Stage(
    name="sample",
    version=2,
    inputs=("split", "consensus", "ingest"),
    outputs={ROWS: "sample"},
    run=_run,
    reads_selection=True,
)
