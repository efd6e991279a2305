"""What varied over seeds is told by every table and figure of several seeds, in the same words."""

import json

import pytest
from typer.testing import CliRunner

from fgbench.cli.app import app
from fgbench.reports.chains import chain_notes
from fgbench.reports.comparison.compared import compare
from fgbench.reports.comparison.contenders import find_contender
from fgbench.reports.comparison.leaderboard import leaderboard
from fgbench.reports.comparison.tables import comparison_json, comparison_tables
from fgbench.reports.experiments import read_experiment
from fgbench.reports.figures import figure7
from fgbench.reports.run.sheet import sheet_tables
from fgbench.reports.tables import table2, table3, table4, table5, table6, table7
from tests.support.benchmark_runs import PROTOCOL, fake_run, of_fold
from tests.support.clip_runs import write_clip_manifests, write_clip_run
from tests.support.divided_work import described, ekman_index, write_work
from tests.support.report_folders import write_fake_run

SHARED = (
    "over 2 seeds vary the network itself; they share action units (au-small/0/0), so that ± is less than "
    "that of whole chains."
)
WHOLE = "over 2 seeds vary action units, the network itself; whole chains were trained."


def chain(digest):
    return [{"part": "action units", "run": "au-small/0/0", "seed": 0, "sha256": digest * 64}]


SAME, OWN = [chain("a"), chain("a")], [chain("a"), chain("b")]


def chain_sentences(notes):
    return [note for note in notes if "over 2 seeds vary" in note]


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "build"), [("image", table3.build), ("video", table4.build)])
def test_tables_of_public_data_sets(tmp_path, kind, build):
    work = write_work(tmp_path / "ck", described(), **ekman_index())
    for experiment, chains in (("mine", SAME), ("other", OWN)):
        for seed, one in enumerate(chains):
            for fold in PROTOCOL["folds"]:
                more = {"kind": kind, "method": experiment, "chain": one}
                fake_run(work, experiment, of_fold(fold), fold=fold, seed=seed, **more)
    on = "on ck-plus, 7 classes (SYNTHETIC)"
    assert chain_sentences(build(work).notes) == [f"mine {on}: {SHARED}", f"other {on}: {WHOLE}"]


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    work = tmp_path_factory.mktemp("video")
    write_clip_manifests(work)
    for seed in (0, 1):
        write_clip_run(work, "tmsau-small", seed=seed, chain=SAME[seed])
    return work


@pytest.mark.slow
def test_table_5_and_both_panels_of_figure_7(video):
    assert chain_sentences(table5.build(video).notes) == [f"TMSAU-Net (Ours): {SHARED}"]
    assert chain_sentences(figure7.build(video).table.notes) == [f"TMSAU-Net (Ours): {SHARED}"]


@pytest.mark.slow
def test_the_left_panel_of_figure_7_alone(tmp_path):
    for seed, one in enumerate(OWN):
        for number in (1, 2):
            details = {"regions": number, "recipe": "msau-progressive", "chain": one}
            name = f"msau-progressive-r{number}"
            write_fake_run(tmp_path, name, method="MSAU-Net, progressive", seed=seed, details=details)
    names = "MSAU-Net, progressive, msau-progressive-r1, MSAU-Net, progressive, msau-progressive-r2"
    assert chain_sentences(figure7.build(tmp_path).table.notes) == [f"{names}: {WHOLE}"], (
        "one sentence for both"
    )


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    """Two methods of two seeds: one shares its trunk, one has whole chains; and one of a single seed."""
    work = tmp_path_factory.mktemp("images")
    for experiment, method, chains in (("cnn", "AU+CNN", SAME), ("msau", "MSAU-Net (Ours)", OWN)):
        for seed, one in enumerate(chains):
            write_fake_run(work, experiment, method=method, seed=seed, details={"chain": one})
    write_fake_run(work, "single", method=None, details={"chain": SAME[0]})
    return work


BOTH = [f"cnn: {SHARED}", f"msau: {WHOLE}"]


@pytest.mark.slow
def test_comparisons_as_tables_and_as_plain_values(work):
    comparison = compare([find_contender(name, work) for name in ("cnn", "msau", "single")])
    runs, differences, *_ = comparison_tables(comparison)
    assert (
        chain_sentences(runs.notes)
        == chain_sentences(differences.notes)
        == chain_sentences(comparison_json(comparison)["notes"])
        == BOTH
    )
    alone = compare([find_contender(name, work) for name in ("cnn/0/0", "single")])
    assert chain_sentences(comparison_json(alone)["notes"]) == []


def test_compare_prints_it(work):
    words = ["compare", "cnn", "msau", "--workdir", str(work)]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    assert all(note in done.stdout for note in BOTH)
    plain = CliRunner().invoke(app, [*words, "--json"])
    assert chain_sentences(json.loads(plain.stdout)["notes"]) == BOTH


def test_leaderboards_and_sheets_of_runs(work):
    (board,) = leaderboard(work)
    assert sorted(chain_sentences(board.notes)) == BOTH
    assert chain_sentences(sheet_tables(find_contender("msau", work))[0].notes) == BOTH[1:]


def test_they_are_the_words_of_table_2(work):
    assert chain_sentences(table2.build(work).notes) == [f"AU+CNN: {SHARED}", f"MSAU-Net (Ours): {WHOLE}"]


@pytest.mark.parametrize("build", [table6.build, table7.build])
def test_confusions_of_msau_net(work, build):
    assert chain_sentences(build(work).notes) == [f"MSAU-Net (Ours): {WHOLE}"]


def test_a_network_tested_on_other_data_tells_the_chain_that_it_was_made_of(tmp_path):
    """Its ``weights`` are what was tested, and no weights to start from."""
    for seed in (0, 1):
        about = {"sha256": "c" * 64, "run": "msau/0/0", "dataset": "mine", "synthetic": True}
        about["manifest_digest"] = None
        for name, more in (("old", {}), ("new", {"chain": OWN[seed]})):
            details = {"weights": about, "clips_trained_on": 0, **more}
            write_fake_run(tmp_path, name, method="x", seed=seed, details=details)
    actual = [read_experiment(tmp_path / "runs" / name) for name in ("old", "new")]
    assert chain_notes(actual, ["old", "new"]) == [f"new: {WHOLE}"]
