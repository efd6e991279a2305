"""What commands print by default is short; ``--full`` prints the tables."""

import importlib.util
import re

import pytest
from typer.testing import CliRunner

from fgbench.api.finished import run_lines
from fgbench.cli import demo as demo_command
from fgbench.cli import show_runs
from fgbench.cli.app import app
from fgbench.evaluation import metrics
from fgbench.reports.run.summary import folds_summary, run_summary, seeds_summary
from fgbench.runs.predictions import read_predictions
from tests.support.report_folders import samples, write_fake_run, write_manifests


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    work = tmp_path_factory.mktemp("short")
    write_manifests(work, samples())
    for seed in (0, 1, 2):
        write_fake_run(work, "msau", method="MSAU-Net (Ours)", seed=seed)
    for fold in ("1", "2"):
        write_fake_run(work, "folded", method=None, fold=fold)
    return work


def report(work, *arguments):
    done = CliRunner().invoke(app, ["report", "--workdir", str(work), *arguments])
    assert done.exit_code == 0, done.output
    return done


@pytest.mark.slow
def test_a_run_is_told_by_its_means(work):
    folder = work / "runs/msau/0/0"
    uar = metrics.uar(read_predictions(folder).confusion())
    lines = run_summary(folder)
    assert len(lines) <= 6
    assert "(SYNTHETIC data)" in lines[0]
    assert lines[1].startswith(f"UAR {uar:.3f}, ")
    short = "\n".join(run_lines(folder))
    assert all(line in short for line in lines)
    assert "--full" in short
    assert "|" not in short
    assert (folder / "confusion.csv").is_file()
    full = "\n".join(run_lines(folder, full=True))
    assert full.count("\n| ") > 33
    assert f"| mean of the classes (UAR) | 132 | {uar:.3f} |" in full


def test_seeds_and_folds_are_told_by_their_means(work, capsys):
    seeds = [work / "runs/msau/0" / str(seed) for seed in (0, 1, 2)]
    each = [metrics.uar(read_predictions(folder).confusion()) for folder in seeds]
    lines = seeds_summary(seeds)
    assert re.match(rf"mean ± sd: UAR {sum(each) / 3:.3f} ± 0\.\d\d\d, WAR ", lines[1])
    show_runs.show_runs(seeds, full=False, json=False)
    short = capsys.readouterr().out
    assert "|" not in short
    assert all(line in short for line in lines)
    show_runs.show_runs(seeds, full=True, json=False)
    assert f"| 1 | 132 | {read_predictions(seeds[1]).predicted.count(None)} | {each[1]:.3f} |" in (
        capsys.readouterr().out
    )
    folds = [work / "runs/folded" / fold / "0" for fold in ("1", "2")]
    lines = folds_summary(folds)
    assert any(line.startswith("mean of the folds: UAR ") for line in lines)
    assert len(lines) == len(set(lines))


@pytest.mark.slow
def test_a_report_of_all_tells_a_line_for_each_and_where_they_are(work, tmp_path):
    short = report(work, "--all", "--format", "md", "--out", str(tmp_path / "a"))
    lines = short.stdout.splitlines()
    assert len(lines) < 30
    (table2,) = [line for line in lines if "table2.md" in line]
    assert re.search(r": \d+ of [\d,]+ cells of this data set are blank", table2)
    (written,) = [line for line in lines if line.startswith("wrote ")]
    assert written.endswith("printed with --full")
    n_files = len(list((tmp_path / "a").glob("*.md"))) - 1  # the index is told apart
    assert written.startswith(f"wrote {n_files} files into {tmp_path / 'a'}; ")
    assert "index.md" in short.stderr
    full = report(work, "--all", "--full", "--format", "md", "--out", str(tmp_path / "b"))
    assert full.stdout.count("\n| ") > 100
    names = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert names == sorted(path.name for path in (tmp_path / "b").iterdir())
    assert (tmp_path / "a/table2.md").read_text() in full.stdout


def test_a_table_that_is_named_is_printed(work, tmp_path):
    done = report(work, "--table", "II", "--out", str(tmp_path))
    assert (tmp_path / "table2.md").read_text() in done.stdout


def test_a_demo_without_torch_begins_nothing(tmp_path, monkeypatch):
    begun = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(demo_command, "prepare", lambda **options: begun.append("prepare"))
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "torch" else real(name, *rest)
    )
    done = CliRunner().invoke(app, ["demo"])
    assert done.exit_code == 9
    assert begun == []
    assert "(torch)" in done.stderr
    assert "pip install 'fgbench[train]'" in done.stderr
    assert list(tmp_path.iterdir()) == []
