"""Scores over seeds counted again with plain Python, and what is told of what varied."""

import shutil
import statistics

import pyarrow.parquet as pq
import pytest

from fgbench.reports.accuracies import measure
from fgbench.reports.chains import varied_over
from fgbench.reports.experiment import Run
from fgbench.reports.experiments import sound_experiments
from fgbench.reports.rendering.hypertext import html_table
from fgbench.reports.rendering.latex import latex
from fgbench.reports.rendering.render import markdown
from fgbench.reports.run.seed_scores import seed_table, seeds_json
from fgbench.reports.tables import table2
from fgbench.storage import read_json
from fgbench.workfolders.sealed_json import SEAL, write_sealed
from tests.support.report_folders import LABELS, samples, write_fake_run


def link(part, digest, run="au-small/0/0"):
    return {"part": part, "run": run, "seed": 0, "sha256": digest * 64}


def three_seeds(work, chains, **more):
    return [
        write_fake_run(
            work,
            "msau-small",
            method="MSAU-Net (Ours)",
            seed=seed,
            share=0.5,
            details={"kind": "image", "chain": chain, **more},
        )
        for seed, chain in enumerate(chains)
    ]


OWN = [[link("action units", digest, f"au-small/0/{seed}")] for seed, digest in enumerate("abc")]


def uar(folder):
    rows = pq.read_table(folder / "predictions.parquet").to_pylist()
    by_class = [[row["predicted"] == label for row in rows if row["label"] == label] for label in LABELS]
    return statistics.mean(sum(right) / len(right) for right in by_class)


def test_mean_and_standard_deviation_over_seeds(tmp_path):
    folders = three_seeds(tmp_path, OWN)
    values = [uar(folder) for folder in folders]
    table = seed_table(folders)
    column = table.columns.index("UAR")
    assert [row[0] for row in table.rows] == ["0", "1", "2", "mean ± sd"]
    assert [row[column] for row in table.rows[:3]] == pytest.approx(values)
    assert table.rows[3][column].mean == pytest.approx(statistics.mean(values))
    assert table.rows[3][column].sd == pytest.approx(statistics.stdev(values))
    plain = seeds_json(folders)
    assert plain["mean"]["uar"] == pytest.approx(statistics.mean(values))
    assert plain["sd"]["uar"] == pytest.approx(statistics.stdev(values))
    assert [plain["seeds"][str(seed)]["uar"] for seed in range(3)] == pytest.approx(values)


def test_seeds_tell_chance_and_interval_as_a_single_run_does(tmp_path):
    table = seed_table(three_seeds(tmp_path, OWN))
    (experiment,) = sound_experiments(tmp_path)
    interval = measure(experiment).interval
    messages = [
        note for note in table.notes if f"95 % interval {interval.low:.3f} to {interval.high:.3f}" in note
    ]
    assert len(messages) == 1
    assert "subjects" in messages[0]
    assert any("Chance is 0.030." in note for note in table.notes)


@pytest.mark.slow
def test_what_seeds_do_not_change_has_no_deviation(tmp_path):
    """Of a method without chance ± 0.000 would look like a very sure number."""
    first = three_seeds(tmp_path, [OWN[0]])[0]
    folders = [first]
    for seed in (1, 2):
        folders.append(first.parent / str(seed))
        shutil.copytree(first, folders[-1])
        result = {key: value for key, value in read_json(first / "result.json").items() if key != SEAL}
        write_sealed(folders[-1] / "result.json", {**result, "seed": seed})
    value = uar(first)
    for shown in (markdown, latex, html_table):
        page = shown(seed_table(folders))
        assert "0.000" not in page.replace("± < 0.001", "")
        assert f"{value:.3f}" in page
        assert "the same for all seeds" in page
    varied = markdown(seed_table(three_seeds(tmp_path / "varied", OWN)))
    assert "the same for all seeds" not in varied
    assert "±" in varied


