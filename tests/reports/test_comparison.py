"""Runs found by name, compared and ranked; numbers against counts by hand; what is refused."""

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import permutation_test

from fgbench import storage
from fgbench.errors import ConfigError, DatasetError, ManifestError
from fgbench.reports.comparison.contenders import find_contender
from fgbench.reports.comparison.leaderboard import leaderboard
from fgbench.reports.comparison.tables import comparison_json, comparison_tables
from fgbench.reports.rendering.table import Spread
from fgbench.runs.predictions import Predictions
from tests.support.compared_runs import comparison_of, rewritten, right
from tests.support.report_folders import LABELS, samples, write_fake_run


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    work = tmp_path_factory.mktemp("compare")
    write_fake_run(work, "weak", method="LBP+SVM", share=0.3)
    for seed in (0, 1):
        write_fake_run(work, "strong", method="MSAU-Net (Ours)", share=0.8, seed=seed)
    write_fake_run(work, "half", method=None, share=0.5, shown=samples(2))
    return work


@pytest.mark.slow
def test_a_run_is_named_in_four_ways(work):
    by_name = find_contender("strong", work)
    assert (by_name.name, len(by_name.seeds), by_name.experiment.seeds) == ("strong", 2, [0, 1])
    assert find_contender(str(work / "runs/strong"), work / "elsewhere").name == "strong"
    single = find_contender("strong/0/1", work)
    assert (single.name, len(single.seeds)) == ("strong/0/1", 1)
    assert find_contender(str(work / "runs/strong/0/1"), work / "elsewhere").name == "strong/0/1"


def test_an_unknown_run_is_refused_with_what_there_is(work):
    with pytest.raises(ManifestError, match="wek is no finished run") as caught:
        find_contender("wek", work)
    assert caught.value.hint == "finished: half, strong, weak"
    with pytest.raises(ManifestError) as caught:
        find_contender("weak", work / "empty")
    assert "fgbench baseline lbp-svm" in caught.value.hint


def test_a_run_of_action_units_is_refused(tmp_path):
    storage.write_json(tmp_path / "runs/au-small/0/0/au_result.json", {})
    with pytest.raises(ConfigError, match="is a run of action units, expected one of expressions"):
        find_contender("au-small", tmp_path)


def test_a_missing_fold_is_refused_by_experiment_but_not_by_run(tmp_path):
    write_fake_run(tmp_path, "cnn", method="AU+CNN")
    (tmp_path / "runs/cnn/1/0").mkdir(parents=True)
    with pytest.raises(ManifestError, match="cnn lacks the runs 1/0"):
        find_contender("cnn", tmp_path)
    assert find_contender("cnn/0/0", tmp_path).name == "cnn/0/0"


def test_seeds_on_different_samples_are_refused(tmp_path):
    write_fake_run(tmp_path, "cnn", method="AU+CNN")
    write_fake_run(tmp_path, "cnn", method="AU+CNN", seed=1, shown=samples(2))
    with pytest.raises(ManifestError, match="seeds of cnn were tested on different samples"):
        find_contender("cnn", tmp_path)
    write_fake_run(tmp_path, "lbp-svm", method="LBP+SVM")
    (table,) = leaderboard(tmp_path)
    assert [row[1] for row in table.rows] == ["lbp-svm"]
    message = "cnn is left out, since the seeds of runs/cnn were tested on different samples; run them again"
    assert [note for note in table.notes if note.startswith(message)]


