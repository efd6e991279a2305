"""Every command takes its work folder by position and as ``--workdir``; two different ones are refused."""

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from fgbench.cli.app import app
from fgbench.cli.workdirs import Workdir, add_command
from tests.support.clip_folders import write_folder

OTHERWISE = {
    "annotate export": "it takes clips from the folder of the data, and the work folder tells earlier votes",
    "compare": "its positions are runs",
    "export faces": "its position is the folder to write",
    "labels": "its position is a label set or a work folder",
    "predict": "its positions are files",
    "prepare": "its position is a recipe",
    "rebuild": "its position is a publication",
}
"""Commands with ``--workdir`` whose positions mean something else."""


def commands(command, name=""):
    for child, inner in getattr(command, "commands", {}).items():
        yield from commands(inner, f"{name} {child}".strip())
    if not getattr(command, "commands", None):
        yield name, command


COMMANDS = dict(commands(typer.main.get_command(app)))
TAKING = sorted(
    name for name, one in COMMANDS.items() if any("--workdir" in each.opts for each in one.params)
)


def test_all_that_take_a_work_folder_are_seen():
    assert {"status", "check", "audit", "report", "leaderboard", "train au", "baseline lbp-svm"} < set(TAKING)
    assert set(OTHERWISE) < set(TAKING)


@pytest.mark.parametrize("name", sorted(set(TAKING) - set(OTHERWISE)))
def test_two_different_work_folders_are_refused(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = ["run"] if name in ("evaluate", "export network", "score") else []
    done = CliRunner().invoke(app, [*name.split(), *run, "one", "--workdir", "two"])
    assert done.exit_code == 2, done.output
    text = " ".join(done.stderr.replace("│", "").split())
    assert "the work folder is one by position and two by --workdir, expected one of both" in text
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def taken(monkeypatch, tmp_path):
    """A command that notes its work folder, or the work folders; typed with further words."""
    monkeypatch.chdir(tmp_path)
    actual = []
    one = typer.Typer()

    def single(run: str, workdir: Workdir = Path("usual")) -> None:
        actual.append((run, workdir))

    add_command(one, "single")(single)
    add_command(one, "bare")(lambda: None)

    def typed(*words):
        done = CliRunner().invoke(one, ["single", "r", *words])
        assert done.exit_code == 0, done.output
        return actual.pop()

    return typed


def test_either_form_is_taken(taken):
    assert taken() == ("r", Path("usual"))
    assert taken("here") == ("r", Path("here"))
    assert taken("--workdir", "here") == ("r", Path("here"))
    assert taken("./here", "--workdir", "here") == ("r", Path("here")), "both are one folder"


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    """A prepared data set in ``<folder>/work``."""
    here = tmp_path_factory.mktemp("here")
    write_folder(here / "clips", 8)
    (here / "plain.yaml").write_text("name: plain\nfaces: {align: never}\n")
    arguments = ["prepare", str(here / "plain.yaml"), "--data-root", str(here / "clips")]
    done = CliRunner().invoke(app, [*arguments, "--workdir", str(here / "work"), "--jobs", "1"])
    assert done.exit_code == 0, done.output
    return here / "work"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["status", "check", "audit", "report", "labels"])
def test_both_forms_do_the_same(work, name):
    by_position = CliRunner().invoke(app, [name, str(work)])
    by_option = CliRunner().invoke(app, [name, "--workdir", str(work)])
    assert by_position.exit_code == by_option.exit_code == (11 if name == "audit" else 0)
    assert by_position.stdout == by_option.stdout != ""


@pytest.mark.slow
def test_labels_of_a_work_folder_and_of_another_are_refused(work):
    done = CliRunner().invoke(app, ["labels", str(work), "--workdir", str(work / "other")])
    assert done.exit_code == 2
    assert "expected one of both" in " ".join(done.stderr.replace("│", "").split())
