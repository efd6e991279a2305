"""Nearest neighbours on features: how many, chosen on samples that are held out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from fgbench.errors import DatasetError
from fgbench.evaluation import metrics
from fgbench.svm.choice import Fold
from fgbench.svm.grams import squared_distances
from fgbench.svm.one_vs_rest import Trial

Matrix = npt.NDArray[np.float32]
Indices = npt.NDArray[np.int64]

_ROWS = 1024


def votes_of(truth: Indices, n_classes: int, *, balanced: bool) -> Matrix:
    """Return what each sample counts for each class, (n, K): 1 for its own; balanced, n / (K count).

    Args:
        truth: (n,) classes.
        n_classes: Classes, K.
        balanced: Whether samples of rare classes count for more.
    """
    votes = np.zeros((len(truth), n_classes), np.float32)
    counts = np.bincount(truth, minlength=n_classes)
    votes[np.arange(len(truth)), truth] = len(truth) / (n_classes * counts[truth]) if balanced else 1.0
    return votes


def nearest(held_out: Matrix, fitted: Matrix, count: int) -> Indices:
    """Return the indices of the nearest samples, (m, count), nearest first; of equals the first in the list.

    Args:
        held_out: (m, d) features.
        fitted: (n, d) features, n at least ``count``.
        count: Number of neighbours.
    """
    found = [np.empty((0, count), np.int64)]
    for begin in range(0, len(held_out), _ROWS):
        distances = squared_distances(held_out[begin : begin + _ROWS], fitted, jobs=1)
        found.append(np.argsort(distances, axis=1, kind="stable")[:, :count].astype(np.int64))
    return np.concatenate(found)


def choose_neighbours(
    numbers: Sequence[int],
    features: Matrix,
    truth: Indices,
    folds: Sequence[Fold],
    *,
    n_classes: int,
    balanced: bool,
) -> tuple[Trial, list[Trial]]:
    """Return the number of neighbours with the best UAR on held-out samples (of equals the first), and all.

    Args:
        numbers: Numbers to choose from; those above the number of fitted samples are that number.
        features: (n, d) features of a pool.
        truth: (n,) classes.
        folds: Divisions of the pool.
        n_classes: Classes.
        balanced: As of :func:`votes_of`.

    Raises:
        DatasetError: If there are no held-out samples.
    """
    confusions = {number: np.zeros((n_classes, n_classes + 1), np.int64) for number in sorted({*numbers})}
    for fold in folds:
        fitted, held_out = features[fold.fitted], features[fold.held_out]
        votes = votes_of(truth[fold.fitted], n_classes, balanced=balanced)
        order = nearest(held_out, fitted, min(max(confusions), len(fitted)))
        for number, confusion in confusions.items():
            decided = votes[order[:, :number]].sum(axis=1).argmax(axis=1)
            confusion += metrics.confusion_matrix(truth[fold.held_out], decided, n_classes=n_classes)
    if not any(confusion.any() for confusion in confusions.values()):
        raise DatasetError(
            "no validation samples, expected some to choose the neighbours on",
            "give the validation part a weight above 0",
        )
    trials = [
        Trial({"neighbours": float(number)}, metrics.uar(confusion))
        for number, confusion in confusions.items()
    ]
    return max(trials, key=lambda trial: trial.uar), trials
