"""Samples: the images and clips of a work folder that have to be predicted.

Every sample of a part counts: a frame without a detected face gets no prediction and is scored wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fgbench.errors import DatasetError, ManifestError
from fgbench.records import image_id
from fgbench.storage import read_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """An image or a clip with its truth.

    Attributes:
        sample_id: Id of the image or the clip.
        clip_id: Its clip.
        subject_id: Subject shown.
        label: Class.
        part: ``train``, ``val`` or ``test``; empty for a clip that could not be read and was given none.
        is_copy: Whether it is an augmented copy; accuracies are computed without copies.
        source_id: Film, recording or other source that its clip is from.
    """

    sample_id: str
    clip_id: str
    subject_id: str | None
    label: str
    part: str
    is_copy: bool = False
    source_id: str | None = None


def clip_samples(manifests: Path) -> list[Sample]:
    """Clips of a work folder, ordered by id.

    Args:
        manifests: Folder of the manifests.

    Raises:
        ManifestError: If they are missing or damaged.
    """
    columns = ["clip_id", "subject_id", "source_id", "label", "split"]
    return [
        Sample(
            sample_id=row["clip_id"],
            clip_id=row["clip_id"],
            subject_id=row["subject_id"],
            label=row["label"],
            part=row["split"],
            source_id=row["source_id"],
        )
        for row in read_rows(manifests / "clips.parquet", columns)
    ]


def moving_samples(manifests: Path) -> list[Sample]:
    """Clips that methods of clips are trained and tested on, ordered by id.

    Entries of single frames are left out, e.g. the neutral first frame of a sequence: it has no motion, and a
    method would recognise the class by that alone.

    Args:
        manifests: Folder of the manifests.

    Raises:
        ManifestError: If they are missing or damaged.
    """
    rows = read_rows(manifests / "clips.parquet", ["clip_id", "stills_only"])
    stills = {row["clip_id"] for row in rows if row["stills_only"]}
    return [sample for sample in clip_samples(manifests) if sample.clip_id not in stills]


def clips_of_all_classes(manifests: Path) -> list[Sample]:
    """Moving samples, checked so that every class with entries has clips; for methods that are trained.

    Args:
        manifests: Folder of the manifests.

    Raises:
        DatasetError: If all entries of a class are single frames.
        ManifestError: If they are missing or damaged.
    """
    clips = moving_samples(manifests)
    classes = {clip.label for clip in clips}
    still = sorted({entry.label for entry in clip_samples(manifests) if entry.label} - classes)
    if still:
        raise DatasetError(
            f"{manifests} has single frames of {', '.join(still)}, and no clip to train methods of clips on",
            "prepare the data set with a recipe without such a class, e.g. ck-plus-6, mmi-6, oulu-casia-6",
        )
    return clips


def image_samples(manifests: Path) -> list[Sample]:
    """Image set of a work folder: sampled frames with or without a face, and augmented copies.

    Args:
        manifests: Folder of the manifests.

    Raises:
        ManifestError: If they are missing or damaged.
    """
    clips = {sample.clip_id: sample for sample in clip_samples(manifests)}
    samples = []
    for row in _parts(manifests / "faces", ["clip_id", "frame_index", "role"]):
        if row["role"] in ("image", "both"):
            clip = clips[row["clip_id"]]
            name = image_id(row["clip_id"], row["frame_index"])
            samples.append(_image(name, clip, is_copy=False))
    for row in _parts(manifests / "images", ["image_id", "clip_id", "parent_id"]):
        if row["parent_id"] is not None:
            samples.append(_image(row["image_id"], clips[row["clip_id"]], is_copy=True))
    return sorted(samples, key=lambda sample: sample.sample_id)


def _image(name: str, clip: Sample, *, is_copy: bool) -> Sample:
    return Sample(
        sample_id=name,
        clip_id=clip.clip_id,
        subject_id=clip.subject_id,
        label=clip.label,
        part=clip.part,
        is_copy=is_copy,
        source_id=clip.source_id,
    )


def _parts(folder: Path, columns: list[str]) -> Iterator[dict[str, Any]]:
    if not folder.is_dir():
        raise ManifestError(f"{folder} is missing", "run fgbench prepare")
    for path in sorted(folder.glob("*.parquet")):
        yield from read_rows(path, columns)
