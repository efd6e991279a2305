"""Work folders inspected from Python: status, soundness, leaks; reports, comparisons, page."""

import json
import shutil

import pytest

import fgbench
from fgbench.api.audits import audit
from fgbench.api.comparisons import compare_runs
from fgbench.api.condition import status
from fgbench.api.finished import run_json, runs_json
from fgbench.api.preparing import preparation
from fgbench.api.reports import check_formats, report
from fgbench.api.sheets import sheet
from fgbench.api.table_files import table_json, table_text, write_tables
from fgbench.api.tables import figure_names, leaderboard, table, table_names
from fgbench.evaluation import metrics
from fgbench.runs.predictions import read_predictions
from tests.support.report_folders import samples, write_fake_run, write_manifests


@pytest.fixture
def copy(work, tmp_path):
    """The prepared set in a folder of its own, to be damaged."""
    return fgbench.open(shutil.copytree(work.path, tmp_path / "work"))


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    write_manifests(folder, samples())
    for seed in (0, 1):
        write_fake_run(folder, "msau", method="MSAU-Net (Ours)", seed=seed)
    write_fake_run(folder, "lbp-svm", method="LBP+SVM")
    return folder


def test_the_status_is_that_of_the_manifests(work):
    now = work.status()
    assert now.is_complete
    assert now.report.clips == len(work.clips)
    assert {part: one["clips"] for part, one in now.counts.items()} == dict(
        work.clips["split"].value_counts()
    )
    assert now.lines()[0] == f"recipe default, data {now.root}, 24 clips"
    assert json.loads(json.dumps(now.to_json()))["counts"] == now.counts


@pytest.mark.slow
def test_damage_is_found_and_mended(copy):
    assert copy.check(jobs=1).faults == ()
    copy.check(jobs=1).require()
    table = copy.path / "manifests" / "clips.parquet"
    whole = table.read_bytes()
    table.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    found = copy.check(jobs=1)
    assert [line.split(":")[0] for line in found.faults] == ["manifests/clips.parquet"]
    with pytest.raises(fgbench.FgbenchError, match="has 1 fault"):
        found.require()
    mended = copy.check(repair=True, jobs=2, progress=False)
    assert (mended.faults, len(mended.mended)) == ((), 1)
    assert table.read_bytes() == whole


def test_what_is_unfinished_waits(copy):
    shutil.rmtree(copy.path / "manifests")
    now = status(copy.path)
    assert now.counts is None
    assert not now.is_complete
    assert "manifests are not complete; run fgbench prepare" in now.lines()


def test_leaks_are_written_and_persons_are_kept_apart(work, copy):
    before = copy.audit(jobs=1, progress=False)
    assert before.page == copy.path / "audit" / "audit.html"
    written = json.loads((copy.path / "audit" / "audit.json").read_text("utf-8"))
    assert written["n_leaks"] == len(before.leaks)
    against = audit(copy.path, against=work.path, jobs=1, progress=False)
    trained = set(copy.clips[copy.clips["split"] != "test"]["subject_id"])
    tested = set(copy.clips[copy.clips["split"] == "test"]["subject_id"])
    assert not trained & tested
    assert not [leak for leak in against.leaks if leak.kind == "same_subject"]
    if before.leaks:
        with pytest.raises(fgbench.FgbenchError, match="prepare --drop-leaks"):
            before.check()


def test_a_preparation_tells_what_it_would_do(work, tmp_path):
    data = work.path.parents[2] / "drawn"
    chosen = preparation(None, data, tmp_path / "work", changes=["buckets=3"], decoder="pyav")
    assert (chosen.root, chosen.is_embedded, chosen.lacks_data) == (data, False, False)
    assert (chosen.config.buckets, chosen.config.ingest.decoder) == (3, "pyav")
    planned = chosen.preview()
    assert {stage.buckets for stage in planned.turned_on} == {3}
    assert planned.plan_lines()[-1] == "nothing was done (dry run)"
    assert not (tmp_path / "work").exists()
    with pytest.raises(fgbench.FgbenchError, match="needs a data set") as refused:
        preparation("raf-db", None, None)
    assert refused.value.argument == "data_root"


def test_tables_are_values_and_text(runs):
    assert table_names()[:7] == ["I", "II", "III", "IV", "V", "VI", "VII"]
    assert {"3", "6", "7", "attention"} <= set(figure_names())
    made = table(runs, "ii")
    assert made.name == "table2"
    assert table_text(made, "csv").splitlines()[0].split(",")[0] == made.columns[0]
    assert table_json(made)["columns"] == list(made.columns)
    with pytest.raises(fgbench.FgbenchError, match="2 work folders, but table2 is of one"):
        table([runs, runs], "II")
    with pytest.raises(fgbench.FgbenchError, match="unknown format 'png'"):
        check_formats(["png"], text_alone=True)
    (first, *_) = leaderboard(runs)
    assert {"msau", "lbp-svm"} <= {str(cell) for row in first.rows for cell in row}


def test_a_report_writes_files_and_says_what_is_left_out(runs, tmp_path, caplog):
    with caplog.at_level("INFO", logger="fgbench"):
        written = report([runs], formats=["csv"], out=tmp_path / "all")
    assert {path.name for path in written.paths} == {path.name for path in (tmp_path / "all").glob("*.csv")}
    assert "table2.csv" in {path.name for path in written.paths}
    assert any(record.message.startswith("left out ") for record in caplog.records)
    written.require()
    assert written.lines()[-1].startswith(f"wrote {len(written.paths)} files into ")
    only = fgbench.open(runs).report(formats=["md"], out=tmp_path / "md")
    assert {path.suffix for path in only.paths} == {".md"}


def test_runs_are_compared_and_shown_as_numbers(runs, tmp_path):
    compared = compare_runs(["lbp-svm", "msau"], runs)
    assert len(compared.of_all_classes) == 2
    folder = runs / "runs" / "lbp-svm" / "0" / "0"
    predictions = read_predictions(folder)
    assert compared.numbers["n_samples"] == len(predictions.sample_ids)
    assert run_json(folder)["confusion"] is not None
    (together,) = runs_json([runs / "runs" / "msau" / "0" / str(seed) for seed in (0, 1)])
    assert len(together["runs"]) == 2
    (path, *_) = write_tables(compared.tables, "csv", tmp_path)
    assert str(metrics.uar(predictions.confusion())) in path.read_text("utf-8")
    shown = sheet("lbp-svm", runs, out=tmp_path / "sheet", formats=["csv"])
    assert shown.tables
    assert all(path.is_file() for path in shown.paths)


@pytest.mark.slow
def test_the_page_of_a_work_folder_is_written(copy, tmp_path):
    page = copy.page(tmp_path / "page.html")
    assert page.size_bytes == page.path.stat().st_size
    text = page.path.read_text("utf-8")
    assert text.startswith("<!doctype html>")
    assert copy.name in text
    (tmp_path / "mine.html").write_text("mine")
    with pytest.raises(fgbench.FgbenchError, match="nothing was written"):
        copy.page(tmp_path / "mine.html")
