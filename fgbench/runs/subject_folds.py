"""Folds for cross-validation in which no subject is both trained and tested on; pure functions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from fgbench.errors import ConfigError, DatasetError
from fgbench.files.hashing import hash_u64


def subject_folds(subject_ids: Sequence[str | None], n_folds: int, seed: int = 0) -> npt.NDArray[np.int64]:
    """Fold of every sample; all samples of a subject are in one fold.

    Subjects with the most samples come first, each into the fold with the fewest samples so far; ties are
    ordered by a hash of their ids. So folds differ by no more samples than one subject has, and depend
    neither on the order of the samples nor on the machine.

    Args:
        subject_ids: Subject of each of N samples.
        n_folds: At least 2.
        seed: Seed of the order of subjects with equally many samples.

    Returns:
        (N,) int64 numbers of folds, from 0.

    Raises:
        DatasetError: If a subject is unknown, or there are fewer subjects than folds.
        ConfigError: If there are fewer than 2 folds.
    """
    if n_folds < 2:
        raise ConfigError(f"{n_folds} folds, expected at least 2", "ask for 2 folds or more, e.g. 3")
    counts = Counter(subject for subject in subject_ids if subject is not None)
    unknown = len(subject_ids) - counts.total()
    if unknown:
        raise DatasetError(
            f"the subject of {unknown} of {len(subject_ids)} samples is not known, expected one for each",
            "name the subjects in the annotations, or use the parts of the data set",
        )
    if len(counts) < n_folds:
        raise DatasetError(
            f"{len(counts)} subjects, expected at least {n_folds} for {n_folds} folds", "ask for fewer folds"
        )
    fold_of: dict[str, int] = {}
    sizes = [0] * n_folds
    for subject in sorted(counts, key=lambda one: (-counts[one], hash_u64("fold", seed, one), one)):
        fold = sizes.index(min(sizes))
        fold_of[subject] = fold
        sizes[fold] += counts[subject]
    return np.array([fold_of[subject] for subject in subject_ids if subject is not None], np.int64)
