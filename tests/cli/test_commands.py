"""The command line: what users type, what they see, exit codes."""

import json
import subprocess
import sys

import pytest

import fgbench
from tests.support.clip_folders import add_clip, write_folder
from tests.support.command_line import in_folder

pytestmark = pytest.mark.slow


def fgbench_cli(*arguments, cwd):
    return in_folder(cwd, *arguments)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """A folder in which ``fgbench prepare`` ran on eight clips; whole frames stand for faces."""
    here = tmp_path_factory.mktemp("cli")
    write_folder(here / "clips", 8)
    (here / "plain.yaml").write_text("name: plain\nbuckets: 4\nfaces: {align: never}\n")
    done = fgbench_cli("prepare", "plain.yaml", "--data-root", "clips", "--jobs", 1, cwd=here)
    assert done.exit_code == 0, done.stderr
    assert "manifests in fgbench-data/clips/work/manifests" in done.stdout
    return here


WORK = "fgbench-data/clips/work"


def test_second_run_says_that_there_is_nothing_to_do(prepared):
    done = fgbench_cli("prepare", "plain.yaml", "--data-root", "clips", cwd=prepared)
    assert done.exit_code == 0
    assert f"nothing to do: {WORK}/manifests is up to date" in done.stdout


def test_another_data_set_of_the_same_name_does_not_take_the_work_folder(prepared):
    write_folder(prepared / "other" / "clips", 2)
    before = (prepared / WORK / "manifests" / "index.json").read_bytes()
    done = fgbench_cli("prepare", "plain.yaml", "--data-root", "other/clips", cwd=prepared)
    assert done.exit_code == 3
    assert f"{WORK} is the work folder of the data set" in done.stderr
    assert (prepared / WORK / "manifests" / "index.json").read_bytes() == before


def test_drawn_data_are_known_by_their_description(prepared, tmp_path):
    write_folder(tmp_path / "drawn", 2)
    (tmp_path / "drawn" / "synthetic.json").write_text("{}")
    recipe = prepared / "plain.yaml"
    done = fgbench_cli("prepare", recipe, "--data-root", "drawn", "--workdir", "work", cwd=tmp_path)
    assert done.exit_code == 0, done.stderr
    assert "The data are SYNTHETIC" in done.stderr
    assert json.loads((tmp_path / "work" / "manifests" / "index.json").read_text())["synthetic"] is True


def test_prepare_as_json(prepared):
    done = fgbench_cli("prepare", "plain.yaml", "--data-root", "clips", "--json", cwd=prepared)
    report = json.loads(done.stdout)
    assert report["clips"] == 8
    assert [stage["stage"] for stage in report["stages"]] == [
        "ingest",
        "consensus",
        "split",
        "sample",
        "faces",
        "audit",
        "augment",
        "lbp",
        "dense_trajectories",
        "optical_flow",
        "wide_faces",
    ]


def test_dry_run(prepared):
    done = fgbench_cli("prepare", "plain.yaml", "--data-root", "clips", "--dry-run", cwd=prepared)
    assert "nothing to do" in done.stdout
    forced = fgbench_cli(
        "prepare", "plain.yaml", "--data-root", "clips", "--dry-run", "--force", cwd=prepared
    )
    assert "nothing was done (dry run)" in forced.stdout


def test_status_and_check(prepared):
    status = fgbench_cli("status", WORK, cwd=prepared)
    assert status.exit_code == 0
    assert "recipe plain" in status.stdout
    assert "8 clips" in status.stdout
    check = fgbench_cli("check", WORK, cwd=prepared)
    assert check.exit_code == 0
    assert "all as their index says" in check.stdout


def test_check_of_damaged_manifests_exits_with_7(prepared, tmp_path):
    write_folder(tmp_path / "clips", 3)
    (tmp_path / "plain.yaml").write_text("name: plain\nfaces: {align: never}\n")
    assert (
        fgbench_cli("prepare", "plain.yaml", "--data-root", "clips", "--jobs", 1, cwd=tmp_path).exit_code == 0
    )
    (tmp_path / WORK / "manifests" / "clips.parquet").write_bytes(b"x")
    check = fgbench_cli("check", WORK, cwd=tmp_path)
    assert check.exit_code == 7
    assert "clips.parquet: content differs from the index" in check.stdout
    mended = fgbench_cli("prepare", "plain.yaml", "--data-root", "clips", "--jobs", 1, cwd=tmp_path)
    assert mended.exit_code == 0
    assert fgbench_cli("check", WORK, cwd=tmp_path).exit_code == 0


def test_report(prepared):
    done = fgbench_cli("report", "--table", "I", "--workdir", WORK, cwd=prepared)
    assert done.exit_code == 0
    assert "| Video | paper | 825 | 275 | 391 | 1,491 |" in done.stdout
    figure = fgbench_cli("report", "--figure", "3", "--workdir", WORK, "--format", "png", cwd=prepared)
    assert figure.exit_code == 0
    assert (prepared / WORK / "reports" / "figure3.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["prepare", "--nonsense"], 2, "No such option"),
        (["prepare", "fg-emotions"], 2, "--data-root"),
        (["prepare", "demmo", "--data-root", "clips"], 3, "did you mean 'demo'"),
        (["prepare", "plain.yaml", "--data-root", "clips", "--decoder", "pyaf"], 3, "did you mean 'pyav'"),
        (["prepare", "plain.yaml", "--data-root", "clips", "--engine", "locale"], 3, "did you mean 'local'"),
        (["prepare", "--data-root", "absent"], 4, "no folder absent"),
        (["prepare", "--data-root", "."], 4, "neither annotations.csv nor votes.csv"),
        (["report", "--table", "IX", "--workdir", WORK], 3, "unknown table 'IX'"),
        (
            ["report", "--format", "docx", "--workdir", WORK],
            3,
            "known formats: md, tex, csv, html, png, pdf, svg",
        ),
        (["report", "--workdir", "absent"], 7, "run fgbench prepare"),
        (["check", "absent"], 7, "no complete manifests"),
        (["status", "absent"], 7, "not a work folder"),
        (["synth"], 2, "--sheet"),
        (["synth", "x", "--size", "wide"], 2, "WIDTHxHEIGHT"),
        (["prepare", "plain.yaml", "--data-root", "clips", "--workdir", "plain.yaml/x"], 8, "cannot write"),
    ],
)
def test_wrong_use_is_explained_with_its_exit_code(prepared, arguments, code, message):
    done = fgbench_cli(*arguments, cwd=prepared)
    assert done.exit_code == code, done.stderr
    assert message in " ".join((done.stdout + done.stderr).split())
    assert "Traceback" not in done.stderr


def test_too_many_rejects_exit_with_6(tmp_path):
    write_folder(tmp_path / "clips", 2)
    for number in range(3):
        add_clip(tmp_path / "clips", f"bad{number}", "nonsense")
    done = fgbench_cli("prepare", "--data-root", "clips", "--jobs", 1, cwd=tmp_path)
    assert done.exit_code == 6
    assert "stage ingest rejected 3 of 5 clips, the recipe allows 50%: unknown_label (3)" in done.stderr


def test_version():
    done = subprocess.run(
        [sys.executable, "-m", "fgbench", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == f"fgbench {fgbench.__version__}"
