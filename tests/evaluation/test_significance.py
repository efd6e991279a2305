"""Cluster bootstrap, against SciPy's bootstrap and theory."""

import numpy as np
import pytest
from scipy.stats import bootstrap
from sklearn.metrics import balanced_accuracy_score

from fgbench.errors import DatasetError
from fgbench.evaluation import metrics
from fgbench.evaluation.significance import cluster_bootstrap, count_clusters, drawn_together


def drawn(n=400, n_classes=4, seed=0):
    generator = np.random.default_rng(seed)
    truth = generator.choice(n_classes, size=n, p=np.arange(1, n_classes + 1) / 10)
    return truth, np.where(generator.random(n) < 0.6, truth, generator.integers(0, n_classes, n))


def singles(n):
    return [f"s{place}" for place in range(n)]


def test_with_single_samples_war_is_scipys_bootstrap():
    truth, predicted = drawn()
    right = (truth == predicted).astype(float)
    expected = bootstrap(
        (right,), np.mean, method="percentile", n_resamples=10_000, rng=np.random.default_rng(1)
    ).confidence_interval
    found = cluster_bootstrap(truth, predicted, clusters=singles(400), n_classes=4, metric="war")
    assert found.estimate == pytest.approx(right.mean())
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=0.004)


def test_with_single_samples_uar_is_scipys_bootstrap():
    truth, predicted = drawn()

    def score(truth, predicted):
        return metrics.uar(metrics.confusion_matrix(truth, predicted, n_classes=4))

    expected = bootstrap(
        (truth, predicted),
        score,
        paired=True,
        vectorized=False,
        method="percentile",
        n_resamples=4000,
        confidence_level=0.9,
        rng=np.random.default_rng(1),
    ).confidence_interval
    found = cluster_bootstrap(truth, predicted, clusters=singles(400), n_classes=4, level=0.9)
    assert found.estimate == pytest.approx(balanced_accuracy_score(truth, predicted))
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=0.006)


def test_ten_equal_samples_per_cluster_widen_the_interval_by_the_root_of_ten():
    truth, predicted = drawn(100)
    truth, predicted = np.repeat(truth, 10), np.repeat(predicted, 10)
    options = {"n_classes": 4, "metric": "war"}
    narrow = cluster_bootstrap(truth, predicted, clusters=singles(1000), **options)
    wide = cluster_bootstrap(
        truth, predicted, clusters=[f"c{place // 10}" for place in range(1000)], **options
    )
    ratio = (wide.high - wide.low) / (narrow.high - narrow.low)
    assert ratio == pytest.approx(10**0.5, rel=0.08)
    assert (wide.n_clusters, narrow.n_clusters) == (100, 1000)


@pytest.mark.parametrize("metric", ["uar", "war", "macro_f1"])
def test_draws_are_those_of_a_plain_loop(metric):
    truth, predicted = drawn(40)
    predicted[7] = metrics.MISSING
    clusters = np.array([f"c{place % 5}" for place in range(40)])
    found = cluster_bootstrap(
        truth, predicted, clusters=list(clusters), n_classes=4, n_resamples=200, seed=3, metric=metric
    )
    score = getattr(metrics, metric)
    assert found.estimate == pytest.approx(score(metrics.confusion_matrix(truth, predicted, n_classes=4)))
    names = np.unique(clusters)
    scores = []
    for chosen in np.random.default_rng(3).integers(5, size=(200, 5)):
        rows = np.concatenate([np.flatnonzero(clusters == names[place]) for place in chosen])
        scores.append(score(metrics.confusion_matrix(truth[rows], predicted[rows], n_classes=4)))
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(scores, [0.025, 0.975])))


def test_missing_predictions_are_wrong_and_the_order_of_samples_does_not_matter():
    truth, predicted = drawn(60)
    predicted[:20] = metrics.MISSING
    clusters = [f"c{place % 9}" for place in range(60)]
    found = cluster_bootstrap(truth, predicted, clusters=clusters, n_classes=4)
    assert found.estimate == pytest.approx(
        np.mean([np.mean(predicted[truth == place] == place) for place in range(4)])
    )
    order = np.random.default_rng(0).permutation(60)
    again = cluster_bootstrap(
        truth[order], predicted[order], clusters=[clusters[place] for place in order], n_classes=4
    )
    assert (again.low, again.high) == pytest.approx((found.low, found.high))


def test_bad_arguments_are_refused():
    truth, predicted = drawn(10)
    with pytest.raises(DatasetError, match="1 clusters, expected at least 2"):
        cluster_bootstrap(truth, predicted, clusters=["a"] * 10, n_classes=4)
    with pytest.raises(ValueError, match="9 clusters of 10 samples"):
        cluster_bootstrap(truth, predicted, clusters=singles(9), n_classes=4)
    with pytest.raises(ValueError, match=r"level 95"):
        cluster_bootstrap(truth, predicted, clusters=singles(10), n_classes=4, level=95)


@pytest.mark.parametrize("metric", ["uar", "war", "macro_f1"])
def test_runs_that_are_drawn_together_are_drawn_as_each_alone(metric):
    generator = np.random.default_rng(3)
    truth, clusters = generator.integers(0, 4, 60), [f"s{place % 7}" for place in range(60)]
    runs = [
        count_clusters(true, generator.integers(-1, 4, 60), clusters=clusters, n_classes=4)
        for true in (truth, truth, generator.permutation(truth))
    ]
    together = drawn_together(runs, metric, seed=5, n_resamples=300)
    for run, scores in zip(runs, together, strict=True):
        np.testing.assert_array_equal(scores, run.drawn(metric, seed=5, n_resamples=300))
    fewer = count_clusters([0, 1], [0, 1], clusters=["a", "b"], n_classes=4)
    with pytest.raises(ValueError, match="numbers of clusters"):
        drawn_together([runs[0], fewer], metric, seed=5, n_resamples=3)
