"""Test samples that another program is scored on: the clips, or the image set, of a work folder.

Reads manifests. They are those of the methods: with frames near the key frame in which fgbench found no face,
and with those of clips that could not be read, which have no prediction and count as wrong for everybody.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from fgbench.errors import ConfigError, DatasetError
from fgbench.inference.other_programs.clip_names import ClipNames
from fgbench.records import image_id
from fgbench.runs.context import RunContext
from fgbench.runs.lost_clips import rejected_clips
from fgbench.runs.samples import Sample, image_samples, moving_samples
from fgbench.storage import read_rows

Kind = Literal["images", "clips"]

AUTO = "auto"
KINDS = (AUTO, "images", "clips")
"""Accepted kinds; ``auto`` takes images of data of pictures alone, else clips."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clips:
    """Clips of a work folder.

    Attributes:
        names: Clips by their names.
        pictures: Clips of one frame, for which the number of a frame says nothing.
        lost: Clips that could not be read.
    """

    names: ClipNames
    pictures: Collection[str]
    lost: Collection[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """Test samples to score.

    Attributes:
        kind: Images or clips.
        test: All samples that are tested, ordered by id.
        keys: Clip, and frame of an image (``None`` of a clip), to the index in ``test``; without those of
            clips that could not be read.
    """

    kind: Kind
    test: Sequence[Sample]
    keys: dict[tuple[str, int | None], int]


def read_clips(context: RunContext) -> Clips:
    """Return the clips of a work folder, with those that could not be read.

    Raises:
        ManifestError: If manifests are missing or damaged.
    """
    rows = list(read_rows(context.manifests / "clips.parquet", ["clip_id", "path", "n_frames"]))
    lost = set(rejected_clips(context.manifests)) - {row["clip_id"] for row in rows}
    images = {}
    if (context.manifests / "faces").is_dir():
        for path in sorted((context.manifests / "faces").glob("*.parquet")):
            for row in read_rows(path, ["clip_id", "frame_index"]):
                key = row["clip_id"], row["frame_index"]
                images[image_id(*key)] = key
    return Clips(
        names=ClipNames(
            [*((row["clip_id"], row["path"] or "") for row in rows), *((clip_id, "") for clip_id in lost)],
            images,
        ),
        pictures=frozenset(row["clip_id"] for row in rows if row["n_frames"] == 1),
        lost=frozenset(lost),
    )


def tested_samples(context: RunContext, clips: Clips, kind: str) -> Samples:
    """Return the samples of the test part; of folds, those of all folds together.

    Args:
        context: The work folder.
        clips: Its clips.
        kind: One of :data:`KINDS`.

    Raises:
        ConfigError: If there is no such kind.
        DatasetError: If no sample is tested.
        ManifestError: If manifests are missing or damaged.
    """
    if kind not in KINDS:
        raise ConfigError(f"unknown samples {kind!r}", f"known: {', '.join(KINDS)}")
    moving = moving_samples(context.manifests)
    has_motion = any(clip.clip_id not in clips.pictures for clip in moving)
    chosen: Kind = "clips" if kind == "clips" or (kind == AUTO and has_motion) else "images"
    samples = moving if chosen == "clips" else image_samples(context.manifests)
    tested = [one for one in context.division.tested(samples) if not one.is_copy]
    lost = context.lost_tests(samples, fold=None)
    test = sorted([*tested, *lost], key=lambda sample: sample.sample_id)
    if not tested:
        others = f", and {len(lost)} of clips that could not be read" if lost else ""
        raise DatasetError(
            f"{context.manifests} has no test {chosen} to score{others}",
            "check the split of the recipe of fgbench prepare",
        )
    unread = {sample.sample_id for sample in lost}
    keys = {_key(sample, chosen): row for row, sample in enumerate(test) if sample.sample_id not in unread}
    return Samples(kind=chosen, test=test, keys=keys)


def _key(sample: Sample, kind: Kind) -> tuple[str, int | None]:
    if kind == "clips":
        return sample.clip_id, None
    return sample.clip_id, int(sample.sample_id.removeprefix(f"{sample.clip_id}-f"))
