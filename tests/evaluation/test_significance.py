"""Intervals from clusters and seeds, against plain loops, SciPy's t and theory."""

import numpy as np
import pytest
from scipy.stats import t as students_t
from scipy.stats import ttest_1samp
from sklearn.metrics import balanced_accuracy_score

from fgbench.errors import DatasetError
from fgbench.evaluation import metrics
from fgbench.evaluation.cluster_counts import count_clusters, mean_counts
from fgbench.evaluation.significance import cluster_interval, seeds_interval


def drawn(n=400, n_classes=4, seed=0):
    generator = np.random.default_rng(seed)
    truth = generator.choice(n_classes, size=n, p=np.arange(1, n_classes + 1) / 10)
    return truth, np.where(generator.random(n) < 0.6, truth, generator.integers(0, n_classes, n))


def singles(n):
    return [f"s{index}" for index in range(n)]


def test_with_single_samples_war_has_the_t_interval_of_a_mean():
    truth, predicted = drawn()
    right = (truth == predicted).astype(float)
    expected = ttest_1samp(right, 0).confidence_interval(0.95)
    actual = cluster_interval(truth, predicted, clusters=singles(400), n_classes=4, metric="war")
    assert actual.estimate == pytest.approx(right.mean())
    assert (actual.low, actual.high) == pytest.approx((expected.low, expected.high))


def test_with_single_samples_uar_has_the_error_of_independent_recalls():
    truth, predicted = drawn(4000)
    shares = [np.mean(predicted[truth == index] == index) for index in range(4)]
    counts = [np.sum(truth == index) for index in range(4)]
    error = np.sqrt(sum(p * (1 - p) / n for p, n in zip(shares, counts, strict=True))) / 4
    actual = cluster_interval(truth, predicted, clusters=singles(4000), n_classes=4, level=0.9)
    assert actual.estimate == pytest.approx(balanced_accuracy_score(truth, predicted))
    reach = students_t.ppf(0.95, 3999) * error
    assert (actual.low, actual.high) == pytest.approx(
        (actual.estimate - reach, actual.estimate + reach), abs=2e-4
    )


def test_ten_equal_samples_per_cluster_widen_the_interval_by_the_root_of_ten():
    truth, predicted = drawn(100)
    truth, predicted = np.repeat(truth, 10), np.repeat(predicted, 10)
    options = {"n_classes": 4, "metric": "war"}
    narrow = cluster_interval(truth, predicted, clusters=singles(1000), **options)
    wide = cluster_interval(
        truth, predicted, clusters=[f"c{index // 10}" for index in range(1000)], **options
    )
    ratio = (wide.high - wide.low) / (narrow.high - narrow.low)
    assert ratio == pytest.approx(10**0.5, rel=0.02)
    assert (wide.n_clusters, narrow.n_clusters) == (100, 1000)


@pytest.mark.parametrize("metric", ["uar", "war", "macro_f1"])
def test_intervals_are_those_of_a_plain_loop_over_clusters_and_seeds(metric):
    truth, _ = drawn(40)
    runs = [drawn(40, seed=seed)[1] for seed in (1, 2, 3)]
    runs[0][7] = metrics.MISSING
    clusters = np.array([f"c{index % 5}" for index in range(40)])
    clusters[truth == 0] = "c0"  # without c0, a class is absent

    def score(rows, run):
        return getattr(metrics, metric)(metrics.confusion_matrix(truth[rows], run[rows], n_classes=4))

    everything = np.ones(40, bool)
    scores = [score(everything, run) for run in runs]
    left_out = [np.mean([score(clusters != name, run) for run in runs]) for name in np.unique(clusters)]
    parts = [4 / 5 * np.sum((left_out - np.mean(left_out)) ** 2), np.var(scores, ddof=1) / 3]
    freedom = min(4, sum(parts) ** 2 / (parts[0] ** 2 / 4 + parts[1] ** 2 / 2))
    reach = students_t.ppf(0.95, freedom) * np.sqrt(sum(parts))
    seeds = [count_clusters(truth, run, clusters=list(clusters), n_classes=4) for run in runs]
    actual = seeds_interval(seeds, metric=metric, level=0.9)
    assert actual.estimate == pytest.approx(np.mean(scores))
    expected = (max(0, np.mean(scores) - reach), min(1, np.mean(scores) + reach))
    assert (actual.low, actual.high) == pytest.approx(expected)
    assert (actual.n_clusters, actual.n_seeds) == (5, 3)
    single = seeds_interval(seeds[:1], metric=metric)
    one = [score(clusters != name, runs[0]) for name in np.unique(clusters)]
    reach = students_t.ppf(0.975, 4) * np.sqrt(4 / 5 * np.sum((one - np.mean(one)) ** 2))
    assert (single.low, single.high) == pytest.approx((max(0, scores[0] - reach), min(1, scores[0] + reach)))


def test_seeds_that_differ_widen_the_interval():
    truth, predicted = drawn(400)
    worse = np.where(np.arange(400) % 3 == 0, (truth + 1) % 4, predicted)
    clusters = [f"s{index % 20}" for index in range(400)]
    good, bad = (count_clusters(truth, run, clusters=clusters, n_classes=4) for run in (predicted, worse))
    same, apart = (seeds_interval(seeds, metric="uar") for seeds in ([good, good], [good, bad]))
    assert apart.high - apart.low > 3 * (same.high - same.low)
    fixed = seeds_interval([mean_counts([good, bad])], metric="uar")
    assert fixed.estimate == pytest.approx(apart.estimate)
    assert apart.high - apart.low > 3 * (fixed.high - fixed.low)


