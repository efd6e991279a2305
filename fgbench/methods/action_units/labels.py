"""Labels of action units in training: which negatives count in an epoch.

Reads and writes nothing.
"""

from __future__ import annotations

import math

import numpy as np
import torch

from fgbench.runs.unit_results import Labels
from fgbench.training.randomness import generator


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
