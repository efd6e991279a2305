"""Distances of wrong predictions in the class tree (paper section III, Fig. 2 b).

Four levels: root, pleasant or unpleasant, six upper classes, 33 leaves. The distance of two leaves is the
number of edges between them: 0 the same, 2 the same upper class, 4 the same valence, 6 otherwise. The paper
has no such measures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from fgbench.evaluation import metrics
from fgbench.evaluation.metrics import Counts
from fgbench.taxonomy import basics, leaf, normal_label, ontology

FARTHEST = 6
"""Distance of two leaves of different valence, and of "no prediction"."""

VALENCES = ("pleasant", "unpleasant")


@dataclass(frozen=True, slots=True, kw_only=True)
class HierarchyScores:
    """Scores of predictions in the class tree; undefined ones are ``None``.

    Attributes:
        n: Number of samples.
        n_wrong: Number of wrong samples, including those without prediction.
        upper_uar: Mean over the upper classes of the share predicted as a leaf of the right one.
        upper_war: Share of samples predicted as a leaf of the right upper class.
        valence_war: Share of samples predicted as a leaf of the right valence.
        inside_upper: Share of the wrong samples predicted as a leaf of the right upper class.
        inside_valence: Likewise of the right valence, including those inside the upper class.
        mean_distance: Mean distance of prediction and truth over all samples.
        mean_distance_wrong: The same over the wrong samples.
    """

    n: int
    n_wrong: int
    upper_uar: float | None
    upper_war: float | None
    valence_war: float | None
    inside_upper: float | None
    inside_valence: float | None
    mean_distance: float | None
    mean_distance_wrong: float | None

    def to_json(self) -> dict[str, int | float | None]:
        """Scores as plain values."""
        return asdict(self)


def tree_distance(first: str, second: str) -> int:
    """Number of edges between two leaves of the class tree.

    Raises:
        UnknownLabelError: If one is not a leaf.
    """
    one, other = leaf(first), leaf(second)
    if one == other:
        return 0
    if one.basic == other.basic:
        return 2
    return 4 if one.valence == other.valence else FARTHEST


def distances(classes: Sequence[str]) -> npt.NDArray[np.int64]:
    """(C, C + 1) distances of true and predicted leaves; the last column, "no prediction", is the farthest.

    Raises:
        UnknownLabelError: If one is not a leaf.
    """
    return _distances(tuple(classes))


@lru_cache(maxsize=8)
def _distances(classes: tuple[str, ...]) -> npt.NDArray[np.int64]:
    rows = [[*(tree_distance(true, other) for other in classes), FARTHEST] for true in classes]
    matrix = np.array(rows, np.int64).reshape(len(classes), len(classes) + 1)
    matrix.flags.writeable = False  # it is cached and shared by all callers
    return matrix


def are_leaves(classes: Sequence[str]) -> bool:
    """Whether classes are leaves of the class tree."""
    return set(map(normal_label, classes)) <= set(ontology("fg33").labels)


def upper_counts(confusion: Counts, classes: Sequence[str]) -> Counts | None:
    """Counts of upper classes from those of the leaves.

    Args:
        confusion: (C, C + 1) as of :func:`fgbench.evaluation.metrics.confusion_matrix`.
        classes: C names.

    Returns:
        (U, U + 1) int64 for the upper classes in the order of :func:`fgbench.taxonomy.basics`, the last
        column "no prediction"; ``None`` if the classes are not leaves of the class tree.
    """
    if not are_leaves(classes):
        return None
    return _merged(confusion, [basics().index(leaf(name).basic) for name in classes], len(basics()))


def inside_counts(confusion: Counts, classes: Sequence[str], upper: str) -> tuple[list[str], Counts]:
    """Counts within an upper class.

    Args:
        confusion: (C, C + 1) of leaves of the class tree.
        classes: C names.
        upper: Name of the upper class.

    Returns:
        Its K leaves in the order of ``classes``, and (K, K + 2) int64: columns are these leaves, all other
        leaves, and "no prediction".
    """
    inside_indices = [index for index, name in enumerate(classes) if leaf(name).basic == upper]
    rows = confusion[inside_indices]
    inside, missing = rows[:, inside_indices], rows[:, -1:]
    elsewhere = rows.sum(axis=1, keepdims=True) - inside.sum(axis=1, keepdims=True) - missing
    return [classes[index] for index in inside_indices], np.concatenate([inside, elsewhere, missing], axis=1)


def hierarchy_scores(confusion: Counts, classes: Sequence[str]) -> HierarchyScores | None:
    """Scores of predictions in the class tree.

    Args:
        confusion: (C, C + 1) as of :func:`fgbench.evaluation.metrics.confusion_matrix`.
        classes: C names.

    Returns:
        ``None`` if the classes are not leaves of the class tree.
    """
    upper = upper_counts(confusion, classes)
    if upper is None:
        return None
    valence = _merged(confusion, [VALENCES.index(leaf(name).valence) for name in classes], len(VALENCES))
    n, apart = int(confusion.sum()), distances(classes)
    wrong = np.where(apart > 0, confusion, 0)
    n_wrong, total = int(wrong.sum()), int((wrong * apart).sum())
    upper_scores = metrics.scores(upper, basics())
    right_valence = metrics.scores(valence, VALENCES).war
    return HierarchyScores(
        n=n,
        n_wrong=n_wrong,
        upper_uar=upper_scores.uar,
        upper_war=upper_scores.war,
        valence_war=right_valence,
        inside_upper=_share(int(wrong[apart == 2].sum()), n_wrong),
        inside_valence=_share(int(wrong[(apart == 2) | (apart == 4)].sum()), n_wrong),
        mean_distance=_share(total, n),
        mean_distance_wrong=_share(total, n_wrong),
    )


def grouped_counts(confusion: Counts, groups: Sequence[str]) -> tuple[list[str], Counts]:
    """Counts of any groups of classes.

    Args:
        confusion: (C, C + 1) as of :func:`fgbench.evaluation.metrics.confusion_matrix`.
        groups: Name of the group of each of the C classes.

    Returns:
        The G groups in the order of their first class, and (G, G + 1) int64, the last column "no prediction".
    """
    names = list(dict.fromkeys(groups))
    return names, _merged(confusion, [names.index(name) for name in groups], len(names))


def _merged(confusion: Counts, groups: Sequence[int], n_groups: int) -> Counts:
    """Counts of groups of classes; the last column stays "no prediction"."""
    counts = np.zeros((n_groups, n_groups + 1), np.int64)
    np.add.at(counts, (np.array(groups)[:, None], np.array([*groups, n_groups])), confusion)
    return counts


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
