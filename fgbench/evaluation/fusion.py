"""Fusion of the class scores of two streams, with the choice of its weight; pure functions.

The fused score is ``w * spatial + (1 - w) * temporal`` (paper section IV-B; the weights add up to 1, section
V-F). The paper takes w = 0.5 and finds about 0.7 best; on which clips is not stated in the paper. Here a
weight is chosen on validation clips only.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fgbench.errors import ConfigError
from fgbench.evaluation import metrics

Probabilities = npt.NDArray[np.float32]

WEIGHTS = tuple(step / 10 for step in range(11))
"""Weights of the spatial stream that are compared: 0, 0.1, ... 1 (the steps are not stated in the paper)."""

PAPER_WEIGHT = 0.5
"""Weight in Table II (paper section IV-B)."""

_DIGITS = 9  # numbers that agree in so many decimals are a tie


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """Accuracy for each weight, on all samples of one part.

    Attributes:
        part: ``"val"`` or ``"test"``.
        sample_ids: Ids of its samples.
        weights: W weights of the spatial stream.
        confusions: (W, C, C + 1) confusion matrices, see :func:`fgbench.evaluation.metrics.confusion_matrix`.
    """

    part: str
    sample_ids: frozenset[str]
    weights: tuple[float, ...]
    confusions: npt.NDArray[np.int64]

    @property
    def uars(self) -> list[float | None]:
        """Unweighted average recall for each weight; ``None`` without samples."""
        names = [str(number) for number in range(self.confusions.shape[1])]
        return [metrics.scores(confusion, names).uar for confusion in self.confusions]


def fuse(spatial: Probabilities, temporal: Probabilities, weight: float) -> Probabilities:
    """Fused probabilities of both streams.

    Args:
        spatial: (N, C) float32; rows of samples without prediction are NaN.
        temporal: (N, C) float32, likewise.
        weight: Weight of the spatial stream, 0 to 1.

    Returns:
        (N, C) float32. A row is NaN where a stream with a weight above 0 has no prediction; weight 1 gives
        the spatial stream as it is, 0 the temporal one.

    Raises:
        ValueError: If shapes differ or the weight is out of its range.
    """
    if spatial.shape != temporal.shape or spatial.ndim != 2:
        raise ValueError(f"streams of shapes {spatial.shape} and {temporal.shape}, expected one (N, C)")
    if not 0.0 <= weight <= 1.0:
        raise ValueError(f"weight {weight} of the spatial stream, expected 0 to 1")
    if weight == 1.0:
        return spatial.copy()
    if weight == 0.0:
        return temporal.copy()
    return (weight * spatial.astype(np.float64) + (1.0 - weight) * temporal).astype(np.float32)


def most_probable(probabilities: Probabilities) -> npt.NDArray[np.int64]:
    """(N,) int64 index of the most probable class, the first of ties; ``metrics.MISSING`` for NaN rows.

    Args:
        probabilities: (N, C).
    """
    if not probabilities.size:
        return np.full(len(probabilities), metrics.MISSING, np.int64)
    missing = np.isnan(probabilities).any(axis=1)
    return np.where(missing, metrics.MISSING, np.argmax(probabilities, axis=1)).astype(np.int64)


def sweep(
    spatial: Probabilities,
    temporal: Probabilities,
    *,
    truth: npt.ArrayLike,
    sample_ids: Sequence[str],
    part: str,
    weights: Sequence[float] = WEIGHTS,
) -> Sweep:
    """Accuracy for each weight. Samples without prediction count as wrong.

    Args:
        spatial: (N, C) float32; rows of samples without prediction are NaN.
        temporal: (N, C) float32, likewise.
        truth: (N,) indices of the true classes.
        sample_ids: N ids of all samples of the part.
        part: Name of the part.
        weights: Weights of the spatial stream, each 0 to 1.

    Raises:
        ValueError: If lengths differ, or a weight or class is out of its range.
    """
    if len(sample_ids) != len(spatial) or len(set(sample_ids)) != len(sample_ids):
        raise ValueError(f"{len(sample_ids)} ids of {len(spatial)} samples, expected one each, none twice")
    n_classes = spatial.shape[1]
    confusions = [
        metrics.confusion_matrix(truth, most_probable(fuse(spatial, temporal, weight)), n_classes=n_classes)
        for weight in weights
    ]
    return Sweep(
        part=part,
        sample_ids=frozenset(sample_ids),
        weights=tuple(weights),
        confusions=np.stack(confusions),
    )


def joined(sweeps: Sequence[Sweep]) -> Sweep:
    """Sweep over the samples of all folds of one seed together.

    Args:
        sweeps: At least one, of the same part and weights.

    Raises:
        ValueError: If parts or weights differ.
    """
    if len({(one.part, one.weights) for one in sweeps}) != 1:
        raise ValueError("sweeps of different parts or weights, expected the same")
    return Sweep(
        part=sweeps[0].part,
        sample_ids=frozenset().union(*(one.sample_ids for one in sweeps)),
        weights=sweeps[0].weights,
        confusions=np.sum([one.confusions for one in sweeps], axis=0),
    )


def best_weight(sweeps: Sequence[Sweep], *, test: Collection[str]) -> float | None:
    """Weight with the highest mean accuracy over some seeds, chosen on validation samples.

    Of ties, that nearest to 0.5, then the smaller one (ours; not stated in the paper).

    Args:
        sweeps: One per seed, at least one, of the same weights.
        test: Ids of all test samples, which must not be among them.

    Returns:
        The weight; ``None`` where there are no samples to choose on.

    Raises:
        ConfigError: If a sweep is of another part than ``"val"``, or has test samples.
        ValueError: If weights differ.
    """
    if len({one.weights for one in sweeps}) != 1:
        raise ValueError("sweeps of different weights, expected the same")
    for one in sweeps:
        shared = one.sample_ids & frozenset(test)
        if one.part != "val" or shared:
            samples = f"part {one.part!r}" if one.part != "val" else f"{len(shared)} test samples"
            raise ConfigError(
                f"the weight of the streams is chosen on {samples}, expected validation samples only",
                "choose it on the part 'val': scores of the test part would be too good",
            )
    rows = [one.uars for one in sweeps]
    means = []
    for index, weight in enumerate(sweeps[0].weights):
        values = [value for row in rows if (value := row[index]) is not None]
        if len(values) < len(rows):
            return None
        means.append((-round(sum(values) / len(values), _DIGITS), round(abs(weight - 0.5), _DIGITS), weight))
    return min(means)[2] if means else None
