"""Cross-entropy against votes in the sheet of a run and in comparisons, by scipy."""

import numpy as np
import pytest
from scipy.stats import entropy

from fgbench.api.comparisons import compare_runs
from fgbench.reports.comparison.contenders import find_contender
from fgbench.reports.run.sheet import sheet_tables
from fgbench.reports.vote_entropies import CROSS, LOWER
from fgbench.runs.predictions import read_predictions
from tests.support.report_folders import LABELS, samples, write_fake_run, write_manifests
from tests.support.voted_work import write_soft_labels


@pytest.fixture
def work(tmp_path):
    """Two runs; clips of the first twenty classes have votes, four for their label and one for the next."""
    write_manifests(tmp_path, samples())
    write_fake_run(tmp_path, "good", method="Mine", share=0.9)
    write_fake_run(tmp_path, "bad", method="Other", share=0.1)
    shares = {}
    for _, clip, _, label in samples():
        number = LABELS.index(label)
        shares[clip] = {label: 0.8, LABELS[number + 1]: 0.2} if number < 20 else None
    write_soft_labels(tmp_path, shares)
    return tmp_path


def expected(work, name, alike=()):
    """Mean of the entropy of the votes and of the divergence, over samples that the runs predict."""
    runs = [read_predictions(work / "runs" / one / "0" / "0") for one in (name, *alike)]
    labels = dict(zip(runs[0].sample_ids, runs[0].labels, strict=True))
    there = [{one for one, said in zip(run.sample_ids, run.predicted, strict=True) if said} for run in runs]
    sums = []
    for row, sample in enumerate(runs[0].sample_ids):
        number = LABELS.index(labels[sample])
        if number < 20 and all(sample in one for one in there):
            shares = np.zeros(len(LABELS))
            shares[number], shares[number + 1] = 0.8, 0.2
            order = [runs[0].classes.index(label) for label in LABELS]
            sums.append(entropy(shares) + entropy(shares, runs[0].probabilities[row][order]))
    return np.mean(sums), len(sums)


def measures(work, name):
    table = sheet_tables(find_contender(name, work))[0]
    return {row[0]: row[1] for row in table.rows}, table.notes


def test_the_sheet_of_a_run_has_it_beside_the_entropy_of_the_votes(work):
    values, notes = measures(work, "good")
    cross, n = expected(work, "good")
    assert values[CROSS] == pytest.approx(cross, rel=1e-5)
    assert values[LOWER] == pytest.approx(entropy([0.8, 0.2]))
    assert any(
        f"{n} samples with a prediction and votes, all for classes of the run" in note for note in notes
    )


def test_seeds_are_a_mean_with_a_standard_deviation(work):
    write_fake_run(work, "good", method="Mine", share=0.9, seed=1)
    assert measures(work, "good")[0][CROSS].sd > 0


def test_runs_are_compared_on_samples_that_all_predict(work):
    compared = compare_runs(["good", "bad"], work)
    table = compared.tables[0]
    assert table.columns[-1] == "Cross-entropy against votes"
    for row, name, other in zip(table.rows, ("good", "bad"), ("bad", "good"), strict=True):
        assert row[-1] == pytest.approx(expected(work, name, [other])[0], rel=1e-5)
    first, second = compared.numbers["runs"]
    assert first["cross_entropy_against_votes"] < second["cross_entropy_against_votes"]
    assert first["entropy_of_votes"] == pytest.approx(entropy([0.8, 0.2]))


def test_without_votes_nothing_is_added(work):
    write_soft_labels(work, {})
    assert CROSS not in measures(work, "good")[0]
    compared = compare_runs(["good", "bad"], work)
    assert "Cross-entropy against votes" not in compared.tables[0].columns
    assert compared.numbers["runs"][0]["cross_entropy_against_votes"] is None


def test_votes_for_a_class_that_the_run_does_not_have_are_left_out(work):
    write_soft_labels(work, {clip: {"odd": 1.0} for _, clip, _, _ in samples()})
    assert CROSS not in measures(work, "good")[0]
