"""Paired tests, against SciPy; paired intervals, against a plain loop."""

import itertools

import numpy as np
import pytest
from scipy.stats import binom, binomtest, permutation_test

from fgbench.errors import DatasetError
from fgbench.evaluation import metrics, paired
from fgbench.evaluation.significance import count_clusters

N_CLASSES = 3


def drawn(n=120, seed=0, shares=(0.7, 0.5)):
    """Truth, and the predictions of two runs that are right for these shares."""
    generator = np.random.default_rng(seed)
    truth = generator.choice(N_CLASSES, size=n, p=[0.5, 0.3, 0.2])
    others = generator.integers(0, N_CLASSES, size=(2, n))
    lucky = generator.random((2, n)) < np.array(shares)[:, None]
    return truth, np.where(lucky[0], truth, others[0]), np.where(lucky[1], truth, others[1])


def counted(truth, predicted, clusters):
    return count_clusters(truth, predicted, clusters=clusters, n_classes=N_CLASSES)


def uar(truth, predicted):
    return metrics.uar(metrics.confusion_matrix(truth, predicted, n_classes=N_CLASSES))


@pytest.mark.parametrize(("one", "other"), [(0, 0), (0, 5), (1, 9), (7, 7), (12, 5), (140, 201), (0, 2000)])
def test_mcnemar_is_the_binomial_test(one, other):
    right_first = np.repeat([True, False, True, False], [one, other, 4, 3])
    right_second = np.repeat([False, True, True, False], [one, other, 4, 3])
    found = paired.mcnemar(right_first, right_second)
    assert (found.only_first, found.only_second) == (one, other)
    n, fewer = one + other, min(one, other)
    assert found.p_exact == pytest.approx(binomtest(fewer, n, 0.5).pvalue if n else 1.0, rel=1e-9)
    mid = 2 * binom.cdf(fewer, n, 0.5) - binom.pmf(fewer, n, 0.5) if n else 1.0
    assert found.p_mid == pytest.approx(mid, rel=1e-9, abs=1e-300)


def test_mcnemar_by_hand():
    """Nine to one of ten: 2 (1 + 10) / 1024; mid-p takes off the chance of exactly one, 10 / 1024."""
    found = paired.mcnemar(np.arange(10) < 9, np.arange(10) >= 9)
    assert found.p_exact == pytest.approx(22 / 1024)
    assert found.p_mid == pytest.approx(12 / 1024)


@pytest.mark.parametrize("metric", ["uar", "war"])
def test_exact_permutation_test_is_scipys(metric):
    truth, first, second = drawn()
    clusters = [f"s{place % 9}" for place in range(truth.size)]
    one, other = counted(truth, first, clusters), counted(truth, second, clusters)
    found = paired.permutation_test(one, other, metric=metric)
    true = one.true.sum(axis=0)
    weights = 1 / true / N_CLASSES if metric == "uar" else np.full(N_CLASSES, 1 / truth.size)
    expected = permutation_test(
        (one.right @ weights, other.right @ weights),
        lambda a, b: a.sum() - b.sum(),
        permutation_type="samples",
        n_resamples=np.inf,
    )
    assert found.is_exact
    assert found.p == pytest.approx(expected.pvalue)
    assert found.statistic == pytest.approx(expected.statistic)
    difference = uar(truth, first) - uar(truth, second)
    assert found.statistic == pytest.approx(
        difference if metric == "uar" else np.mean(first == truth) - np.mean(second == truth)
    )


def test_swapping_whole_clusters_by_hand():
    """All swaps of the predictions themselves of five subjects, scored anew each time."""
    truth, first, second = drawn(40, seed=3)
    place = np.arange(40) % 5
    observed = abs(uar(truth, first) - uar(truth, second))
    extreme = 0
    for swapped in itertools.product([False, True], repeat=5):
        swap = np.array(swapped)[place]
        one, other = np.where(swap, second, first), np.where(swap, first, second)
        extreme += abs(uar(truth, one) - uar(truth, other)) >= observed - 1e-12
    names = [f"s{number}" for number in place]
    found = paired.permutation_test(counted(truth, first, names), counted(truth, second, names))
    assert found.p == pytest.approx(extreme / 32)


