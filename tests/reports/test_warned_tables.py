"""Runs whose scores may be too good are named by every table and figure that is a file of its own."""

import pytest

from fgbench.reports.comparison.compared import compare
from fgbench.reports.comparison.contenders import find_contender
from fgbench.reports.comparison.leaderboard import leaderboard
from fgbench.reports.comparison.tables import comparison_json, comparison_tables
from fgbench.reports.figures import attention, figure6, figure7
from fgbench.reports.run.fold_scores import fold_tables
from fgbench.reports.run.scores import scores_table
from fgbench.reports.run.sheet import sheet_tables
from fgbench.reports.tables import table2, table5, table6, table7
from fgbench.runs.results import read_result
from fgbench.workfolders.sealed_json import SEAL, write_sealed
from tests.support.clip_runs import write_clip_manifests, write_clip_run
from tests.support.report_folders import samples, write_fake_run, write_manifests, write_regions

START = {"run": "units.safetensors", "kind": "au", "is_of_this_folder": False, "clips_trained_on": None}


def tuned(folder):
    """The same run, its settings sought on test."""
    result = {key: value for key, value in read_result(folder).items() if key != SEAL}
    write_sealed(folder / "result.json", result | {"tuned_on_test": True})
    return folder


def is_warned(notes, *, knows_start=False):
    text = " ".join(notes)
    return "settings were sought with test samples" in text and (knows_start or "is not at hand" in text)


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    work = tmp_path_factory.mktemp("images")
    write_manifests(work, samples())
    for number in (1, 2):
        details = {"start": START, "regions": number, "recipe": "msau-progressive"}
        name = f"msau-progressive-r{number}"
        tuned(write_fake_run(work, name, method="MSAU-Net, progressive", details=details))
    folder = tuned(write_fake_run(work, "msau", method="MSAU-Net (Ours)", details={"start": START}))
    write_regions(folder, {name: [(4, 3), (1, 3), (3, 3)] for name, *_ in samples()})
    write_fake_run(work, "cnn", method="AU+CNN")
    return work


def tables_of(work, name):
    """The first of each file that is made of one run alone."""
    one = find_contender(name, work)
    (folder,) = one.folders
    return [sheet_tables(one)[0], scores_table(folder), fold_tables([folder])[0]]


def test_tables_of_a_run(work):
    for table in tables_of(work, "msau"):
        assert is_warned(table.notes), table.name
    for table in tables_of(work, "cnn"):
        assert not any("too good" in note or "not at hand" in note for note in table.notes), table.name


def test_tables_and_figures_of_images(work):
    shown = [module.build(work) for module in (table2, table6, table7)]
    shown += [figure.build(work).table for figure in (figure6, figure7)]
    for table in [*shown, *leaderboard(work)]:
        assert is_warned(table.notes), table.name


def test_comparisons_as_tables_and_as_plain_values(work):
    comparison = compare([find_contender(name, work) for name in ("cnn", "msau")])
    for table in comparison_tables(comparison):
        assert is_warned(table.notes), table.name
        assert sum("not at hand" in note for note in table.notes) == 1, table.name
    assert is_warned(comparison_json(comparison)["notes"])


def test_tables_and_figures_of_clips(tmp_path):
    write_clip_manifests(tmp_path)
    tuned(write_clip_run(tmp_path, "tmsau-small"))
    shown = [table2.build(tmp_path), table5.build(tmp_path), *tables_of(tmp_path, "tmsau-small")]
    for table in [*shown, figure7.build(tmp_path).table, attention.build(tmp_path).table]:
        assert is_warned(table.notes, knows_start=True), table.name