def note_of(work):
    (note,) = [note for note in table2.build(work).notes if "seeds vary" in note]
    return note


WHOLE = "MSAU-Net (Ours): over 3 seeds vary action units, the network itself; whole chains were trained."


def test_table2_tells_whole_chains(tmp_path):
    three_seeds(tmp_path, OWN)
    assert note_of(tmp_path) == WHOLE


def test_table2_tells_what_seeds_share(tmp_path):
    three_seeds(tmp_path, [[link("action units", "a")]] * 3)
    assert note_of(tmp_path) == (
        "MSAU-Net (Ours): over 3 seeds vary the network itself; they share action units (au-small/0/0), so "
        "that ± is less than that of whole chains."
    )


def test_table2_tells_what_some_seeds_share(tmp_path):
    three_seeds(tmp_path, [OWN[0], OWN[0], OWN[1]])
    assert "they share action units in part (2 for 3 seeds), so" in note_of(tmp_path)


def test_of_older_results_the_digests_tell(tmp_path):
    three_seeds(tmp_path, [[]] * 3, trunk="d" * 64)
    assert "they share action units, so that" in note_of(tmp_path)


def test_a_single_seed_has_no_such_note(tmp_path):
    write_fake_run(tmp_path, "msau-small", method="MSAU-Net (Ours)", details={"chain": OWN[0]})
    assert not [note for note in table2.build(tmp_path).notes if "seeds vary" in note]


def run(seed, fold, **details):
    return Run(folder=None, fold=fold, seed=seed, result={"details": details})


def test_folds_of_a_seed_have_chains_of_their_own():
    """One trunk per fold is no variance over seeds; a link that the seeds of one fold share is shared."""
    actual = [
        run(seed, fold, chain=[link("action units", digest)])
        for (seed, fold), digest in {(0, "1"): "a", (0, "2"): "b", (1, "1"): "c", (1, "2"): "d"}.items()
    ]
    assert (
        varied_over(actual)
        == "over 2 seeds vary action units, the network itself; whole chains were trained."
    )
    actual = [run(seed, fold, chain=[link("action units", fold)]) for seed in (0, 1) for fold in ("1", "2")]
    assert "they share action units (au-small/0/0), so" in varied_over(actual)


def test_named_weights_to_start_from_are_shared():
    actual = [run(seed, "0", chain=[], weights="e" * 64) for seed in (0, 1)]
    assert "they share initial weights, so" in varied_over(actual)


def test_of_runs_that_do_not_tell_nothing_is_said(tmp_path):
    for seed in (0, 1):
        write_fake_run(tmp_path, "lbp-svm", method="LBP+SVM", seed=seed)
    assert not [note for note in table2.build(tmp_path).notes if "over 2 seeds" in note]
    assert varied_over([run(0, "0"), run(1, "0")]) == "over 2 seeds."


def test_persons_that_one_seed_does_not_know_are_those_of_the_others(tmp_path):
    """Subjects were told between the seeds: clusters of both are the persons, none of them empty."""
    unknown = [(name, clip, None, label) for name, clip, _, label in samples()]
    for seed, shown in enumerate((unknown, samples())):
        write_fake_run(tmp_path, "au-cnn", method="AU+CNN", seed=seed, shown=shown)
    (experiment,) = sound_experiments(tmp_path)
    actual = measure(experiment)
    assert {counts.names for counts in actual.counts} == {tuple(f"subject s{n}" for n in range(8))}
    assert actual.interval.n_clusters == 8


def test_what_makes_numbers_unfair_is_told_seed_by_seed_too(tmp_path):
    folders = three_seeds(tmp_path, OWN)
    assert not [note for note in seed_table(folders).notes if "settings were sought" in note]
    for folder in folders:
        result = read_json(folder / "result.json") | {"tuned_on_test": True}
        write_sealed(folder / "result.json", {key: value for key, value in result.items() if key != SEAL})
    assert [note for note in seed_table(folders).notes if "settings were sought with test samples" in note]