def test_drawn_permutations_come_near_scipys():
    truth, first, second = drawn(400, shares=(0.58, 0.5))
    clusters = [f"s{place % 60}" for place in range(400)]
    one, other = counted(truth, first, clusters), counted(truth, second, clusters)
    found = paired.permutation_test(one, other, n_permutations=20_000)
    weights = 1 / one.true.sum(axis=0) / N_CLASSES
    expected = permutation_test(
        (one.right @ weights, other.right @ weights),
        lambda a, b, axis: a.sum(axis=axis) - b.sum(axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=20_000,
        rng=np.random.default_rng(1),
    )
    assert not found.is_exact
    assert 0.005 < expected.pvalue < 0.6
    assert found.p == pytest.approx(expected.pvalue, abs=0.02)
    assert found == paired.permutation_test(one, other, n_permutations=20_000)


def test_equal_runs_do_not_differ():
    truth, first, _ = drawn()
    one = counted(truth, first, [f"s{place % 30}" for place in range(truth.size)])
    found = paired.permutation_test(one, one)
    assert (found.statistic, found.p, found.n_clusters) == (0.0, 1.0, 0)
    difference = paired.paired_bootstrap(one, one, n_resamples=100)
    assert (difference.estimate, difference.low, difference.high) == (0.0, 0.0, 0.0)


def test_a_test_of_a_true_null_is_rarely_significant():
    """Runs that are equally good: p below 0.05 in about one of twenty data sets."""
    low = 0
    for seed in range(300):
        truth, first, second = drawn(60, seed=seed, shares=(0.5, 0.5))
        clusters = [f"s{place % 10}" for place in range(60)]
        test = paired.permutation_test(counted(truth, first, clusters), counted(truth, second, clusters))
        low += test.p <= 0.05
    assert low <= 27  # binomial: more than 27 of 300 has a chance of 0.1 %


def test_classes_are_tested_each():
    truth, first, second = drawn()
    clusters = [f"s{place % 7}" for place in range(truth.size)]
    four = [count_clusters(truth, found, clusters=clusters, n_classes=4) for found in (first, second)]
    tests = paired.class_permutation_tests(*four)
    assert tests[3] is None
    for label in range(3):
        rows = truth == label
        assert tests[label].statistic == pytest.approx(
            np.mean(first[rows] == label) - np.mean(second[rows] == label)
        )
        expected = permutation_test(
            (four[0].right[:, label], four[1].right[:, label]),
            lambda a, b: a.sum() - b.sum(),
            permutation_type="samples",
            n_resamples=np.inf,
        )
        assert tests[label].p == pytest.approx(expected.pvalue)


def test_holm_by_hand():
    """0.01 x 4, 0.02 x 3, 0.03 x 2, and 0.04 x 1, which may not be below the one before it."""
    assert paired.holm([0.04, 0.01, None, 0.03, 0.02]) == pytest.approx([0.06, 0.04, None, 0.06, 0.06])
    assert paired.holm([0.9, 0.8]) == [1.0, 1.0]
    assert paired.holm([None, None]) == [None, None]
    assert paired.holm([]) == []


@pytest.mark.parametrize("metric", ["uar", "war", "macro_f1"])
def test_paired_interval_is_that_of_a_plain_loop(metric):
    truth, first, second = drawn(50)
    clusters = np.array([f"s{place % 6}" for place in range(50)])
    found = paired.paired_bootstrap(
        counted(truth, first, clusters),
        counted(truth, second, clusters),
        metric=metric,
        n_resamples=150,
        seed=4,
    )
    score = getattr(metrics, metric)
    names = np.unique(clusters)
    differences = []
    for chosen in np.random.default_rng(4).integers(6, size=(150, 6)):
        rows = np.concatenate([np.flatnonzero(clusters == names[place]) for place in chosen])
        scores = [
            score(metrics.confusion_matrix(truth[rows], run[rows], n_classes=N_CLASSES))
            for run in (first, second)
        ]
        differences.append(scores[0] - scores[1])
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(differences, [0.025, 0.975])))
    assert found.low <= found.estimate <= found.high


def test_pairing_narrows_and_clusters_widen():
    """Runs that share most errors: the paired interval is narrower than one of independent runs."""
    truth, first, _ = drawn(600)
    second = np.where(np.random.default_rng(9).random(600) < 0.1, (truth + 1) % N_CLASSES, first)
    alone = [f"s{place}" for place in range(600)]
    pair = paired.paired_bootstrap(counted(truth, first, alone), counted(truth, second, alone))
    ends = [
        np.quantile(counted(truth, run, alone).drawn("uar", seed=seed, n_resamples=10_000), [0.025, 0.975])
        for seed, run in enumerate((first, second))
    ]
    independent = np.hypot(*(high - low for low, high in ends))
    assert pair.high - pair.low < 0.8 * independent
    clustered = [f"s{place // 10}" for place in range(600)]
    same = [np.repeat(run[::10], 10) for run in (truth, first, second)]
    narrow = paired.paired_bootstrap(*(counted(same[0], run, alone) for run in same[1:]))
    wide = paired.paired_bootstrap(*(counted(same[0], run, clustered) for run in same[1:]))
    assert wide.high - wide.low > 2.5 * (narrow.high - narrow.low)


def test_bad_arguments_are_refused():
    truth, first, second = drawn(30)
    one = counted(truth, first, ["a", "b", "c"] * 10)
    with pytest.raises(ValueError, match="different clusters or classes"):
        paired.paired_bootstrap(one, counted(truth, second, ["a", "b", "d"] * 10))
    with pytest.raises(ValueError, match="different samples"):
        paired.permutation_test(one, counted(np.roll(truth, 1), second, ["a", "b", "c"] * 10))
    with pytest.raises(ValueError, match="macro_f1"):
        paired.permutation_test(one, one, metric="macro_f1")
    single = counted(truth, first, ["a"] * 30)
    with pytest.raises(DatasetError, match="at least 2"):
        paired.paired_bootstrap(single, single)
    with pytest.raises(ValueError, match="expected the same"):
        paired.mcnemar(np.ones(3, bool), np.ones(4, bool))
