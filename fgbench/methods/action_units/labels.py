"""Labels of action units in training: those of each frame, and which negatives count in an epoch.

Reads and writes nothing.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping

import numpy as np
import torch

from fgbench.records import AuRow
from fgbench.runs.unit_results import Labels
from fgbench.training.randomness import generator

__all__ = ["AuRow", "balanced_mask", "labels_by_frame"]


def labels_by_frame(
    rows: Iterable[AuRow], frames: Collection[tuple[str, int]]
) -> dict[tuple[str, int], Mapping[str, int]]:
    """Return the labels of frames; those of a frame itself override those of its whole clip.

    Args:
        rows: Labels as an adapter gives them, in any order.
        frames: Clip and number of the frames that are asked for, each once.

    Returns:
        Clip and number to the labels, of frames that have some, ordered.
    """
    whole: dict[str, Mapping[str, int]] = {}
    single: dict[tuple[str, int], Mapping[str, int]] = {}
    for row in rows:
        if row.frame_index is None:
            whole[row.clip_id] = row.labels
        else:
            single[row.clip_id, row.frame_index] = row.labels
    return {
        key: single[key] if key in single else whole[key[0]]
        for key in sorted(frames)
        if key in single or key[0] in whole
    }


def balanced_mask(labels_NA: Labels, negatives_per_positive: float, *, seed: int, epoch: int) -> Labels:
    """Mask surplus negatives, others in every epoch. Not stated in the paper.

    Of each unit with P positives, ``floor(P * negatives_per_positive)`` negatives are drawn to count; the
    others become 0. A unit without positives keeps none.

    Args:
        labels_NA: int8; 1 present, -1 absent, 0 not labelled.
        negatives_per_positive: 0 keeps all.
        seed: Seed of the run.
        epoch: Number of the epoch, from 0.

    Returns:
        (N, A) int8, a new array.
    """
    if negatives_per_positive == 0:
        return labels_NA.copy()
    drawn = torch.rand(labels_NA.shape, generator=generator(seed, "negatives", epoch)).numpy()
    masked = labels_NA.copy()
    for unit in range(labels_NA.shape[1]):
        negatives = np.flatnonzero(labels_NA[:, unit] == -1)
        kept = math.floor(np.count_nonzero(labels_NA[:, unit] == 1) * negatives_per_positive)
        order = np.argsort(drawn[negatives, unit], kind="stable")
        masked[negatives[order[kept:]], unit] = 0
    return masked
