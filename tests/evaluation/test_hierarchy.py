"""Distances and scores in the class tree, by hand and against a search of the tree."""

import numpy as np
import pytest

from fgbench.errors import ConfigError
from fgbench.evaluation import hierarchy, metrics
from fgbench.taxonomy import basics, leaf, leaves

LABELS = tuple(entry.name for entry in leaves())


def path_to_root(label):
    actual = leaf(label)
    return ["root", actual.valence, f"upper {actual.basic}", actual.name]


def test_distance_is_the_number_of_edges_between_leaves():
    apart = hierarchy.distances(LABELS)
    for row, first in enumerate(LABELS):
        for column, second in enumerate(LABELS):
            shared = len(set(path_to_root(first)) & set(path_to_root(second)))
            assert apart[row, column] == 2 * (4 - shared)
    assert set(apart[:, -1].tolist()) == {6}
    np.testing.assert_array_equal(apart[:, :-1], apart[:, :-1].T)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [("sorrow", "sorrow", 0), ("sorrow", "guilt", 2), ("sorrow", "anger", 4), ("sorrow", "pride", 6)],
)
def test_distance_by_hand(first, second, expected):
    assert hierarchy.tree_distance(first, second) == expected


def test_unknown_leaf_is_refused():
    with pytest.raises(ConfigError, match="unknown label 'hope'"):
        hierarchy.tree_distance("sorrow", "hope")


def confusion(pairs):
    number = {None: metrics.MISSING, **{label: index for index, label in enumerate(LABELS)}}
    truth, predicted = zip(*pairs, strict=True)
    return metrics.confusion_matrix(
        [number[label] for label in truth], [number[label] for label in predicted], n_classes=33
    )


PAIRS = [
    ("sorrow", "sorrow"),
    ("sorrow", "guilt"),
    ("sorrow", "anger"),
    ("pride", "sorrow"),
    ("pride", "pride"),
    ("pride", None),
    ("pride", "relief"),
    ("anger", "anger"),
]


def test_scores_by_hand():
    """Wrong: guilt (2), anger (4), sorrow (6), none (6), relief (2) of eight samples."""
    actual = hierarchy.hierarchy_scores(confusion(PAIRS), LABELS)
    assert (actual.n, actual.n_wrong) == (8, 5)
    assert actual.inside_upper == pytest.approx(2 / 5)
    assert actual.inside_valence == pytest.approx(3 / 5)
    assert actual.mean_distance == pytest.approx(20 / 8)
    assert actual.mean_distance_wrong == pytest.approx(20 / 5)
    assert actual.upper_war == pytest.approx(5 / 8)
    # Upper classes of sadness 2 of 3, of happiness 2 of 4, of anger 1 of 1.
    assert actual.upper_uar == pytest.approx((2 / 3 + 2 / 4 + 1) / 3)
    assert actual.valence_war == pytest.approx(6 / 8)


def test_without_errors_their_shares_are_blank():
    actual = hierarchy.hierarchy_scores(confusion([("sorrow", "sorrow")]), LABELS)
    assert (actual.n_wrong, actual.inside_upper, actual.inside_valence) == (0, None, None)
    assert (actual.mean_distance, actual.mean_distance_wrong) == (0.0, None)


def test_without_samples_all_is_blank():
    actual = hierarchy.hierarchy_scores(np.zeros((33, 34), np.int64), LABELS)
    assert {value for name, value in actual.to_json().items() if name not in ("n", "n_wrong")} == {None}


def test_other_label_sets_have_no_tree():
    assert hierarchy.hierarchy_scores(np.zeros((2, 3), np.int64), ("happiness", "neutral")) is None


def test_capitals_of_leaves_do_not_matter():
    counts = np.array([[2, 1, 0], [0, 3, 1]], np.int64)
    assert hierarchy.hierarchy_scores(counts, ("Wrath", "joy")) == hierarchy.hierarchy_scores(
        counts, ("wrath", "joy")
    )


def test_inside_an_upper_class():
    names, counts = hierarchy.inside_counts(confusion(PAIRS), LABELS, "happiness")
    assert names == [entry.name for entry in leaves() if entry.basic == "happiness"]
    row = dict(zip([*names, "elsewhere", None], counts[names.index("pride")].tolist(), strict=True))
    assert {name: n for name, n in row.items() if n} == {"pride": 1, "relief": 1, "elsewhere": 1, None: 1}


def test_all_upper_classes_together_hold_all_samples():
    generator = np.random.default_rng(0)
    matrix = generator.integers(0, 5, (33, 34))
    parts = [hierarchy.inside_counts(matrix, LABELS, upper)[1] for upper in basics()]
    assert sum(part.sum() for part in parts) == matrix.sum()
