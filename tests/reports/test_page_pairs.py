"""Which pairs of runs the page compares, and that they are what the tests of a single pair give."""

import math

import numpy as np
import pytest

from fgbench.evaluation.paired import paired_interval
from fgbench.evaluation.permutation import permutation_test
from fgbench.reports.page.build import build_page
from fgbench.reports.page.finished_runs import find_runs
from fgbench.reports.page.pairs import ALL_UP_TO, BEST, chosen_pairs
from fgbench.reports.page.sample_counts import count_runs
from tests.support.page_reading import blocks
from tests.support.report_folders import samples, write_fake_run, write_manifests


def chosen(n, *, seeds=5):
    generator = np.random.default_rng(n)
    return chosen_pairs(generator.random(n).tolist(), [0] * n, [f"e{index // seeds}" for index in range(n)])


def test_few_runs_are_compared_in_all_pairs():
    assert len(chosen(ALL_UP_TO)) == ALL_UP_TO * (ALL_UP_TO - 1) // 2


def test_the_number_of_pairs_grows_as_that_of_runs():
    numbers = {n: len(chosen(n)) for n in (100, 200, 400, 4000)}
    for n, pairs in numbers.items():
        assert n - 1 <= pairs <= (BEST + 1) * n


def test_each_run_is_compared_with_the_best_and_with_the_next_of_its_experiment():
    scores = [0.1] * 40
    scores[7], scores[20], scores[33], scores[3] = 0.9, 0.8, 0.7, math.nan
    pairs = set(chosen_pairs(scores, [0] * 40, [f"e{index // 4}" for index in range(40)]))
    for best in (7, 20, 33):
        assert {(min(best, other), max(best, other)) for other in range(40) if other != best} <= pairs
    assert (4, 5) in pairs
    assert (5, 6) in pairs
    assert (4, 6) not in pairs
    assert (0, 39) not in pairs


def test_runs_on_other_samples_are_not_compared():
    n = 2 * ALL_UP_TO
    pairs = chosen_pairs([0.5] * n, [index % 2 for index in range(n)], ["e"] * n)
    assert pairs
    assert all(first % 2 == second % 2 for first, second in pairs)


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    folder = tmp_path_factory.mktemp("many") / "work"
    write_manifests(folder, samples())
    for seed in range(ALL_UP_TO + 3):
        write_fake_run(folder, f"e{seed // 5}", method=None, seed=seed % 5, share=0.3 + 0.02 * seed)
    return folder


@pytest.mark.slow
def test_pairs_of_many_runs_are_those_of_single_tests(work):
    runs = find_runs(work, dataset="mine", synthetic=True)
    predictions = [run.predictions for run in runs.runs]
    counted = count_runs(predictions, [0] * len(predictions))
    pairs = blocks(build_page(work))["pairs"]
    assert len(pairs) < len(predictions) * (len(predictions) - 1) // 2
    for pair in pairs[::5]:
        one, other = counted[pair["first"]].counts, counted[pair["second"]].counts
        single = paired_interval([one], [other])
        expected = (single.low, single.high, single.estimate, permutation_test(one, other).p)
        reported = (pair["low"], pair["high"], pair["difference"], pair["p_permutation"])
        assert reported == pytest.approx(expected, abs=1e-6)  # the page holds six digits


@pytest.mark.slow
def test_the_page_says_which_pairs_it_compares(work):
    page = build_page(work)
    assert blocks(page)["overview"]["compared_with"] == BEST
    assert "fgbench compare ${a.key} ${b.key}" in page
