"""A round of annotation before it is written: its settings, and its clips dealt to the annotators."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fgbench.annotation.class_list import ClassList
from fgbench.annotation.clip_list import ListedClip
from fgbench.annotation.label_studio.folder import FORM
from fgbench.annotation.project_file import ClipTask, Project
from fgbench.annotation.shares import deal_shares, seeded_order
from fgbench.files.hashing import digest_json

SHOWS = ("clips", "strips")
"""Ways in which clips are shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundPlan:
    """Settings of a round that is exported.

    Attributes:
        root: Root of the data set.
        out: Folder of the round.
        tool: Annotation tool.
        round: Number of the round, from 1.
        annotators: Names.
        per_clip: Annotators of each clip.
        classes: Classes to choose from.
        gold: Table of clips with known answers; ``None``: none.
        reannotate: Table of the clips of a later round; ``None`` in the first.
        show: One of :data:`SHOWS`.
        seed: Seed of shares and order.
        hide_names: Whether annotators see neutral names in the place of those of the clips.
        recipe: Recipe whose classes they are; ``None`` where none was named.
        changes: Settings of it that were changed, each as ``section.field=value``.
    """

    root: Path
    out: Path
    tool: str
    round: int
    annotators: tuple[str, ...]
    per_clip: int
    classes: ClassList
    gold: Path | None
    reannotate: Path | None
    show: str
    seed: int
    hide_names: bool = False
    recipe: str | None = None
    changes: tuple[str, ...] = ()


def deal_round(
    plan: RoundPlan, clips: Sequence[ListedClip], mixed: Sequence[str], left_out: list[tuple[str, str, str]]
) -> Project:
    """Deal the clips of a round to its annotators.

    Args:
        plan: Settings of the round.
        clips: Its clips, ordered by id.
        mixed: Ids of those with known answers.
        left_out: Clips that cannot be read, ``(clip, reason, detail)``.
    """
    by_id = {clip.clip: clip for clip in clips}
    known = [clip for clip in mixed if clip in by_id]
    rest = [clip for clip in by_id if clip not in {*known}]
    everyone = tuple(range(len(plan.annotators)))
    shares = dict(
        zip(
            sorted(rest),
            deal_shares(len(rest), len(plan.annotators), plan.per_clip, seed=plan.seed),
            strict=True,
        )
    )
    tasks = tuple(
        ClipTask(
            clip=clip,
            path=by_id[clip].path,
            sha256=by_id[clip].sha256,
            n_frames=by_id[clip].n_frames,
            fps=by_id[clip].fps,
            annotators=shares.get(clip, everyone),
            times_s=by_id[clip].times_s,
        )
        for clip in seeded_order(rest, known, seed=plan.seed)
    )
    made_of = {
        "clips": [[one.clip, one.path, one.sha256] for one in clips],
        "gold": known,
        "classes": [list(pair) for pair in plan.classes.classes],
        "annotators": list(plan.annotators),
        "settings": [plan.tool, plan.round, plan.per_clip, plan.show, plan.seed, plan.classes.scheme],
        "form": FORM,
        **({"hide_names": True} if plan.hide_names else {}),
    }
    return Project(
        project=secrets.token_hex(16),
        dataset=plan.root.resolve().name,
        tool=plan.tool,
        round=plan.round,
        seed=plan.seed,
        show=plan.show,
        scheme=plan.classes.scheme,
        classes=plan.classes.classes,
        annotators=plan.annotators,
        per_clip=plan.per_clip,
        tasks=tasks,
        gold=tuple(known),
        input=digest_json(made_of),
        files={},
        left_out=tuple(left_out),
        hide_names=plan.hide_names,
        recipe=plan.recipe,
        changes=plan.changes,
    )