@pytest.mark.slow
def test_intervals_of_eight_subjects_cover():
    """300 data sets of 33 classes, four of them per subject, who and whose clips differ in difficulty."""
    generator, covered = np.random.default_rng(0), 0
    subject = np.repeat(np.arange(8), 12)
    classes = np.repeat(np.arange(32), 3)
    nodes, weights = np.polynomial.hermite_e.hermegauss(40)
    base = np.linspace(-2.0, 0.8, 32)[np.random.default_rng(5).permutation(32)]
    easy = 1 / (1 + np.exp(-(base[:, None] + np.hypot(0.8, 1.5) * nodes)))
    true = float((easy @ weights / weights.sum()).mean())
    for _ in range(300):
        effect = generator.normal(0, 0.8, 8)[subject] + generator.normal(0, 1.5, 96)
        right = generator.binomial(8, 1 / (1 + np.exp(-(base[classes] + effect))))
        hit = (np.arange(8)[None] < right[:, None]).ravel()
        truth = np.repeat(classes, 8)
        predicted = np.where(hit, truth, metrics.MISSING)
        clusters = [f"s{number}" for number in np.repeat(subject, 8)]
        actual = cluster_interval(truth, predicted, clusters=clusters, n_classes=33)
        covered += actual.low <= true <= actual.high
    assert covered >= 0.92 * 300  # percentiles of bootstrap draws: 0.83


@pytest.mark.parametrize(("right", "low", "high"), [(1.0, 0.05**0.1, 1.0), (0.0, 0.0, 1 - 0.05**0.1)])
def test_clusters_that_all_say_the_same_are_no_certainty(right, low, high):
    """Ten subjects without an error: up to the share p with (1 - p)^10 = 0.05 of all may have some."""
    truth = np.tile(np.arange(3), 10)
    predicted = truth if right else (truth + 1) % 3
    subjects = [f"s{index // 3}" for index in range(30)]
    actual = cluster_interval(truth, predicted, clusters=subjects, n_classes=3)
    assert (actual.estimate, actual.low, actual.high) == pytest.approx((right, low, high))


def test_intervals_of_nearly_perfect_methods_cover():
    """UAR 0.97 of 7 classes, 10 subjects with accuracies of their own: a tenth of the sets has no error."""
    generator = np.random.default_rng(5)
    truth, subjects = np.tile(np.arange(7), 10), [f"s{index // 7}" for index in range(70)]
    true, n_covered, n_perfect = 1 - 0.25 * 0.12, 0, 0
    for _ in range(200):
        errors = np.repeat(generator.choice([0.12, 0.0], p=[0.25, 0.75], size=10), 7)
        predicted = np.where(generator.random(70) < errors, (truth + 1) % 7, truth)
        actual = cluster_interval(truth, predicted, clusters=subjects, n_classes=7)
        n_covered += actual.low <= true <= actual.high
        n_perfect += actual.estimate == 1
    assert n_perfect > 10
    assert n_covered / 200 >= 0.92


def test_missing_predictions_are_wrong_and_the_order_of_samples_does_not_matter():
    truth, predicted = drawn(60)
    predicted[:20] = metrics.MISSING
    clusters = [f"c{index % 9}" for index in range(60)]
    actual = cluster_interval(truth, predicted, clusters=clusters, n_classes=4)
    assert actual.estimate == pytest.approx(
        np.mean([np.mean(predicted[truth == index] == index) for index in range(4)])
    )
    order = np.random.default_rng(0).permutation(60)
    again = cluster_interval(
        truth[order], predicted[order], clusters=[clusters[index] for index in order], n_classes=4
    )
    assert (again.low, again.high) == pytest.approx((actual.low, actual.high))


def test_clusters_without_samples_may_be_counted():
    clusters = count_clusters([0, 1], [0, 0], clusters=["b", "d"], n_classes=2, names=["d", "a", "b"])
    assert clusters.names == ("a", "b", "d")
    assert clusters.true.tolist() == [[0, 0], [1, 0], [0, 1]]
    assert clusters.right.tolist() == [[0, 0], [1, 0], [0, 0]]


def test_bad_arguments_are_refused():
    truth, predicted = drawn(10)
    with pytest.raises(DatasetError, match="1 clusters, expected at least 2"):
        cluster_interval(truth, predicted, clusters=["a"] * 10, n_classes=4)
    with pytest.raises(ValueError, match="9 clusters of 10 samples"):
        cluster_interval(truth, predicted, clusters=singles(9), n_classes=4)
    with pytest.raises(ValueError, match=r"level 95"):
        cluster_interval(truth, predicted, clusters=singles(10), n_classes=4, level=95)
    with pytest.raises(ValueError, match="'s9' is not among the 2 names"):
        count_clusters([0], [0], clusters=["s9"], n_classes=4, names=["a", "b"])
    one, other = (count_clusters([0, 1], [0, 1], clusters=[*names], n_classes=2) for names in ("ab", "ac"))
    with pytest.raises(ValueError, match="different clusters"):
        seeds_interval([one, other], metric="uar")
