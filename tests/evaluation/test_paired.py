"""Paired tests, against SciPy; paired intervals, against a plain loop."""

import itertools

import numpy as np
import pytest
from scipy.stats import binomtest, permutation_test
from scipy.stats import t as students_t

from fgbench.errors import DatasetError
from fgbench.evaluation import metrics, paired, permutation
from fgbench.evaluation.cluster_counts import count_clusters
from fgbench.evaluation.significance import seeds_interval

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


@pytest.mark.parametrize(("one", "other"), [(0, 0), (0, 5), (1, 9), (7, 7), (12, 4)])
def test_mcnemar_of_single_samples_is_the_binomial_test(one, other):
    right_first = np.repeat([True, False, True, False], [one, other, 4, 3])
    right_second = np.repeat([False, True, True, False], [one, other, 4, 3])
    clusters = [f"s{index}" for index in range(right_first.size)]
    actual = paired.mcnemar(right_first, right_second, clusters=clusters)
    assert (actual.only_first, actual.only_second, actual.is_exact) == (one, other, True)
    expected = binomtest(min(one, other), one + other, 0.5).pvalue if one + other else 1.0
    assert actual.p == pytest.approx(expected, rel=1e-9)


def test_mcnemar_of_clusters_is_scipys_permutation_test():
    truth, first, second = drawn(90)
    position = np.arange(90) % 9
    right = [run == truth for run in (first, second)]
    actual = paired.mcnemar(*right, clusters=[f"s{number}" for number in position])
    sums = [np.bincount(position, weights=run) for run in right]
    expected = permutation_test(
        sums, lambda a, b: a.sum() - b.sum(), permutation_type="samples", n_resamples=np.inf
    )
    assert actual.p == pytest.approx(expected.pvalue)
    assert actual.only_first - actual.only_second == sum(right[0]) - sum(right[1])


@pytest.mark.slow
def test_mcnemar_of_equal_samples_in_clusters_is_rarely_significant():
    """Equally good runs, ten images alike per clip and four clips per subject: the binomial test rejects in
    more than a third of such data sets."""
    generator, low, independent = np.random.default_rng(2), 0, 0
    subject = np.repeat(np.arange(20), 40)
    for _ in range(200):
        score = generator.normal(size=(2, 20))[:, subject] + np.repeat(
            generator.normal(size=(2, 80)), 10, axis=1
        )
        first, second = generator.random((2, 800)) < 1 / (1 + np.exp(-score))
        actual = paired.mcnemar(first, second, clusters=[f"s{n}" for n in subject], n_permutations=999)
        low += actual.p <= 0.05
        n = actual.only_first + actual.only_second
        independent += binomtest(actual.only_first, n, 0.5).pvalue <= 0.05
    assert independent > 0.3 * 200
    assert low <= 20  # binomial: more than 20 of 200 has a chance of 0.1 %


@pytest.mark.parametrize("metric", ["uar", "war"])
def test_exact_permutation_test_is_scipys(metric):
    truth, first, second = drawn()
    clusters = [f"s{index % 9}" for index in range(truth.size)]
    one, other = counted(truth, first, clusters), counted(truth, second, clusters)
    actual = permutation.permutation_test(one, other, metric=metric)
    true = one.true.sum(axis=0)
    weights = 1 / true / N_CLASSES if metric == "uar" else np.full(N_CLASSES, 1 / truth.size)
    expected = permutation_test(
        (one.right @ weights, other.right @ weights),
        lambda a, b: a.sum() - b.sum(),
        permutation_type="samples",
        n_resamples=np.inf,
    )
    assert actual.is_exact
    assert actual.p == pytest.approx(expected.pvalue)
    assert actual.statistic == pytest.approx(expected.statistic)
    difference = uar(truth, first) - uar(truth, second)
    assert actual.statistic == pytest.approx(
        difference if metric == "uar" else np.mean(first == truth) - np.mean(second == truth)
    )


def test_swapping_whole_clusters_by_hand():
    """All swaps of the predictions themselves of five subjects, scored anew each time."""
    truth, first, second = drawn(40, seed=3)
    position = np.arange(40) % 5
    observed = abs(uar(truth, first) - uar(truth, second))
    extreme = 0
    for swapped in itertools.product([False, True], repeat=5):
        swap = np.array(swapped)[position]
        one, other = np.where(swap, second, first), np.where(swap, first, second)
        extreme += abs(uar(truth, one) - uar(truth, other)) >= observed - 1e-12
    names = [f"s{number}" for number in position]
    actual = permutation.permutation_test(counted(truth, first, names), counted(truth, second, names))
    assert actual.p == pytest.approx(extreme / 32)


