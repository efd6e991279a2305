"""Work folders: what may be written to, and how one is known."""

import json

import pytest
from typer.testing import CliRunner

from fgbench.cli.app import app
from fgbench.errors import ConfigError, ManifestError, ResourceError
from fgbench.workfolders import folder as workfolder


@pytest.mark.parametrize(
    "command",
    [
        ["report", "--all"],
        ["report", "--html"],
        ["report", "--run", "cnn"],
        ["baseline", "lbp-svm"],
        ["train", "msau"],
        ["train", "au"],
    ],
)
def test_commands_write_nothing_into_a_folder_that_is_none_of_ours(tmp_path, command):
    (tmp_path / "thesis.tex").write_text("mine")
    (tmp_path / "reports").mkdir()
    done = CliRunner().invoke(app, [*command, "--workdir", str(tmp_path)])
    assert done.exit_code in (3, 7)
    assert str(tmp_path) in done.stderr.replace("\n", "")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["reports", "thesis.tex"]


def test_an_audit_writes_nothing_there_either(tmp_path):
    (tmp_path / "thesis.tex").write_text("mine")
    done = CliRunner().invoke(app, ["audit", str(tmp_path)])
    assert done.exit_code == 3
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize("command", ["audit", "report --all --workdir", "report --html --workdir"])
def test_reports_go_through_no_link(tmp_path, command):
    mine, work = tmp_path / "mine", tmp_path / "work"
    mine.mkdir()
    workfolder.mark(work)
    for name in ("reports", "audit"):
        (work / name).symlink_to(mine)
    done = CliRunner().invoke(app, [*command.split(), str(work)])
    assert done.exit_code == 8
    assert "is a link to" in done.stderr
    assert list(mine.iterdir()) == []


def test_baselines_go_through_no_link(tmp_path):
    mine = tmp_path / "mine"
    mine.mkdir()
    workfolder.mark(tmp_path / "work")
    (tmp_path / "work" / "runs").symlink_to(mine)
    done = CliRunner().invoke(app, ["baseline", "lbp-svm", "--workdir", str(tmp_path / "work")])
    assert done.exit_code == 8
    assert list(mine.iterdir()) == []


def test_what_was_made_without_a_mark_is_known_by_what_it_holds(tmp_path):
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(ConfigError, match="thesis"):
        workfolder.check_results(tmp_path)
    (tmp_path / "manifests").mkdir()
    (tmp_path / "manifests" / "index.json").write_text("{}")
    workfolder.check_results(tmp_path)
    with pytest.raises(ConfigError, match="thesis"):
        workfolder.claim(tmp_path)
    origin = {"root": "data", "recipe": {"name": "mine", "dataset": {}}}
    (tmp_path / "prepare.json").write_text(json.dumps(origin))
    workfolder.claim(tmp_path)
    assert workfolder.read_origin(tmp_path)[0] == origin["recipe"]


def test_a_mark_that_is_a_link_is_none(tmp_path):
    workfolder.mark(tmp_path / "work")
    other = tmp_path / "other"
    other.mkdir()
    (other / workfolder.MARKER).symlink_to(tmp_path / "work" / workfolder.MARKER)
    with pytest.raises(ConfigError, match=r"\.fgbench-work\.json"):
        workfolder.claim(other)


def test_a_folder_that_may_not_be_read_is_told(tmp_path, monkeypatch):
    def refuse(self):
        raise PermissionError(13, "Permission denied")

    (tmp_path / "x").touch()
    monkeypatch.setattr("pathlib.Path.iterdir", refuse)
    with pytest.raises(ResourceError, match=f"cannot read {tmp_path}: Permission denied"):
        workfolder.claim(tmp_path)


def test_no_origin_is_told(tmp_path):
    with pytest.raises(ManifestError, match=r"not a work folder \(no prepare.json\)"):
        workfolder.read_origin(tmp_path)
