"""Targets of softmax losses from annotators' votes: the shares of the classes, instead of the settled class.

Not stated in the paper, which trains on the settled labels. Suffixes of tensors: N samples, K fine classes,
M upper classes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from fgbench.runs.labels import LabelSet
from fgbench.runs.samples import Sample
from fgbench.runs.vote_shares import read_shares


@dataclass(frozen=True, slots=True, eq=False)
class SoftTargets:
    """Targets of N samples; each row sums to 1.

    Attributes:
        fine: (N, K) float32 shares of the fine classes, on the device.
        basic: (N, M) float32 shares of the upper classes, the sums over their fine classes; M is 0 where the
            label set has none.
    """

    fine: Tensor
    basic: Tensor

    def of(self, index_B: Tensor) -> SoftTargets:
        """Return the targets of a batch.

        Args:
            index_B: int64 numbers of its samples, on the device.
        """
        return SoftTargets(self.fine[index_B], self.basic[index_B])


def targets_of(
    target: Literal["hard", "soft"],
    manifests: Path,
    samples: Sequence[Sample],
    labels: LabelSet,
    device: torch.device,
) -> SoftTargets | None:
    """Return the targets of samples by the votes on their clips.

    A sample of a clip without votes has its class alone, with a share of 1. Votes for classes that are not in
    the label set, which a recipe may drop, are left out of the shares.

    Args:
        target: ``losses.target`` of the recipe.
        manifests: Folder of the manifests.
        samples: Images, copies among them, or clips.
        labels: The classes.
        device: Device of the targets.

    Returns:
        The targets; ``None`` for the hard target, and where all votes are for the classes of the samples: the
        classes are then the target, so that both runs are the same to the last bit.

    Raises:
        ManifestError: If the table of clips is missing or damaged.
        UnknownLabelError: If the class of a sample is not in the label set.
    """
    if target == "hard":
        return None
    shares = read_shares(manifests)
    settled = np.eye(len(labels.labels))[labels.numbers([sample.label for sample in samples])]
    rows = settled.copy()
    for row, sample in zip(rows, samples, strict=True):
        cast = _within(shares.get(sample.clip_id, {}), labels)
        if cast:
            row[:] = 0.0
            row[labels.numbers(list(cast))] = list(cast.values())
    if np.array_equal(rows, settled):
        return None
    fine = torch.from_numpy(rows)
    basic = fine @ torch.from_numpy(labels.upper_matrix()).double()
    return SoftTargets(fine.float().to(device), basic.float().to(device))


def _within(shares: Mapping[str, float], labels: LabelSet) -> dict[str, float]:
    """Shares of the classes of the label set among themselves."""
    kept = {label: share for label, share in shares.items() if label in labels.labels}
    total = sum(kept.values())
    return {label: share / total for label, share in kept.items()} if total > 0 else {}
