"""Clips that could not be read: those to be tested count as samples without prediction.

Reads ``rejects.parquet`` of the manifests. Clips that the annotators did not settle, that the audit removed,
or on which the data set's own lists contradict themselves are no samples: they define the data set. A
rejected clip counts once, even where it would have given several images, since their number is unknown. Its
test fold is chosen in `fgbench.runs.lost_folds`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from fgbench import storage
from fgbench.datasets._fold_lists import CONTRADICTED
from fgbench.records import image_id
from fgbench.runs.samples import Sample, clip_samples

_FAILED = ("ingest", "sample", "faces", "augment")
"""Stages whose rejects could not be read or used; rejects of the others define the data set."""

_DEFINING = ("consensus", "split", "audit")
"""Stages whose rejects are no clips of the data set. All others compute features: a clip that one of them
rejects stays, and lacks a prediction where these features are read."""

_COLUMNS = ("id", "stage", "reason", "label", "split", "subject_id", "source_id", "key_frame")


def lost_samples(manifests: Path, there: Iterable[Sample]) -> list[Sample]:
    """Samples of clips that could not be read, ordered by id.

    Args:
        manifests: Folder of the manifests.
        there: All readable samples: images, or whole clips. For images, a lost clip is the one at its key
            frame. For clips, classes that have single frames alone give none, e.g. the neutral first frame of
            a sequence.

    Returns:
        The samples; ``part`` is empty where neither the data set nor the recipe gave the clip one.

    Raises:
        ManifestError: If the table is damaged.
    """
    samples = list(there)
    readable = {sample.clip_id for sample in samples}
    is_image = any(sample.sample_id != sample.clip_id for sample in samples)
    stills = frozenset() if is_image else _classes_of_stills(manifests, samples)
    lost = {
        row["id"]: Sample(
            sample_id=image_id(row["id"], row["key_frame"] or 0) if is_image else row["id"],
            clip_id=row["id"],
            subject_id=row["subject_id"],
            label=row["label"],
            part=row["split"] or "",
            source_id=row["source_id"],
        )
        for row in _failed(manifests)
        if row["id"] not in readable and is_lost(row) and row["label"] not in stills
    }
    return [lost[clip_id] for clip_id in sorted(lost)]


def lost_rows(manifests: Path) -> list[dict[str, Any]]:
    """Rows of the rejects that are clips of known class that could not be read or used, ordered by id.

    Raises:
        ManifestError: If the table is damaged.
    """
    rows = [{name: row[name] for name in _COLUMNS} for row in _failed(manifests) if is_lost(row)]
    return sorted(rows, key=lambda row: (str(row["id"]), str(row["stage"])))


def is_lost(row: Mapping[str, Any]) -> bool:
    """Whether a row of the rejects is a clip of known class that could not be read or used."""
    return row["label"] is not None and _has_failed(row)


def rejected_clips(manifests: Path) -> dict[str, str]:
    """Unreadable clips to stage and reason, e.g. ``"ingest truncated"``.

    Raises:
        ManifestError: If the table is damaged.
    """
    return {row["id"]: f"{row['stage']} {row['reason']}" for row in _failed(manifests)}


def is_reading_failure(reason: str) -> bool:
    """Whether a reason of :func:`rejected_samples` is that the clip could not be read, not that features are
    lacking."""
    return reason.partition(" ")[0] in _FAILED


def featureless_clips(manifests: Path) -> dict[str, str]:
    """Clips that a stage of features rejected to stage and reason, e.g. ``"lbp too_slow"``; of several stages
    all.

    Raises:
        ManifestError: If the table is damaged.
    """
    stages = {*_FAILED, *_DEFINING}
    reasons: dict[str, list[str]] = {}
    for row in _rows(manifests):
        if row["stage"] not in stages:
            reasons.setdefault(row["id"], []).append(f"{row['stage']} {row['reason']}")
    return {clip_id: " or ".join(sorted(several)) for clip_id, several in reasons.items()}


def rejected_samples(
    manifests: Path, clip_ids: Iterable[str], *, unpredicted: Iterable[str] = ()
) -> dict[str, int]:
    """Stage and reason to the number of samples of unreadable clips, or of clips without features.

    Args:
        manifests: Folder of the manifests.
        clip_ids: Clip of each sample.
        unpredicted: Clip of each of these samples that has no prediction; features that are lacking count for
            no other.

    Raises:
        ManifestError: If the table is damaged.
    """
    reasons = rejected_clips(manifests)
    without = {} if not (left := [*unpredicted]) else featureless_clips(manifests)
    counts = Counter(reasons[clip_id] for clip_id in clip_ids if clip_id in reasons)
    counts.update(without[clip_id] for clip_id in left if clip_id in without and clip_id not in reasons)
    return dict(sorted(counts.items()))


def _failed(manifests: Path) -> list[dict[str, Any]]:
    """Rows of clips that could not be read."""
    return [row for row in _rows(manifests) if _has_failed(row)]


def _rows(manifests: Path) -> list[dict[str, Any]]:
    """Rows of the rejects; empty for manifests of versions that did not keep their parts."""
    path = manifests / "rejects.parquet"
    if not path.is_file():
        return []
    table = storage.read_table(path)
    if not set(_COLUMNS) <= set(table.column_names):
        return []
    rows: list[dict[str, Any]] = table.select(list(_COLUMNS)).to_pylist()
    return rows


def _has_failed(row: Mapping[str, Any]) -> bool:
    return row["stage"] in _FAILED and row["reason"] not in CONTRADICTED


def _classes_of_stills(manifests: Path, clips: Sequence[Sample]) -> frozenset[str]:
    """Classes whose usable entries are all single frames, so that none of them is among the clips."""
    if not (manifests / "clips.parquet").is_file():
        return frozenset()
    return frozenset({entry.label for entry in clip_samples(manifests)} - {clip.label for clip in clips})
