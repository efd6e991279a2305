"""Votes drawn for tests, and their figures counted vote by vote."""

from collections import Counter
from statistics import median

import numpy as np

from fgbench.evaluation.ballots import NONE, Ballots


def drawn_ballots(seed, *, n_units=60, n_annotators=6, n_classes=4, share_cast=0.7, share_none=0.1):
    """Votes of which about half follow the unit, some are for no class, and some are missing."""
    random = np.random.default_rng(seed)
    rows = []
    for unit in range(n_units):
        for annotator in range(n_annotators):
            if random.random() < share_cast:
                label = unit % n_classes if random.random() < 0.5 else int(random.integers(n_classes))
                rows.append((unit, annotator, NONE if random.random() < share_none else label))
    return ballots_of(rows, n_units=n_units, n_annotators=n_annotators, n_classes=n_classes, seed=seed)


def ballots_of(rows, *, n_units, n_annotators, n_classes, seed=None):
    """Ballots of ``(unit, annotator, class)``, in a drawn order if there is a seed."""
    rows = np.array(rows, np.int64).reshape(-1, 3)
    if seed is not None:
        rows = np.random.default_rng(seed).permutation(rows)
    return Ballots(
        units=rows[:, 0],
        annotators=rows[:, 1],
        classes=rows[:, 2],
        n_units=n_units,
        n_annotators=n_annotators,
        n_classes=n_classes,
    )


def rows_of(ballots):
    """``(unit, annotator, class)`` of each vote."""
    return list(
        zip(ballots.units.tolist(), ballots.annotators.tolist(), ballots.classes.tolist(), strict=True)
    )


def others_of(ballots, row):
    """Classes that the others gave the unit of a vote, those for no class included."""
    unit, annotator, _ = rows_of(ballots)[row]
    return [label for one, who, label in rows_of(ballots) if one == unit and who != annotator]


def plurality(labels):
    """The class that most votes are for; ``None`` for a tie or without votes."""
    most = Counter(label for label in labels if label != NONE).most_common(2)
    return most[0][0] if most and (len(most) == 1 or most[0][1] > most[1][1]) else None


def majority(labels, least):
    """The class that at least ``least`` and more than half of the votes are for."""
    for label, n in Counter(label for label in labels if label != NONE).items():
        if n >= least and n > len(labels) / 2:
            return label
    return NONE


def median_of_others(ballots, values, row):
    """Median of the numbers that the others gave the unit of a vote; NaN without any or without its own."""
    if np.isnan(values[row]):
        return np.nan
    others = [
        float(values[other])
        for other in range(len(values))
        if other != row and ballots.units[other] == ballots.units[row] and not np.isnan(values[other])
    ]
    return median(others) if others else np.nan


def as_matrix(ballots):
    """(A, U) float64 classes, NaN where there is none: what the package krippendorff reads."""
    matrix = np.full((ballots.n_annotators, ballots.n_units), np.nan)
    valid = ballots.classes != NONE
    matrix[ballots.annotators[valid], ballots.units[valid]] = ballots.classes[valid]
    return matrix
