"""Stage ``split``: the part (train, val, test) of each clip.

Reads ``consensus`` and ``ingest``. The division looks at all clips at once (`fgbench.preparation.splitting`);
each bucket then holds only its own clips, so that later stages depend on nothing else. Clips whose official
part is known keep it. Where people are kept apart as far as they are known, the other clips of a person
follow those with an official part.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Literal

from fgbench.catalogue.open_settings import SUBJECTS_IF_KNOWN
from fgbench.config import SplitConfig
from fgbench.errors import DatasetError
from fgbench.preparation.pipeline import ROWS, Accepted, Item, Stage, Task
from fgbench.preparation.splitting import Member, divide
from fgbench.records import SPLITS
from fgbench.storage import read_rows


def _plan(
    config: SplitConfig, inputs: Mapping[int, Mapping[str, Mapping[str, Path]]]
) -> dict[int, dict[str, str]]:
    by_person = config.group_by == SUBJECTS_IF_KNOWN
    column = "subject_id" if by_person else config.group_by
    official: dict[str, str] = {}
    official_of: dict[str, Counter[str]] = defaultdict(Counter)
    grouped: list[Member] = []
    alone: list[Member] = []
    bucket_of: dict[str, int] = {}
    for bucket, files in inputs.items():
        columns = ["clip_id", "official_split", *({column} - {"clip_id"})]
        ingested = {row["clip_id"]: row for row in read_rows(files["ingest"][ROWS], columns)}
        for settled in read_rows(files["consensus"][ROWS], ["clip_id", "label"]):
            clip = ingested[settled["clip_id"]]
            clip_id, group = clip["clip_id"], clip[column]
            bucket_of[clip_id] = bucket
            if config.use_official and clip["official_split"] is not None:
                official[clip_id] = clip["official_split"]
                if by_person and group is not None:
                    official_of[group][clip["official_split"]] += 1
                continue
            if group is None and not by_person:
                raise DatasetError(
                    f"clip {clip_id!r} has no {column}, but the recipe keeps parts apart by it",
                    f"add {column} for every clip, or set split.group_by to clip_id in the recipe",
                )
            is_alone = column == "clip_id" or group is None
            (alone if is_alone else grouped).append(
                Member(clip_id, clip_id if is_alone else group, settled["label"] or "")
            )
    follows = {group: max(SPLITS, key=lambda part: counts[part]) for group, counts in official_of.items()}
    official |= {member.clip_id: follows[member.group] for member in grouped if member.group in follows}
    grouped = [member for member in grouped if member.group not in follows]
    weights = {part: getattr(config, part) for part in SPLITS}
    exact, cover, seed = config.assign == "exact", config.cover_all_classes, config.seed
    parts = divide(
        grouped, weights, exact=exact, cover_all_classes=cover, seed=seed, by_number=not exact
    ) | divide(alone, weights, exact=exact, cover_all_classes=cover, seed=seed)
    plan: dict[int, dict[str, str]] = {bucket: {} for bucket in inputs}
    for clip_id, part in sorted({**parts, **official}.items()):
        plan[bucket_of[clip_id]][clip_id] = part
    return plan


def _run(task: Task) -> Iterator[Item]:
    for clip_id, part in sorted(task.plan.items()):
        yield Item(clip_id, partial(Accepted, clip_id, [{"clip_id": clip_id, "split": part}]))


STAGE = Stage(
    name="split",
    version=2,
    inputs=("consensus", "ingest"),
    outputs={ROWS: "split"},
    run=_run,
    plan=_plan,
    plan_shape=dict[str, Literal["train", "val", "test"]],
)
