"""Stage ``augment``: the image set, originals and offline copies.

Reads ``faces`` (aligned faces of the image set), ``split`` and ``consensus``; writes the tables ``train``,
``val`` and ``test`` of images. Clips that ``audit`` rejects have none. A copy stays in the part of its
original and keeps its original's id and its exact parameters. In ``total`` mode the target numbers need
counts of all buckets: the plan of a bucket holds only the classes that the bucket has, so a change elsewhere
does not touch it unless one of these moves.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from fgbench.config import AugmentConfig
from fgbench.faces.status import USABLE
from fgbench.files.hashing import hash_u64
from fgbench.media.images import SUFFIXES, decode, encode
from fgbench.preparation.augmentation import Ranges, apply, draw, water_level
from fgbench.preparation.pipeline import REJECTS, ROWS, Accepted, Item, Stage, Task
from fgbench.records import IMAGE_ROLES, SPLITS, image_id
from fgbench.storage import read_rows


def _plan(
    config: AugmentConfig, inputs: Mapping[int, Mapping[str, Mapping[str, Path]]]
) -> dict[int, dict[str, list[int]]]:
    """Per bucket: ``"<part>/<label>"`` to copies of every picture and hash bound for one more copy."""
    if config.balance != "total":
        return {bucket: {} for bucket in inputs}
    hashes: dict[str, dict[str, list[int]]] = {part: defaultdict(list) for part in SPLITS}
    present: dict[int, set[tuple[str, str]]] = {bucket: set() for bucket in inputs}
    for bucket, files in inputs.items():
        dropped = _dropped(read_rows(path) if (path := files["audit"].get(REJECTS)) else ())
        parts = {row["clip_id"]: row["split"] for row in read_rows(files["split"][ROWS])}
        labels = {
            row["clip_id"]: row["label"] or ""
            for row in read_rows(files["consensus"][ROWS], ["clip_id", "label"])
        }
        columns = ["clip_id", "frame_index", "role", "status"]
        for face in read_rows(files["faces"][ROWS], columns):
            if _is_wanted(face, dropped):
                part, label = parts[face["clip_id"]], labels[face["clip_id"]]
                parent = image_id(face["clip_id"], face["frame_index"])
                hashes[part][label].append(hash_u64("copies", config.seed, parent))
                present[bucket].add((part, label))
    share: dict[tuple[str, str], list[int]] = {}
    for part in SPLITS:
        counts = {label: len(parents) for label, parents in hashes[part].items()}
        for label, wanted in water_level(counts, getattr(config, part)).items():
            each, rest = divmod(wanted - counts[label], counts[label])
            bound = sorted(hashes[part][label])[rest - 1] if rest else -1
            share[part, label] = [each, bound]
    return {
        bucket: {f"{part}/{label}": share[part, label] for part, label in sorted(keys)}
        for bucket, keys in present.items()
    }


def _dropped(rejects: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """Clips that the audit took out."""
    return frozenset(row["id"] for row in rejects)


def _is_wanted(face: Mapping[str, Any], dropped: frozenset[str]) -> bool:
    """Return whether a face belongs to the image set."""
    return face["role"] in IMAGE_ROLES and face["status"] in USABLE and face["clip_id"] not in dropped


def _copies(parent: str, part: str, label: str, config: AugmentConfig, plan: Mapping[str, list[int]]) -> int:
    if config.balance == "none":
        return 0
    if config.balance == "copies":
        return config.copies if part == "train" else 0
    each, bound = plan[f"{part}/{label}"]
    return each + (1 if hash_u64("copies", config.seed, parent) <= bound else 0)


def _run(task: Task) -> Iterator[Item]:
    config = task.config
    assert isinstance(config, AugmentConfig)
    parts = task.by_clip("split")
    settled = task.by_clip("consensus")
    subjects = {
        row["clip_id"]: row["subject_id"] for row in task.rows("ingest", columns=["clip_id", "subject_id"])
    }
    dropped = _dropped(task.rows("audit", REJECTS))
    make = partial(_clip, config=config, plan=task.plan, parts=parts, settled=settled, subjects=subjects)
    pending: str | None = None
    faces: list[dict[str, Any]] = []
    for face in task.rows("faces", columns=["clip_id", "frame_index", "offset", "role", "status", "image"]):
        if pending is not None and face["clip_id"] != pending:
            yield Item(pending, partial(make, pending, faces))
            faces = []
        pending = face["clip_id"]
        if _is_wanted(face, dropped):
            faces.append(face)
    if pending is not None:
        yield Item(pending, partial(make, pending, faces))


def _clip(
    clip_id: str,
    faces: list[dict[str, Any]],
    *,
    config: AugmentConfig,
    plan: Mapping[str, list[int]],
    parts: Mapping[str, dict[str, Any]],
    settled: Mapping[str, dict[str, Any]],
    subjects: Mapping[str, str | None],
) -> Accepted:
    part: str = parts[clip_id]["split"]
    label = settled[clip_id]
    about = {
        "clip_id": clip_id,
        "label": label["label"],
        "basic": label["basic"],
        "valence": label["valence"],
        "split": part,
        "subject_id": subjects[clip_id],
        "soft_label": label["soft_label"],
    }
    return Accepted(clip_id, _images(faces, about, config, plan), output=part)


def _images(
    faces: list[dict[str, Any]], about: dict[str, Any], config: AugmentConfig, plan: Mapping[str, list[int]]
) -> Iterator[dict[str, Any]]:
    ranges = Ranges(
        max_rotation_deg=config.max_rotation_deg,
        max_scale_change=config.max_scale_change,
        max_noise_sigma=config.max_noise_sigma,
    )
    suffix = SUFFIXES[config.format]
    for face in faces:
        parent = image_id(about["clip_id"], face["frame_index"])
        frame = {"frame_index": face["frame_index"], "offset": face["offset"]}
        original = {"image_id": parent, "parent_id": None, "augmentation": None, "image": face["image"]}
        yield {**about, **frame, **original}
        n_copies = _copies(parent, about["split"], about["label"] or "", config, plan)
        if not n_copies:
            continue
        picture = decode(face["image"]["bytes"])
        for copy in range(1, n_copies + 1):
            augmentation = draw(parent, copy, ranges, seed=config.seed)
            data = encode(apply(picture, augmentation), config.format, config.jpeg_quality)
            name = f"{parent}-a{copy:02d}"
            made = {"image_id": name, "parent_id": parent, "augmentation": asdict(augmentation)}
            yield {**about, **frame, **made, "image": {"bytes": data, "path": f"{name}.{suffix}"}}


STAGE = Stage(
    name="augment",
    version=2,
    inputs=("faces", "split", "consensus", "ingest", "audit"),
    outputs=dict.fromkeys(SPLITS, "images"),
    run=_run,
    plan=_plan,
    plan_shape=dict[str, Annotated[list[int], Field(min_length=2, max_length=2)]],
)
