"""Official folds of a data set that has a list of training clips and one of test clips for each fold.

Published code of such data sets chooses its epoch on the list that it reports. Here a clip only has the fold
that tests it: the protocol chooses the part for selection, which never is the tested fold.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

CONTRADICTED = frozenset({"two_labels", "no_fold", "two_folds", "tested_in_training"})
"""Reasons of clips on which the lists contradict each other: the fold that tests them is unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """Entry of a clip in the lists.

    Attributes:
        label: Its label; the first one if the lists disagree.
        fold: The fold that tests it, from 1; ``None`` if there is not exactly one.
        problem: ``(reason, detail)`` if the lists contradict each other.
    """

    label: str
    fold: int | None
    problem: tuple[str, str] | None = None


def read_folds(
    trains: Sequence[Iterable[tuple[str, str]]], tests: Sequence[Iterable[tuple[str, str]]]
) -> dict[str, Listed]:
    """Name to label and fold of the clips of all lists, sorted by name.

    Args:
        trains: Name and label of the training clips of fold 1, 2, ...
        tests: Name and label of the test clips of each.
    """
    labels: dict[str, dict[str, None]] = defaultdict(dict)
    trained: dict[str, set[int]] = defaultdict(set)
    tested: dict[str, set[int]] = defaultdict(set)
    for lists, folds_of in ((trains, trained), (tests, tested)):
        for fold, clips in enumerate(lists, start=1):
            for name, label in clips:
                labels[name][label] = None
                folds_of[name].add(fold)
    return {
        name: _listed(tuple(labels[name]), trained[name], sorted(tested[name])) for name in sorted(labels)
    }


def _listed(labels: tuple[str, ...], trained: set[int], tested: list[int]) -> Listed:
    problem = None
    if len(labels) > 1:
        problem = "two_labels", f"its labels in the lists of the folds are {' and '.join(labels)}"
    elif not tested:
        problem = "no_fold", "it is in no list of test clips"
    elif len(tested) > 1:
        problem = "two_folds", f"folds {' and '.join(map(str, tested))} test it, expected one"
    elif tested[0] in trained:
        problem = "tested_in_training", f"fold {tested[0]} trains on it and tests it"
    return Listed(label=labels[0], fold=tested[0] if len(tested) == 1 else None, problem=problem)
