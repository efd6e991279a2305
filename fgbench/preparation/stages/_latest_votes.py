"""The latest votes on all clips, as the models of rules take them (:mod:`fgbench.preparation.settling`)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from fgbench.naming import key
from fgbench.preparation.answers import is_class
from fgbench.preparation.settling._rule import Indices, LatestVotes, of_indices
from fgbench.preparation.stages._vote_agreement import duplicate_clips
from fgbench.preparation.stages._vote_batches import VoteBatch, vote_batches
from fgbench.preparation.stages._votes import spelled_label


def latest_votes(paths: Mapping[int, Path]) -> tuple[LatestVotes, dict[str, int]]:
    """Read the votes for classes of the latest round of each clip, without clips with a duplicate vote.

    Args:
        paths: Bucket to its table of ``ingest``.

    Returns:
        The votes; and the bucket of each clip that has any.

    Raises:
        ManifestError: If a table is missing or damaged.
    """
    bucket_of: dict[str, int] = {}
    annotators: dict[str, int] = {}
    labels: dict[str, int] = {}
    parts: list[tuple[Indices, Indices, Indices]] = []
    for bucket, path in paths.items():
        for batch in vote_batches(path, ["clip_id", "scheme"], spelled_label):
            first = len(bucket_of)
            bucket_of |= dict.fromkeys((clip["clip_id"] for clip in batch.clips), bucket)
            rows = _latest(batch)
            of_people = np.array(
                [annotators.setdefault(key(name), len(annotators)) for name in batch.annotators], np.int64
            )
            of_labels = np.array([labels.setdefault(name, len(labels)) for name in batch.labels], np.int64)
            parts.append(
                (
                    batch.clip[rows] + first,
                    of_people[batch.annotator[rows]],
                    of_labels[batch.label[rows]],
                )
            )
    clip, annotator, label = (
        (np.concatenate(column) for column in zip(*parts, strict=True)) if parts else [np.empty(0, int)] * 3
    )
    return of_indices([*bucket_of], clip, [*annotators], annotator, [*labels], label), bucket_of


def _latest(batch: VoteBatch) -> Indices:
    """Places of the votes for classes in the latest round of each clip without a duplicate vote."""
    clip, number = batch.clip, batch.whole("round")
    last = np.zeros(len(batch.clips), np.int64)
    np.maximum.at(last, clip, number)
    is_twice = duplicate_clips(len(batch.clips), clip, batch.annotator, number)
    for_class = np.array([is_class(label) for label in batch.labels], np.bool_)
    return np.flatnonzero((number == last[clip]) & ~is_twice[clip] & for_class[batch.label])