@pytest.mark.slow
def test_drawn_permutations_come_near_scipys():
    truth, first, second = drawn(400, shares=(0.58, 0.5))
    clusters = [f"s{index % 60}" for index in range(400)]
    one, other = counted(truth, first, clusters), counted(truth, second, clusters)
    actual = permutation.permutation_test(one, other, n_permutations=20_000)
    weights = 1 / one.true.sum(axis=0) / N_CLASSES
    expected = permutation_test(
        (one.right @ weights, other.right @ weights),
        lambda a, b, axis: a.sum(axis=axis) - b.sum(axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=20_000,
        rng=np.random.default_rng(1),
    )
    assert not actual.is_exact
    assert 0.005 < expected.pvalue < 0.6
    assert actual.p == pytest.approx(expected.pvalue, abs=0.02)
    assert actual == permutation.permutation_test(one, other, n_permutations=20_000)


def test_equal_runs_do_not_differ():
    truth, first, _ = drawn()
    one = counted(truth, first, [f"s{index % 30}" for index in range(truth.size)])
    actual = permutation.permutation_test(one, one)
    assert (actual.statistic, actual.p, actual.n_clusters) == (0.0, 1.0, 0)
    difference = paired.paired_interval([one], [one])
    reach = 1 - 0.05 ** (1 / 30)  # as many of other persons may be taken differently
    assert (difference.estimate, difference.p) == (0.0, 1.0)
    assert (difference.low, difference.high) == pytest.approx((-reach, reach))


def test_two_persons_with_one_difference_are_no_proof():
    """Equal differences have no spread, which said p = 0 of methods with several seeds."""
    truth, subjects = np.array([0, 1, 2] * 2), ["a"] * 3 + ["b"] * 3
    one, other = counted(truth, truth, subjects), counted(truth, np.zeros(6, int), subjects)
    actual = paired.paired_interval([one, one], [other, other])
    assert actual.estimate == pytest.approx(2 / 3)
    assert actual.p == pytest.approx((1 + 2 / 3) ** -2)
    assert actual.low < 0 < actual.high < 1
    assert paired.method_test([one, one], [other, other]).p == actual.p


def test_a_test_of_a_true_null_is_rarely_significant():
    """Runs that are equally good: p below 0.05 in about one of twenty data sets."""
    low = 0
    for seed in range(300):
        truth, first, second = drawn(60, seed=seed, shares=(0.5, 0.5))
        clusters = [f"s{index % 10}" for index in range(60)]
        test = permutation.permutation_test(counted(truth, first, clusters), counted(truth, second, clusters))
        low += test.p <= 0.05
    assert low <= 27  # binomial: more than 27 of 300 has a chance of 0.1 %


def test_classes_are_tested_each():
    truth, first, second = drawn()
    clusters = [f"s{index % 7}" for index in range(truth.size)]
    four = [count_clusters(truth, actual, clusters=clusters, n_classes=4) for actual in (first, second)]
    tests = permutation.class_permutation_tests(*four)
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
    assert permutation.holm([0.04, 0.01, None, 0.03, 0.02]) == pytest.approx([0.06, 0.04, None, 0.06, 0.06])
    assert permutation.holm([0.9, 0.8]) == [1.0, 1.0]
    assert permutation.holm([None, None]) == [None, None]
    assert permutation.holm([]) == []


@pytest.mark.parametrize("metric", ["uar", "war", "macro_f1"])
def test_paired_interval_is_that_of_a_plain_loop(metric):
    truth, *_ = drawn(50)
    methods = [
        [drawn(50, seed=seed)[side] for seed in seeds] for side, seeds in ((1, (0, 1, 2)), (2, (3, 4)))
    ]
    clusters = np.array([f"s{index % 6}" for index in range(50)])

    def score(rows, seeds):
        matrices = [metrics.confusion_matrix(truth[rows], run[rows], n_classes=N_CLASSES) for run in seeds]
        return np.array([getattr(metrics, metric)(matrix) for matrix in matrices])

    whole = [score(np.ones(50, bool), seeds) for seeds in methods]
    left_out = np.array(
        [
            score(clusters != name, methods[0]).mean() - score(clusters != name, methods[1]).mean()
            for name in np.unique(clusters)
        ]
    )
    parts = np.array(
        [5 / 6 * np.sum((left_out - left_out.mean()) ** 2)]
        + [np.var(scores, ddof=1) / scores.size for scores in whole]
    )
    freedom = min(5, parts.sum() ** 2 / np.sum(parts**2 / [5, 2, 1]))
    error = np.sqrt(parts.sum())
    actual = paired.paired_interval(
        *([counted(truth, run, clusters) for run in seeds] for seeds in methods), metric=metric
    )
    estimate = whole[0].mean() - whole[1].mean()
    reach = students_t.ppf(0.975, freedom) * error
    assert actual.estimate == pytest.approx(estimate)
    assert (actual.low, actual.high) == pytest.approx((max(-1, estimate - reach), min(1, estimate + reach)))
    assert actual.p == pytest.approx(2 * students_t.sf(abs(estimate) / error, freedom))
    assert (actual.n_clusters, actual.n_seeds) == (6, (3, 2))


def test_pairing_narrows_and_clusters_widen():
    """Runs that share most errors: the paired interval is narrower than one of independent runs."""
    truth, first, _ = drawn(600)
    second = np.where(np.random.default_rng(9).random(600) < 0.1, (truth + 1) % N_CLASSES, first)
    alone = [f"s{index}" for index in range(600)]
    pair = paired.paired_interval([counted(truth, first, alone)], [counted(truth, second, alone)])
    ends = [seeds_interval([counted(truth, run, alone)], metric="uar") for run in (first, second)]
    independent = np.hypot(*(one.high - one.low for one in ends))
    assert pair.high - pair.low < 0.8 * independent
    clustered = [f"s{index // 10}" for index in range(600)]
    same = [np.repeat(run[::10], 10) for run in (truth, first, second)]
    narrow, wide = (
        paired.paired_interval(*([counted(same[0], run, names)] for run in same[1:]))
        for names in (alone, clustered)
    )
    assert wide.high - wide.low > 2.5 * (narrow.high - narrow.low)


@pytest.mark.slow
def test_one_method_against_itself_with_other_seeds_is_rarely_told_apart():
    """Networks differ by their seeds more than samples tell: two methods of three seeds each are equal."""
    generator, single, several = np.random.default_rng(4), 0, 0
    clusters = [f"s{index % 20}" for index in range(600)]
    truth = np.arange(600) % N_CLASSES
    for _ in range(60):
        seeds = []
        for level in generator.normal(0, 0.5, 6):
            right = generator.random(600) < 1 / (1 + np.exp(-level))
            seeds.append(counted(truth, np.where(right, truth, (truth + 1) % N_CLASSES), clusters))
        single += paired.method_test(seeds[:1], seeds[3:4]).p <= 0.05
        test = paired.method_test(seeds[:3], seeds[3:])
        several += test.p <= 0.05
        assert test.is_over_seeds
        assert test.p == paired.paired_interval(seeds[:3], seeds[3:]).p
    assert single > 30  # with the networks held fixed, most are told apart
    assert several <= 9  # binomial: more than 9 of 60 has a chance of 0.1 %


def test_two_single_runs_have_the_permutation_test():
    truth, first, second = drawn()
    one, other = (counted(truth, run, [f"s{index % 9}" for index in range(120)]) for run in (first, second))
    test = paired.method_test([one], [other])
    assert (test.p, test.is_over_seeds) == (test.permutation.p, False)
    assert test.permutation == permutation.permutation_test(one, other)


def test_bad_arguments_are_refused():
    truth, first, second = drawn(30)
    one = counted(truth, first, ["a", "b", "c"] * 10)
    with pytest.raises(ValueError, match="different clusters or classes"):
        paired.paired_interval([one], [counted(truth, second, ["a", "b", "d"] * 10)])
    with pytest.raises(ValueError, match="different samples"):
        permutation.permutation_test(one, counted(np.roll(truth, 1), second, ["a", "b", "c"] * 10))
    with pytest.raises(ValueError, match="macro_f1"):
        permutation.permutation_test(one, one, metric="macro_f1")
    single = counted(truth, first, ["a"] * 30)
    with pytest.raises(DatasetError, match="at least 2"):
        paired.paired_interval([single], [single])
    with pytest.raises(ValueError, match="expected the same"):
        paired.mcnemar(np.ones(3, bool), np.ones(4, bool), clusters=["a"] * 3)
