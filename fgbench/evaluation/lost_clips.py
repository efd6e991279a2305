"""Clips of the test list that could not be read: they count, as samples without prediction.

Reads ``rejects.parquet`` of the manifests. Clips that the annotators did not settle, or that the audit took
out, are no samples: they define the data set. A rejected clip counts once, also where it would have given
several images, since nobody knows how many.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from fgbench import storage
from fgbench.evaluation.samples import Sample
from fgbench.records import image_id

_FAILED = ("ingest", "sample", "faces", "augment")
"""Stages whose rejects could not be read or used; those of the others define the data set."""

_COLUMNS = ("id", "stage", "reason", "label", "split", "subject_id", "source_id", "key_frame")


def lost_samples(manifests: Path, there: Iterable[Sample]) -> list[Sample]:
    """Samples of clips that could not be read, ordered by id.

    Args:
        manifests: Folder of the manifests.
        there: All samples that could be: images, or clips as a whole. Of images, a lost clip is the one at
            its key frame.

    Raises:
        ManifestError: If the table is damaged.
    """
    samples = list(there)
    known = {sample.clip_id for sample in samples}
    is_image = any(sample.sample_id != sample.clip_id for sample in samples)
    found = {
        row["id"]: Sample(
            sample_id=image_id(row["id"], row["key_frame"] or 0) if is_image else row["id"],
            clip_id=row["id"],
            subject_id=row["subject_id"],
            label=row["label"],
            part=row["split"],
            source_id=row["source_id"],
        )
        for row in _failed(manifests)
        if row["id"] not in known and row["label"] is not None and row["split"] is not None
    }
    return [found[clip_id] for clip_id in sorted(found)]


def rejected_clips(manifests: Path) -> dict[str, str]:
    """Clip that could not be read to stage and reason, e.g. ``"ingest truncated"``.

    Raises:
        ManifestError: If the table is damaged.
    """
    return {row["id"]: f"{row['stage']} {row['reason']}" for row in _failed(manifests)}


def rejected_samples(manifests: Path, clip_ids: Iterable[str]) -> dict[str, int]:
    """Stage and reason to the number of samples that are of clips that could not be read.

    Args:
        manifests: Folder of the manifests.
        clip_ids: Clip of each sample.

    Raises:
        ManifestError: If the table is damaged.
    """
    reasons = rejected_clips(manifests)
    return dict(sorted(Counter(reasons[clip_id] for clip_id in clip_ids if clip_id in reasons).items()))


def _failed(manifests: Path) -> list[dict[str, Any]]:
    """Rows of clips that could not be read; none of manifests made before their parts were kept."""
    path = manifests / "rejects.parquet"
    if not path.is_file():
        return []
    table = storage.read_table(path)
    if not set(_COLUMNS) <= set(table.column_names):
        return []
    return [row for row in table.select(list(_COLUMNS)).to_pylist() if row["stage"] in _FAILED]
