"""What the console says comes next."""

import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fgbench import storage
from fgbench.api import next_commands
from fgbench.api.finished import run_lines
from fgbench.cli import next_steps
from fgbench.cli.app import app
from fgbench.workfolders import default_folders as folders
from tests.support.clip_folders import write_folder
from tests.support.report_folders import samples, write_fake_run, write_manifests


def commands_in(output):
    (line,) = [line for line in output.splitlines() if line.startswith("next: ")]
    return line.removeprefix("next: ").split("; ")


@pytest.fixture
def typed():
    with next_steps.nothing_typed():
        yield next_steps.remember


@pytest.mark.slow
def test_drawn_clips_lead_to_being_prepared(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = [
        "synth",
        "my faces",
        "--control",
        "motion",
        "--subjects",
        "1",
        "--size",
        "160x120",
        "--jobs",
        "1",
    ]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    (command,) = commands_in(done.stdout)
    assert shlex.split(command) == ["fgbench", "prepare", "--data-root", "my faces"]
    assert CliRunner().invoke(app, [*shlex.split(command)[1:], "--dry-run"]).exit_code == 0


def test_the_help_of_prepare_shows_the_layouts_of_own_data():
    output = CliRunner().invoke(app, ["prepare", "-h"]).stdout
    for line in (
        "DIR/videos/<clip> and DIR/annotations.csv (clip,label,...)",
        "or DIR/votes.csv (clip,annotator,label,...)   fgbench prepare --data-root DIR",
        "DIR/<class>/<picture or video>                fgbench prepare folder --data-root DIR",
        "DIR/videos/<clip> and DIR/action_units.csv    fgbench prepare action-units --data-root DIR",
    ):
        assert line in output
    assert "All columns: docs/own-clips.md" in output


@pytest.mark.slow
def test_prepare_leads_to_the_audit_and_a_baseline(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_folder(tmp_path / "my clips", 8)
    (tmp_path / "plain.yaml").write_text("name: plain\nbuckets: 2\nfaces: {align: never}\n")
    words = ["prepare", "plain.yaml", "--data-root", "my clips", "--jobs", "1"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    work = "fgbench-data/my clips/work"
    assert [shlex.split(command) for command in commands_in(done.stdout)] == [
        ["fgbench", "audit", work],
        ["fgbench", "baseline", "lbp-svm", "--workdir", work],
    ]
    assert "next: " not in CliRunner().invoke(app, [*words, "--json"]).stdout
    audited = CliRunner().invoke(app, ["audit", work, "--jobs", "1"])
    if audited.exit_code == 0:
        assert commands_in(audited.stdout) == [f"fgbench baseline lbp-svm --workdir '{work}'"]
    else:
        assert "prepare --drop-leaks" in audited.stderr


def test_runs_lead_to_a_network_and_the_report(tmp_path):
    write_manifests(tmp_path, samples())
    write_fake_run(tmp_path, "lbp-svm", method="LBP+SVM")
    train, report = next_commands.after_runs(tmp_path)
    assert train == f"fgbench train msau --recipe msau-small --trunk none --workdir {tmp_path}"
    assert report == f"fgbench report --workdir {tmp_path}"
    write_fake_run(tmp_path, "msau-small", method="MSAU-Net (Ours)")
    assert next_commands.after_runs(tmp_path) == [report]


def test_nothing_is_said_inside_another_command(typed, capsys):
    for other in ("demo", "baseline"):
        typed(other)
        next_steps.say_next(["prepare"], lambda: ["fgbench audit"])
    assert capsys.readouterr().out == ""
    typed("prepare")
    next_steps.say_next(["prepare"], lambda: ["fgbench audit", "fgbench report"])
    assert commands_in(capsys.readouterr().out) == ["fgbench audit", "fgbench report"]


def test_data_of_action_units_alone_lead_to_their_detector(tmp_path):
    units = f"fgbench train au --workdir {tmp_path}"
    after = next_commands.after_prepare(tmp_path, has_classes=False)
    assert after == [f"fgbench audit {tmp_path}", units]
    assert next_commands.after_audit(tmp_path, has_classes=False) == [units]
    assert next_commands.after_status(tmp_path, has_classes=False) == after


def test_action_units_lead_to_the_network_or_to_files(tmp_path):
    run = tmp_path / "runs/au/0/0"
    page = f"fgbench report --html --workdir {tmp_path}"
    network = f"fgbench train msau --au-weights {run} --workdir {tmp_path}"
    assert next_commands.after_units(run, has_classes=True) == [network, page]
    files = f"fgbench predict {run} FILE..."
    assert next_commands.after_units(run, has_classes=False) == [files, page]


def test_a_report_without_classes_says_so_once_and_leads_to_no_leaderboard(tmp_path):
    write_manifests(tmp_path, samples())
    index = tmp_path / "manifests/index.json"
    storage.write_json(index, {**storage.read_json(index), "classes": []})
    page = f"fgbench report --html --workdir {tmp_path}"
    done = CliRunner().invoke(app, ["report", "--workdir", str(tmp_path)])
    assert done.exit_code == 0, done.output
    (line,) = [line for line in done.stderr.splitlines() if "no classes in " in line]
    assert line.startswith("left out table2, table3, table4, ")
    assert line.endswith(f": no classes in {tmp_path}; runs of action units: {page}")
    assert commands_in(done.stdout) == [page]
    done = CliRunner().invoke(app, ["leaderboard", "--workdir", str(tmp_path)])
    assert done.exit_code == 7
    assert "baseline" not in done.stderr
    assert page in " ".join(done.stderr.split())


def test_the_embedded_set_needs_no_work_folder():
    commands = next_commands.after_report(folders.DEMO_WORKDIR, has_classes=True)
    assert commands == ["fgbench report --html", "fgbench leaderboard"]
    first = next_commands.after_audit(Path("w"), has_classes=True)
    assert first == ["fgbench baseline lbp-svm --workdir w"]


def test_a_folder_in_the_place_of_a_recipe_is_sent_to_data_root(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my clips").mkdir()
    done = CliRunner().invoke(app, ["prepare", "my clips"])
    assert done.exit_code == 3
    assert "my clips is a folder, expected a recipe" in done.stderr
    assert "fgbench prepare --data-root 'my clips'" in done.stderr


def test_a_root_without_a_recipe_is_told_the_two_recipes_for_own_data(tmp_path):
    done = CliRunner().invoke(app, ["check", "--root", str(tmp_path)])
    assert done.exit_code == 2
    text = " ".join(done.stderr.split())
    assert "fgbench check default --root DIR" in text
    assert "fgbench check folder --root DIR" in text


def test_a_run_names_the_whole_command_of_its_sheet(tmp_path):
    write_manifests(tmp_path, samples())
    folder = write_fake_run(tmp_path, "lbp-svm", method="LBP+SVM")
    sheet = f"fgbench report --run lbp-svm/0/0 --workdir {tmp_path}"
    (line,) = [line for line in run_lines(folder) if "errors in the class tree: " in line]
    assert line.endswith(f"errors in the class tree: {sheet}")
