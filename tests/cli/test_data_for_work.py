"""A folder of data where a work folder is expected: what it is, and the command that is meant."""

import pytest
from typer.testing import CliRunner

from fgbench.cli.app import app
from fgbench.workfolders import folder as workfolder
from tests.support.clip_folders import write_folder
from tests.support.fake_trees import write_picture
from tests.support.report_folders import samples, write_manifests

WORK = "fgbench-data/my-clips/work"


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_folder(tmp_path / "my-clips", 2)
    return tmp_path


def error_of(*arguments, code=4):
    done = CliRunner().invoke(app, list(arguments))
    assert done.exit_code == code, done.output
    return done.stderr


@pytest.mark.parametrize(
    "command",
    [
        "report --workdir",
        "report --html --workdir",
        "report --run x --workdir",
        "leaderboard --workdir",
        "compare a b --workdir",
        "baseline lbp-svm --workdir",
        "train au --workdir",
        "train msau --workdir",
        "labels --workdir",
        "status",
        "audit",
        "check",
    ],
)
def test_every_command_tells_data_from_a_work_folder(here, command):
    before = sorted(here.rglob("*"))
    message = error_of(*command.split(), "my-clips")
    assert "my-clips is a folder of data (annotations.csv), expected a work folder" in message
    assert "to use them: fgbench prepare --data-root my-clips, then fgbench " in message
    option = " --workdir" if "--workdir" in command else ""
    name = " ".join(word for word in command.split() if word in ("baseline", "train"))
    verb = command.split()[1] if name else command.split()[0]
    assert f"then fgbench {name}{' ' if name else ''}{verb}{option} {WORK}" in message
    assert sorted(here.rglob("*")) == before


def test_the_work_folder_of_the_data_is_named_where_it_is(here):
    (here / WORK).mkdir(parents=True)
    workfolder.mark(here / WORK)
    message = error_of("report", "--workdir", "my-clips")
    assert f"to use them: fgbench report --workdir {WORK}" in message
    assert "fgbench prepare" not in message
    assert f"fgbench-data/my-clips is no work folder, {WORK} is" in error_of("audit", "fgbench-data/my-clips")


@pytest.mark.parametrize(
    ("name", "recipe"), [("joy/1.png", "folder"), ("action_units.csv", "action-units"), ("votes.csv", "")]
)
def test_the_recipe_that_reads_the_data_is_named(here, name, recipe):
    path = here / "mine" / name
    path.parent.mkdir(parents=True)
    write_picture(path) if name.endswith(".png") else path.write_text("clip\n")
    message = error_of("report", "--workdir", "mine")
    assert f"fgbench prepare {recipe} --data-root mine".replace("  ", " ") in message


def test_a_report_on_a_folder_that_is_not_there_makes_none(here):
    (here / WORK).mkdir(parents=True)
    message = error_of("report", "--workdir", "fgbench-data/my-clip/work", code=7)
    assert "there is no folder fgbench-data/my-clip/work" in message
    assert f"work folders here: {WORK}" in message
    assert not (here / "fgbench-data" / "my-clip").exists()


def test_reports_of_nothing_named_draw_no_data_set_where_another_is_prepared(here):
    write_manifests(here / WORK, samples())
    before = sorted(here.rglob("*"))
    for command in ("report", "baseline lbp-svm"):
        message = error_of(*command.split(), code=7)
        assert "no work folder is named" in message
        assert f"--workdir {WORK}; prepared here: {WORK};" in message
    assert sorted(here.rglob("*")) == before
