"""Stage ``audit``: take clips out of training and validation that leak into validation or test.

Reads ``split``, ``ingest`` and the faces of the image set in ``faces``; of clips without any there, faces of
the video set. Clips whose file, a picture or a near
duplicate occurs in another part (`fgbench.audit.part_leaks`) become rejects of this stage, with the kind
of the leak as the reason; a clip of the test part never does. Where folds divide the data set, each clip is
tested once: of groups that show the same, one keeps it (`fgbench.audit.fold_leaks`). Off by default;
``fgbench prepare --drop-leaks`` turns it on. Later stages and the manifests leave rejected clips out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from fgbench.config import AuditConfig
from fgbench.cores import n_cores
from fgbench.faces.status import USABLE
from fgbench.preparation.pipeline import ROWS, Accepted, Item, Outcome, Stage, Task
from fgbench.records import IMAGE_ROLES, SPLITS, Rejected, image_id
from fgbench.storage import read_rows

if TYPE_CHECKING:
    from fgbench.audit.leak import Leak
    from fgbench.audit.pictures import StoredPicture

_Files = Mapping[int, Mapping[str, Mapping[str, Path]]]


def _plan(config: AuditConfig, inputs: _Files) -> dict[int, dict[str, tuple[str, str]]]:
    """Per bucket: clips to drop, each with reason and detail."""
    from fgbench.audit.fold_leaks import dropped_between_groups
    from fgbench.audit.leak import AuditedClip, Side
    from fgbench.audit.leaks import PAIRS
    from fgbench.audit.part_leaks import compare, dropped_clips
    from fgbench.audit.pictures import describe

    clips: list[AuditedClip] = []
    bucket_of: dict[str, int] = {}
    columns = ["clip_id", "sha256", "subject_id", "source_id"]
    for bucket, files in inputs.items():
        ingested = {row["clip_id"]: row for row in read_rows(files["ingest"][ROWS], columns)}
        for row in read_rows(files["split"][ROWS]):
            clip = ingested[row["clip_id"]]
            bucket_of[row["clip_id"]] = bucket
            clips.append(
                AuditedClip(
                    clip_id=row["clip_id"],
                    part=row["split"],
                    sha256=clip["sha256"],
                    subject_id=clip["subject_id"],
                    source_id=clip["source_id"],
                    label="",
                )
            )
    clips.sort(key=lambda clip: clip.clip_id)
    jobs = n_cores()
    pictures = describe(_faces(inputs), jobs=jobs)
    plan: dict[int, dict[str, tuple[str, str]]] = {bucket: {} for bucket in inputs}
    if config.folds:
        dropped = dropped_between_groups(clips, pictures, apart=config.apart, jobs=jobs)
        for clip_id, reason in dropped.items():
            plan[bucket_of[clip_id]][clip_id] = reason
        return plan
    sides = {}
    for part in SPLITS:
        members = [clip for clip in clips if clip.part == part]
        sides[part] = Side(part, members, pictures.of_clips({clip.clip_id for clip in members}))
    leaks: list[Leak] = []
    for first, second in PAIRS:
        leaks += compare(sides[first], sides[second], apart=config.apart, jobs=jobs)
    for clip_id, reason in dropped_clips(leaks).items():
        plan[bucket_of[clip_id]][clip_id] = reason
    return plan


def _faces(inputs: _Files) -> Iterator[StoredPicture]:
    """The usable faces of the image set, and of clips without any there some of the video set."""
    from fgbench.audit.pictures import StoredPicture
    from fgbench.audit.spread_frames import spread_frames

    columns = ["clip_id", "frame_index", "role", "status"]
    for _, files in sorted(inputs.items()):
        path = files["faces"].get(ROWS)
        rows = [] if path is None else list(read_rows(path, columns))
        chosen = {
            (row["clip_id"], row["frame_index"])
            for row in rows
            if row["role"] in IMAGE_ROLES and row["status"] in USABLE
        }
        bare = frozenset(row["clip_id"] for row in rows) - {clip_id for clip_id, _ in chosen}
        chosen |= spread_frames(rows, bare)
        for row in read_rows(path, [*columns, "image"]) if path is not None and chosen else ():
            if (row["clip_id"], row["frame_index"]) in chosen:
                name = image_id(row["clip_id"], row["frame_index"])
                yield StoredPicture(name, row["clip_id"], row["image"]["bytes"])


def _run(task: Task) -> Iterator[Item]:
    for row in sorted(task.rows("split"), key=lambda row: str(row["clip_id"])):
        yield Item(row["clip_id"], partial(_judge, row["clip_id"], task.plan))


def _judge(clip_id: str, plan: Mapping[str, tuple[str, str]]) -> Outcome:
    return Rejected(clip_id, *plan[clip_id]) if clip_id in plan else Accepted(clip_id, [{"clip_id": clip_id}])


STAGE = Stage(
    name="audit",
    version=5,
    inputs=("split", "ingest", "faces"),
    outputs={ROWS: "audit"},
    run=_run,
    plan=_plan,
    plan_shape=dict[str, Annotated[list[str], Field(min_length=2, max_length=2)]],
    enabled=lambda config: bool(config.drop_leaks),
)
