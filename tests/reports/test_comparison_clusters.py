"""Persons and sources that comparisons of runs draw: unknown ones, few ones, those of shared samples."""

from dataclasses import replace

import numpy as np
import pytest

from fgbench.reports.comparison.contenders import find_contender
from fgbench.reports.comparison.leaderboard import leaderboard
from fgbench.reports.comparison.tables import comparison_tables
from fgbench.reports.run.scores import scores_table
from fgbench.reports.run.sheet import sheet_tables
from fgbench.reports.tables import table2
from tests.support.compared_runs import comparison_of, rewritten, right
from tests.support.report_folders import samples, write_fake_run


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    work = tmp_path_factory.mktemp("compare")
    write_fake_run(work, "weak", method="LBP+SVM", share=0.3)
    for seed in (0, 1):
        write_fake_run(work, "strong", method="MSAU-Net (Ours)", share=0.8, seed=seed)
    write_fake_run(work, "half", method=None, share=0.5, shown=samples(2))
    return work


def test_only_shared_samples_compare_and_it_is_said(work):
    comparison = comparison_of(work, "weak", "half")
    assert comparison.n_samples == 66
    assert comparison.n_tested == (132, 66)
    (pair,) = comparison.pairs
    weak, half = right(work, "weak/0/0"), right(work, "half/0/0")
    expected = np.mean([half[name][2] for name in half]) - np.mean([weak[name][2] for name in half])
    assert pair.differences["war"].estimate == pytest.approx(expected)
    notes = comparison_tables(comparison)[0].notes
    assert notes[0].startswith("On the 66 test images that all runs share")
    assert (
        "The runs were tested on different images (weak 132, half 66); the others are left out here." in notes
    )


def test_unknown_subjects_go_by_source_and_clip_each(tmp_path):
    write_fake_run(tmp_path, "weak", method="LBP+SVM", share=0.3)
    nothing = {"subject_ids": [None] * 132}
    rewritten(tmp_path, "nameless", lambda given: replace(given, **nothing))
    films = [f"film {index % 5}" for index in range(132)]
    rewritten(tmp_path, "films", lambda given: replace(given, **nothing, source_ids=films))
    one = find_contender("nameless", tmp_path)
    assert one.clusters == "66 clips"
    assert one.interval("uar").n_clusters == 66
    assert find_contender("films", tmp_path).interval("uar").n_clusters == 5
    # Of each sample, what any of the runs knows counts: both know the same samples.
    comparison = comparison_of(tmp_path, "weak", "nameless")
    assert comparison.clusters == "8 subjects"
    assert comparison.pairs[0].differences["uar"].n_clusters == 8
    assert comparison_of(tmp_path, "nameless", "films").clusters == "5 sources"


def test_one_unknown_subject_keeps_the_others(tmp_path):
    write_fake_run(tmp_path, "weak", method="LBP+SVM", share=0.3)
    rewritten(tmp_path, "one-lost", lambda given: replace(given, subject_ids=[None, *given.subject_ids[1:]]))
    assert find_contender("one-lost", tmp_path).clusters == "8 subjects and 1 clip"
    (table,) = [one for one in leaderboard(tmp_path) if one.name == "leaderboard-images-fg33"]
    assert any(
        "8 subjects or 8 subjects and 1 clip" in note or "8 subjects and 1 clip or 8 subjects" in note
        for note in table.notes
    )


def test_one_subject_has_no_intervals_and_no_small_p(tmp_path):
    shown = [(name, clip, "s0", label) for name, clip, _, label in samples()]
    write_fake_run(tmp_path, "weak", method="LBP+SVM", share=0.2, shown=shown)
    write_fake_run(tmp_path, "strong", method="AU+CNN", share=0.9, shown=shown)
    comparison = comparison_of(tmp_path, "weak", "strong")
    assert comparison.pairs[0].differences == {}
    assert comparison.pairs[0].permutation.p == 1.0
    assert comparison_tables(comparison)[1].rows[0][1:10] == [None] * 9


@pytest.mark.parametrize(("n_persons", "has_interval"), [(4, False), (5, True)])
def test_of_fewer_than_five_persons_no_interval_is_printed(tmp_path, n_persons, has_interval):
    shown = [
        (name, clip, f"s{int(person[1:]) % n_persons}", label) for name, clip, person, label in samples()
    ]
    for name, share in (("weak", 0.3), ("strong", 0.6)):
        folder = write_fake_run(tmp_path, name, method="LBP+SVM", share=share, shown=shown)
    one, comparison = find_contender("weak", tmp_path), comparison_of(tmp_path, "weak", "strong")
    (board,) = leaderboard(tmp_path)
    sheets = sheet_tables(one)[0]
    second = table2.build(tmp_path)
    runs, differences, _ = comparison_tables(comparison)
    scores = scores_table(folder)
    for table in (board, runs, differences, sheets, second):
        ends = [
            row[index]
            for row in table.rows
            for index, name in enumerate(table.columns)
            if name.endswith((" from", " to"))
        ]
        assert any(end is not None for end in ends) == has_interval, table.name
    for table in (board, runs, differences, second):
        message = "Fewer than five persons, or films or clips (here 4): no interval."
        assert (message in table.notes) != has_interval, table.name
    assert any("95 % interval" in note for note in scores.notes) == has_interval
    assert any("no interval: 4 subjects" in note for note in scores.notes) != has_interval
    assert any("No intervals: 4 subjects" in note for note in sheets.notes) != has_interval


def test_one_person_is_no_sample_of_persons(tmp_path):
    shown = [(name, clip, "s0", label) for name, clip, _, label in samples()]
    for seed in (0, 1):
        write_fake_run(tmp_path, "cnn", method="AU+CNN", seed=seed, shown=shown)
    write_fake_run(tmp_path, "lbp-svm", method="LBP+SVM", shown=shown)
    runs, differences, _ = comparison_tables(comparison_of(tmp_path, "lbp-svm", "cnn"))
    assert "Fewer than five persons, or films or clips (here 1): no interval." in runs.notes
    assert "p (UAR), cnn: 1, since one cluster alone tells nothing." in differences.notes
