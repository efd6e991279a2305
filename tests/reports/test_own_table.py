"""A table of one's own is one file, whatever its name."""

import sys

import pytest
from typer.testing import CliRunner

import fgbench.reports.tables
from fgbench import plugins
from fgbench.cli import completion
from fgbench.cli.app import app
from tests.support.report_folders import write_fake_run

TABLE = '''"""Test samples of each run."""

from fgbench.runs.results import read_result
from fgbench.reports.rendering.table import Table


def build(workdir):
    folders = sorted((workdir / "runs").glob("*/0/0"))
    rows = [[run.parts[-3], read_result(run)["metrics"]["n"]] for run in folders]
    return Table(name="all_samples", title="Samples", columns=["Run", "Samples"], rows=rows)
'''


@pytest.fixture
def report(tmp_path, monkeypatch):
    """``fgbench report`` on a work folder with a run, where there is a table that comes before ``table1``."""
    folder = tmp_path / "more"
    folder.mkdir()
    (folder / "all_samples.py").write_text(TABLE)
    monkeypatch.setattr(fgbench.reports.tables, "__path__", [*fgbench.reports.tables.__path__, str(folder)])
    write_fake_run(tmp_path / "work", "mine", method="Mine", share=0.5)
    assert plugins.names("tables")[0] == "all_samples"
    arguments = ["report", "--workdir", str(tmp_path / "work"), "--out", str(tmp_path / "out")]
    yield lambda *more: CliRunner().invoke(app, [*arguments, *more])
    sys.modules.pop("fgbench.reports.tables.all_samples", None)


@pytest.mark.parametrize("name", ["all_samples", "all-samples"])
def test_a_table_is_found_by_its_name(report, tmp_path, name):
    done = report("--table", name)
    assert done.exit_code == 0, done.output
    assert "| mine | 132 |" in done.stdout
    assert [path.name for path in (tmp_path / "out").glob("*.md")] == ["all_samples.md"]


@pytest.mark.parametrize("name", ["II", "ii", "2", "table2"])
def test_tables_of_the_paper_are_found_by_their_numbers(report, tmp_path, name):
    done = report("--table", name)
    assert done.exit_code == 0, done.output
    assert "table2.md" in [path.name for path in (tmp_path / "out").iterdir()]


def test_unknown_tables_are_refused_with_those_that_there_are(report):
    done = report("--table", "all_sample")
    assert done.exit_code == 3
    text = " ".join(str(done.exception).split())
    assert "unknown table 'all_sample'" in text + done.stderr
    assert "did you mean 'all_samples'?" in text + done.stderr
    assert "all_samples, table1, table2" in text + done.stderr


def test_the_shell_offers_it(report):
    assert completion.table("") == ["I", "II", "III", "IV", "V", "VI", "VII", "all_samples"]
    assert completion.table("al") == ["all_samples"]
