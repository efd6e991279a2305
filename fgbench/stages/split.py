"""Stage ``split``: the part (train, val, test) of each clip.

Reads ``consensus`` and ``ingest``. The division looks at all clips at once (`fgbench.splitting`); each bucket
then holds only its own clips, so that later stages depend on nothing else. Clips whose official part is
known keep it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Literal

from fgbench.config import SplitConfig
from fgbench.errors import DatasetError
from fgbench.pipeline import ROWS, Accepted, Item, Stage, Task
from fgbench.records import SPLITS
from fgbench.splitting import Member, divide
from fgbench.storage import read_rows


def _plan(
    config: SplitConfig, inputs: Mapping[int, Mapping[str, Mapping[str, Path]]]
) -> dict[int, dict[str, str]]:
    official: dict[str, str] = {}
    members: list[Member] = []
    bucket_of: dict[str, int] = {}
    for bucket, files in inputs.items():
        columns = ["clip_id", "official_split", *({config.group_by} - {"clip_id"})]
        ingested = {row["clip_id"]: row for row in read_rows(files["ingest"][ROWS], columns)}
        for settled in read_rows(files["consensus"][ROWS], ["clip_id", "label"]):
            clip = ingested[settled["clip_id"]]
            clip_id = clip["clip_id"]
            bucket_of[clip_id] = bucket
            if config.use_official and clip["official_split"] is not None:
                official[clip_id] = clip["official_split"]
                continue
            group = clip[config.group_by]
            if group is None:
                raise DatasetError(
                    f"clip {clip_id!r} has no {config.group_by}, but the recipe keeps parts apart by it",
                    f"add {config.group_by} for every clip, or set split.group_by to clip_id in the recipe",
                )
            members.append(Member(clip_id, group, settled["label"] or ""))
    weights = {part: getattr(config, part) for part in SPLITS}
    parts = divide(
        members,
        weights,
        exact=config.assign == "exact",
        cover_all_classes=config.cover_all_classes,
        seed=config.seed,
    )
    plan: dict[int, dict[str, str]] = {bucket: {} for bucket in inputs}
    for clip_id, part in sorted({**parts, **official}.items()):
        plan[bucket_of[clip_id]][clip_id] = part
    return plan


def _run(task: Task) -> Iterator[Item]:
    for clip_id, part in sorted(task.plan.items()):
        yield Item(clip_id, partial(Accepted, clip_id, [{"clip_id": clip_id, "split": part}]))


STAGE = Stage(
    name="split",
    version=1,
    inputs=("consensus", "ingest"),
    outputs={ROWS: "split"},
    run=_run,
    plan=_plan,
    plan_shape=dict[str, Literal["train", "val", "test"]],
)
