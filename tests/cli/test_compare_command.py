"""``fgbench compare``, ``fgbench leaderboard``, ``fgbench report --run`` and ``--all``."""

import json

import pytest

from tests.support.command_line import in_folder
from tests.support.report_folders import samples, write_fake_run, write_manifests

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("commands")
    write_manifests(folder / "work", samples(2))
    write_fake_run(folder / "work", "weak", method="LBP+SVM", share=0.3, shown=samples(2))
    write_fake_run(folder / "work", "strong", method="AU+CNN", share=0.8, shown=samples(2))
    return folder


def fgbench(*arguments, cwd):
    return in_folder(cwd, *arguments, "--workdir", "work")


def test_compare_prints_tables_and_writes_files(folder):
    done = fgbench("compare", "weak", "strong", "--out", "files", cwd=folder)
    assert done.exit_code == 0, done.stderr
    assert "**Runs compared: mine (SYNTHETIC data)**" in done.stdout
    classes = "**Accuracy per class, strong against weak: mine (SYNTHETIC data)**"
    assert classes not in done.stdout
    assert done.stdout.endswith("every class: the same command with --full\n")
    whole = fgbench("compare", "weak", "strong", "--full", cwd=folder).stdout
    assert classes in whole
    assert whole.startswith(done.stdout.removesuffix("every class: the same command with --full\n").rstrip())
    assert sorted(path.name for path in (folder / "files").iterdir()) == [
        ".fgbench-files.json",
        "compare-classes-strong.md",
        "compare-differences.md",
        "compare.md",
    ]


def test_compare_in_other_formats(folder):
    assert fgbench("compare", "weak", "strong", "--format", "csv", cwd=folder).stdout.startswith(
        "Run,Seeds,UAR"
    )
    plain = json.loads(fgbench("compare", "weak", "strong", "--json", cwd=folder).stdout)
    assert plain["n_samples"] == 66


def test_leaderboard_is_what_a_bare_comparison_shows(folder):
    done = fgbench("leaderboard", cwd=folder)
    assert done.exit_code == 0, done.stderr
    assert done.stdout.index("| 1 | strong |") < done.stdout.index("| 2 | weak |")
    assert fgbench("compare", cwd=folder).stdout == done.stdout
    (table,) = json.loads(fgbench("leaderboard", "--json", cwd=folder).stdout)
    assert table["rows"][0][1] == "strong"


def test_files_of_a_sheet_are_told_from_where_the_user_stands(folder, tmp_path):
    done = fgbench("report", "--run", "weak", "--format", "md", cwd=folder)
    assert done.exit_code == 0, done.stderr
    assert done.stderr.split("wrote ")[1:] == ["work/reports/run-weak.md\n"]
    (folder / "work" / "reports" / "run-weak.md").unlink()
    command = ["report", "--run", str(folder / "work" / "runs" / "weak"), "--format", "md"]
    done = in_folder(tmp_path, *command)
    assert f"wrote {folder}/work/reports/run-weak.md" in done.stderr, "not below: the whole path"


def test_sheet_of_a_run(folder):
    done = fgbench("report", "--run", "weak", "--out", "sheet", "--format", "md", cwd=folder)
    assert done.exit_code == 0, done.stderr
    assert "calibration error (ECE)" in done.stdout
    assert "wrote sheet/run-weak.md" in done.stderr


def test_whole_report_has_an_index_of_what_is_blank(folder):
    done = fgbench("report", "--all", "--out", "all", cwd=folder)
    assert done.exit_code == 0, done.stderr
    names = {path.name for path in (folder / "all").iterdir()}
    assert {f"table1.{kind}" for kind in ("md", "tex", "csv", "html")} <= names
    assert {f"figure3.{kind}" for kind in ("png", "pdf", "svg")} <= names
    assert {"index.md", "index.html", "report.tex", "leaderboard-images-fg33.csv"} <= names
    index = (folder / "all" / "index.md").read_text(encoding="utf-8")
    assert "- **table6**: left out\n  - no finished run of MSAU-Net" in index
    assert "fgbench train msau" in index


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["compare", "weak"], 3, "expected at least two different ones"),
        (["compare", "weak", "none"], 7, "none is no finished run"),
        (["compare", "weak", "strong", "--format", "png"], 3, "known formats: md, tex, csv, html"),
        (["leaderboard", "--format", "png"], 3, "known formats: md, tex, csv, html"),
        (["report", "--run", "none"], 7, "finished: strong, weak"),
    ],
)
def test_wrong_use_is_explained(folder, arguments, code, message):
    done = fgbench(*arguments, cwd=folder)
    assert done.exit_code == code, done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (["compare", "weak", "strong"], "compare.md"),
        (["leaderboard"], "leaderboard-images-fg33.md"),
        (["report", "--run", "weak"], "run-weak.md"),
        (["report", "--table", "I"], "table1.md"),
        (["report", "--all"], "index.html"),
        (["report", "--html"], "report.html"),
    ],
)
def test_files_of_the_users_in_a_folder_named_by_them_are_not_replaced(folder, tmp_path, arguments, name):
    site = tmp_path / "site"
    site.mkdir()
    (site / name).write_text("mine")
    refused = fgbench(*arguments, "--out", site, cwd=folder)
    assert refused.exit_code == 3, refused.stderr
    assert f"would replace {site / name}, which fgbench did not write" in refused.stderr
    assert {path.name: path.read_text() for path in site.iterdir()} == {name: "mine"}
    (site / name).rename(site / "moved")
    for _ in range(2):
        done = fgbench(*arguments, "--out", site, cwd=folder)
        assert done.exit_code == 0, done.stderr
    assert (site / "moved").read_text() == "mine"
    assert (site / name).read_text(encoding="utf-8") != "mine"


def test_reports_of_an_earlier_version_in_a_work_folder_are_replaced(folder):
    reports = folder / "work" / "reports"
    reports.mkdir(exist_ok=True)
    (reports / "table1.md").write_text("of an earlier version")
    done = fgbench("report", "--table", "I", cwd=folder)
    assert done.exit_code == 0, done.stderr
    assert (reports / "table1.md").read_text(encoding="utf-8") != "of an earlier version"
