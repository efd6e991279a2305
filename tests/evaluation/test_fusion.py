"""Fusion of two streams: hand-worked numbers, the ends of the sweep, the choice of a weight."""

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score

from fgbench.errors import ConfigError
from fgbench.evaluation import fusion, metrics

SPATIAL = np.array([[0.75, 0.25], [0.25, 0.75], [0.5, 0.5], [0.875, 0.125]], np.float32)
TEMPORAL = np.array([[0.25, 0.75], [0.25, 0.75], [1.0, 0.0], [0.0, 1.0]], np.float32)
TRUTH = [0, 1, 0, 1]
IDS = ["a", "b", "c", "d"]


def draw(n=200, n_classes=5, seed=0):
    generator = np.random.default_rng(seed)
    streams = [generator.dirichlet(np.ones(n_classes), n).astype(np.float32) for _ in range(2)]
    return *streams, generator.integers(0, n_classes, n)


def swept(spatial=SPATIAL, temporal=TEMPORAL, *, truth=TRUTH, ids=IDS, part="val", **other):
    return fusion.sweep(spatial, temporal, truth=truth, sample_ids=ids, part=part, **other)


def test_fused_scores_by_hand():
    actual = fusion.fuse(SPATIAL, TEMPORAL, 0.5)
    np.testing.assert_array_equal(actual, [[0.5, 0.5], [0.25, 0.75], [0.75, 0.25], [0.4375, 0.5625]])
    assert actual.dtype == np.float32
    np.testing.assert_allclose(fusion.fuse(SPATIAL, TEMPORAL, 0.25)[0], [0.375, 0.625])


def test_the_ends_are_the_streams_alone():
    spatial, temporal, truth = draw()
    np.testing.assert_array_equal(fusion.fuse(spatial, temporal, 1.0), spatial)
    np.testing.assert_array_equal(fusion.fuse(spatial, temporal, 0.0), temporal)
    actual = swept(spatial, temporal, truth=truth, ids=[str(n) for n in range(200)])
    for position, stream in ((0, temporal), (-1, spatial)):
        alone = metrics.confusion_matrix(truth, stream.argmax(axis=1), n_classes=5)
        np.testing.assert_array_equal(actual.confusions[position], alone)
        assert actual.uars[position] == pytest.approx(balanced_accuracy_score(truth, stream.argmax(axis=1)))


def test_accuracies_of_a_sweep_are_those_of_scikit_learn():
    spatial, temporal, truth = draw(seed=1)
    actual = swept(spatial, temporal, truth=truth, ids=[str(n) for n in range(200)])
    assert actual.weights == (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
    for weight, uar in zip(actual.weights, actual.uars, strict=True):
        mixed = weight * spatial.astype(float) + (1 - weight) * temporal.astype(float)
        assert uar == pytest.approx(balanced_accuracy_score(truth, mixed.argmax(axis=1)))
    assert len(set(actual.uars)) > 3


def test_sweep_by_hand():
    actual = swept(weights=[0.0, 0.5, 1.0])
    # 0: a wrong, b right, c right, d right; 0.5: a right (tie: first), others right; 1: d wrong.
    assert actual.uars == [0.75, 1.0, 0.75]
    assert actual.part == "val"
    assert actual.sample_ids == frozenset(IDS)


def test_samples_without_a_prediction_count_as_wrong():
    spatial, temporal = SPATIAL.copy(), TEMPORAL.copy()
    spatial[1], temporal[2] = np.nan, np.nan
    actual = swept(spatial, temporal, weights=[0.0, 0.5, 1.0])
    # b has no spatial, c no temporal scores: each is missing wherever that stream has a weight.
    assert actual.confusions[:, :, 2].sum(axis=1).tolist() == [1, 2, 1]
    assert actual.confusions.sum(axis=(1, 2)).tolist() == [4, 4, 4]
    assert actual.uars == [0.5, 0.5, 0.5]
    np.testing.assert_array_equal(fusion.fuse(spatial, temporal, 1.0), spatial)


def test_no_samples_have_no_accuracy():
    empty = np.empty((0, 2), np.float32)
    actual = swept(empty, empty, truth=np.empty(0, np.int64), ids=[])
    assert actual.uars == [None] * 11
    assert fusion.best_weight([actual], test=[]) is None


def of_uars(uars, *, part="val", ids=("a",)):
    """A sweep over one class and 100 samples with given percentages."""
    confusions = np.array([[[percent, 0, 100 - percent], [0, 0, 0]] for percent in uars], np.int64)
    weights = fusion.WEIGHTS[: len(uars)]
    return fusion.Sweep(part=part, sample_ids=frozenset(ids), weights=weights, confusions=confusions)


@pytest.mark.parametrize(
    ("uars", "expected"),
    [
        ([0, 10, 20, 30, 40, 50, 60, 70, 60, 50, 40], 0.7),
        ([50] * 11, 0.5),
        ([0, 0, 0, 60, 0, 0, 0, 60, 0, 0, 0], 0.3),  # as near: the smaller
        ([60, 0, 0, 0, 0, 0, 0, 60, 0, 0, 60], 0.7),  # the nearer
        ([10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 0.0),
    ],
)
def test_best_weight(uars, expected):
    assert fusion.best_weight([of_uars(uars)], test=["t"]) == expected


def test_best_weight_is_that_of_the_mean_over_seeds():
    first = of_uars([0, 0, 0, 90, 0, 0, 0, 80, 0, 0, 0])
    second = of_uars([0, 0, 0, 10, 0, 0, 0, 30, 0, 0, 0])
    assert fusion.best_weight([first], test=[]) == 0.3
    assert fusion.best_weight([first, second], test=[]) == 0.7


def test_test_samples_may_not_choose():
    with pytest.raises(ConfigError, match="chosen on part 'test', expected validation samples only"):
        fusion.best_weight([of_uars([1], part="test")], test=[])
    with pytest.raises(ConfigError, match="chosen on 1 test samples"):
        fusion.best_weight([of_uars([1], ids=["a", "b"])], test=["b", "c"])


def test_sweeps_of_folds_are_joined():
    actual = fusion.joined([of_uars([10, 90]), of_uars([30, 10], ids=["b"])])
    assert actual.uars == pytest.approx([0.2, 0.5])
    assert actual.sample_ids == {"a", "b"}
    with pytest.raises(ValueError, match="different parts or weights"):
        fusion.joined([of_uars([10]), of_uars([10], part="test")])
    with pytest.raises(ValueError, match="different weights"):
        fusion.best_weight([of_uars([10]), of_uars([10, 20])], test=[])


def test_wrong_arguments_are_refused():
    with pytest.raises(ValueError, match=r"shapes \(4, 2\) and \(3, 2\)"):
        fusion.fuse(SPATIAL, TEMPORAL[:3], 0.5)
    for weight in (-0.1, 1.1, float("nan")):
        with pytest.raises(ValueError, match="expected 0 to 1"):
            fusion.fuse(SPATIAL, TEMPORAL, weight)
    with pytest.raises(ValueError, match="none twice"):
        swept(ids=["a", "a", "b", "c"])
    with pytest.raises(ValueError, match="expected as many"):
        swept(truth=[0, 1])
