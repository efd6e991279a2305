"""The latest votes on all clips, as the models of rules take them (:mod:`fgbench.preparation.settling`)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fgbench.preparation.answers import is_class
from fgbench.preparation.settling._rule import Indices, LatestVotes, of_indices
from fgbench.preparation.stages._vote_agreement import duplicate_clips
from fgbench.preparation.stages._vote_batches import VoteBatch, vote_batches
from fgbench.preparation.stages._votes import spelled_label


def latest_votes(
    paths: Mapping[int, Path], without: Mapping[str, Collection[int]]
) -> tuple[LatestVotes, dict[str, int]]:
    """Read the votes for classes of the latest round of each clip, without clips with a duplicate vote.

    Names are compared as they are: which are one person's was settled where votes are listed.

    Args:
        paths: Bucket to its table of ``ingest``.
        without: Clip to its rounds that are left out.

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
            rows = _latest(batch, without)
            of_people = np.array(
                [annotators.setdefault(name, len(annotators)) for name in batch.annotators], np.int64
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


def _latest(batch: VoteBatch, without: Mapping[str, Collection[int]]) -> Indices:
    """Places of the votes for classes in the latest round of each clip without a duplicate vote."""
    clip, number = batch.clip, batch.whole("round")
    is_twice = duplicate_clips(len(batch.clips), clip, batch.annotator, number)
    is_cast = _is_cast(batch, without)
    last = np.zeros(len(batch.clips), np.int64)
    np.maximum.at(last, clip[is_cast], number[is_cast])
    for_class = np.array([is_class(label) for label in batch.labels], np.bool_)
    return np.flatnonzero(is_cast & (number == last[clip]) & ~is_twice[clip] & for_class[batch.label])


def _is_cast(batch: VoteBatch, without: Mapping[str, Collection[int]]) -> npt.NDArray[np.bool_]:
    """(V,) whether each vote is of a round that is not left out."""
    number, is_cast = batch.whole("round"), np.ones(len(batch.clip), np.bool_)
    for index, clip in enumerate(batch.clips) if without else ():
        rounds = without.get(clip["clip_id"])
        if rounds:
            of_clip = slice(batch.ends[index], batch.ends[index + 1])
            is_cast[of_clip] = ~np.isin(number[of_clip], list(rounds))
    return is_cast