def test_two_runs_of_one_seed(work):
    comparison = comparison_of(work, "weak", "strong/0/0")
    (pair,) = comparison.pairs
    weak, strong = right(work, "weak/0/0"), right(work, "strong/0/0")
    only_strong = sum(strong[name][2] and not weak[name][2] for name in weak)
    only_weak = sum(weak[name][2] and not strong[name][2] for name in weak)
    assert (pair.mcnemar.only_first, pair.mcnemar.only_second) == (only_strong, only_weak)
    # Eight subjects; every class has four samples, so that the difference is that of the means of all.
    hits = {
        subject: [sum(run[name][2] for name in run if run[name][1] == subject) for run in (strong, weak)]
        for subject in {subject for _, subject, _ in weak.values()}
    }
    expected = permutation_test(
        tuple(np.array(list(hits.values())).T),
        lambda one, other: (one.sum() - other.sum()) / len(weak),
        permutation_type="samples",
        n_resamples=np.inf,
    )
    assert pair.permutation.p == pytest.approx(expected.pvalue)
    assert (pair.p, pair.is_over_seeds) == (pair.permutation.p, False)
    assert pair.mcnemar.p == pytest.approx(expected.pvalue)
    assert pair.permutation.statistic == pytest.approx(expected.statistic)
    assert pair.differences["uar"].estimate == pytest.approx(expected.statistic)
    assert pair.differences["uar"].low < expected.statistic < pair.differences["uar"].high
    assert comparison.clusters == "8 subjects"
    notes = comparison_tables(comparison)[1].notes
    assert any(
        note.startswith("One seed (weak, strong/0/0): the trained network is held fixed.") for note in notes
    )
    assert comparison_json(comparison)["notes"][0] in notes
    assert "p_exact" not in json.dumps(comparison_json(comparison))


def test_differences_of_the_classes(work):
    (pair,) = comparison_of(work, "weak", "strong/0/0").pairs
    weak, strong = right(work, "weak/0/0"), right(work, "strong/0/0")
    assert [entry.label for entry in pair.classes] == list(LABELS)
    for entry in pair.classes:
        shares = [
            np.mean([hit for label, _, hit in run.values() if label == entry.label]) for run in (weak, strong)
        ]
        assert (entry.n, entry.first, entry.other) == (4, pytest.approx(shares[0]), pytest.approx(shares[1]))
        assert entry.difference == pytest.approx(shares[1] - shares[0])
        assert entry.p_corrected >= entry.p
    lowest = min(entry.p for entry in pair.classes)
    assert min(entry.p_corrected for entry in pair.classes) == pytest.approx(min(1.0, 33 * lowest))


def test_seeds_are_averaged_and_have_no_mcnemar(work):
    comparison = comparison_of(work, "weak", "strong")
    (pair,) = comparison.pairs
    assert pair.mcnemar is None
    means = [
        np.mean([hit for _, _, hit in right(work, folder).values()])
        for folder in ("strong/0/0", "strong/0/1", "weak/0/0")
    ]
    assert pair.permutation.statistic == pytest.approx(np.mean(means[:2]) - means[2])
    assert pair.differences["war"].estimate == pytest.approx(np.mean(means[:2]) - means[2])
    runs, differences, _ = comparison_tables(comparison)
    cell = runs.rows[1][2]
    assert isinstance(cell, Spread)
    assert cell.mean == pytest.approx(np.mean(means[:2]))
    assert differences.rows[0][-3:] == [None] * 3
    assert (pair.is_over_seeds, pair.p) == (True, pair.differences["uar"].p)
    assert pair.differences["uar"].n_seeds == (2, 1)
    assert "p (UAR), strong: of the interval, over clusters and seeds (Student's t)." in differences.notes
    assert any(
        note.startswith("One seed (weak): the trained network is held fixed.") for note in differences.notes
    )
    assert any("Blank where a run has several seeds" in note for note in differences.notes)


def test_several_runs_are_corrected_for_their_number(work):
    comparison = comparison_of(work, "weak", "strong/0/0", "strong/0/1")
    p_values = [pair.permutation.p for pair in comparison.pairs]
    assert max(pair.p_corrected for pair in comparison.pairs) == pytest.approx(
        min(1.0, max(2 * min(p_values), max(p_values)))
    )
    tables = comparison_tables(comparison)
    assert [table.name for table in tables] == [
        "compare",
        "compare-differences",
        "compare-classes-strong-0-0",
        "compare-classes-strong-0-1",
    ]
    assert all("(SYNTHETIC data)" in table.title for table in tables)


def test_as_plain_values(work):
    plain = json.loads(json.dumps(comparison_json(comparison_of(work, "weak", "strong")), allow_nan=False))
    assert plain["first"] == "weak"
    assert [run["seeds"] for run in plain["runs"]] == [[0], [0, 1]]
    assert plain["runs"][1]["uar"]["sd_over_seeds"] > 0
    assert plain["differences"][0]["name"] == "strong"
    assert len(plain["differences"][0]["classes"]) == 33


def reordered(predictions):
    """The same with samples and classes in another order."""
    rows = list(range(len(predictions.sample_ids)))[::-1]
    columns = {
        name: [getattr(predictions, name)[row] for row in rows]
        for name in ("sample_ids", "clip_ids", "subject_ids", "source_ids", "labels", "predicted")
    }
    return Predictions(
        classes=predictions.classes[::-1], probabilities=predictions.probabilities[::-1, ::-1], **columns
    )


def test_the_order_of_samples_and_classes_does_not_matter(tmp_path):
    write_fake_run(tmp_path, "weak", method="LBP+SVM", share=0.3)
    write_fake_run(tmp_path, "strong", method="AU+CNN", share=0.8)
    rewritten(tmp_path, "backwards", reordered)
    (pair,) = comparison_of(tmp_path, "weak", "backwards").pairs
    assert (pair.permutation.statistic, pair.permutation.p) == (0.0, 1.0)
    assert {entry.difference for entry in pair.classes} == {0.0}
    forth, back = (comparison_of(tmp_path, first, "strong").pairs[0] for first in ("weak", "backwards"))
    assert forth.permutation == back.permutation
    for metric in ("uar", "war", "macro_f1"):
        one, other = forth.differences[metric], back.differences[metric]
        assert (one.estimate, one.low, one.high) == pytest.approx((other.estimate, other.low, other.high))
    by_label = {entry.label: entry for entry in back.classes}
    assert all(entry.p == by_label[entry.label].p for entry in forth.classes)
    assert all(entry.difference == by_label[entry.label].difference for entry in forth.classes)


@pytest.mark.slow
def test_what_does_not_compare_is_refused(tmp_path):
    write_fake_run(tmp_path, "weak", method="LBP+SVM")
    with pytest.raises(ConfigError, match="expected at least two different ones"):
        comparison_of(tmp_path, "weak")
    with pytest.raises(ConfigError, match="expected at least two different ones"):
        comparison_of(tmp_path, "weak", "weak/0/0")
    rewritten(tmp_path, "other-data", lambda predictions: predictions, dataset="yours")
    with pytest.raises(DatasetError, match=r"different data set \(mine and yours\)"):
        comparison_of(tmp_path, "weak", "other-data")
    rewritten(tmp_path, "other-labels", lambda given: replace(given, labels=["wrath", *given.labels[1:]]))
    with pytest.raises(DatasetError, match="1 samples have other labels in other-labels than in weak"):
        comparison_of(tmp_path, "weak", "other-labels")
    rewritten(tmp_path, "others", lambda given: replace(given, sample_ids=[f"x{n}" for n in range(132)]))
    with pytest.raises(DatasetError, match="no test sample in common"):
        comparison_of(tmp_path, "weak", "others")


@pytest.mark.slow
def test_a_method_with_other_seeds_is_not_told_apart_from_itself(tmp_path):
    """Two single runs differ by their seeds; as experiments of several seeds they do not."""
    for name, shares in (("one", (0.2, 0.5, 0.8)), ("other", (0.8, 0.2, 0.5))):
        for seed, share in enumerate(shares):
            write_fake_run(tmp_path, name, method="AU+CNN", share=share, seed=seed)
    (single,) = comparison_of(tmp_path, "one/0/0", "other/0/0").pairs
    (several,) = comparison_of(tmp_path, "one", "other").pairs
    assert single.differences["uar"].low > 0
    assert several.differences["uar"].low < 0 < several.differences["uar"].high
    assert several.p > 0.5
