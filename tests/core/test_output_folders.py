"""In a folder that the user names, fgbench replaces what it wrote there, and nothing else."""

import json
import os

import pytest
from typer.testing import CliRunner

from fgbench.cli.app import app
from fgbench.errors import ConfigError, ResourceError
from fgbench.workfolders import folder as workfolder
from fgbench.workfolders.output_folders import KINDS, LIST, check_named_file, writing_in


def write(folder, names, text="ours", **options):
    with writing_in(folder, names, **options):
        folder.mkdir(parents=True, exist_ok=True)
        for name in names:
            (folder / name).write_text(text)


def test_what_was_written_there_before_is_replaced(tmp_path):
    write(tmp_path / "deep" / "out", ["a.md", "b.csv"])
    write(tmp_path / "deep" / "out", ["a.md", "c.md"], "again")
    actual = {path.name: path.read_text() for path in (tmp_path / "deep" / "out").iterdir()}
    assert json.loads(actual.pop(LIST))["files"] == ["a.md", "b.csv", "c.md"]
    assert actual == {"a.md": "again", "b.csv": "ours", "c.md": "again"}


@pytest.mark.parametrize("before", [[], ["a.md"]])
def test_files_of_the_users_stop_it_before_anything_is_written(tmp_path, before):
    if before:
        write(tmp_path, before)
    (tmp_path / "mine.md").write_text("mine")
    (tmp_path / "link.md").symlink_to("nowhere")
    listed = {path.name for path in tmp_path.iterdir()}
    with pytest.raises(ConfigError, match=r"would replace .*link.md and 1 more files, which fgbench did not"):
        write(tmp_path, ["a.md", "mine.md", "link.md", "new.md"], "again")
    assert (tmp_path / "mine.md").read_text() == "mine"
    assert {path.name for path in tmp_path.iterdir()} == listed
    assert [(tmp_path / name).read_text() for name in before] == ["ours"] * len(before)


def test_what_was_not_written_in_the_end_is_not_taken_for_ours(tmp_path):
    with writing_in(tmp_path, ["a.md", "b.md"]):
        (tmp_path / "a.md").write_text("ours")
    (tmp_path / "b.md").write_text("mine")
    write(tmp_path, ["a.md"], "again")
    with pytest.raises(ConfigError, match=r"would replace .*b.md, which"):
        write(tmp_path, ["a.md", "b.md"])


def test_what_was_removed_and_made_by_the_user_is_the_users(tmp_path):
    write(tmp_path, ["a.md", "b.md"])
    (tmp_path / "b.md").unlink()
    write(tmp_path, ["a.md"])
    (tmp_path / "b.md").write_text("mine")
    with pytest.raises(ConfigError):
        write(tmp_path, ["b.md"])


@pytest.mark.parametrize("names", [[], ["a.md"]])
def test_nothing_written_leaves_no_list(tmp_path, names):
    with writing_in(tmp_path, names):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("damage", ["", "[]", "{}", '{"files": ["a.md"]}', "[" * 5000, "mkdir", "link"])
def test_a_damaged_list_counts_as_empty(tmp_path, damage):
    write(tmp_path, ["a.md"])
    path = tmp_path / LIST
    if damage == "mkdir":
        path.unlink()
        path.mkdir()
    elif damage == "link":
        path.rename(tmp_path / "elsewhere")
        path.symlink_to("elsewhere")
    else:
        path.write_text(damage)
    with pytest.raises(ConfigError, match=r"would replace .*a.md"):
        write(tmp_path, ["a.md"])
    write(tmp_path, ["b.md"])
    write(tmp_path, ["b.md"])
    assert not path.is_symlink()


def test_a_folder_with_files_in_the_place_of_the_list_stays(tmp_path):
    (tmp_path / LIST).mkdir()
    (tmp_path / LIST / "mine").touch()
    with pytest.raises(ResourceError, match="is a folder with files"):
        write(tmp_path, ["a.md"])


@pytest.mark.parametrize("where", ["", "reports", "reports/deep"])
def test_in_a_work_folder_our_names_are_ours(tmp_path, where):
    workfolder.mark(tmp_path)
    (tmp_path / where).mkdir(parents=True, exist_ok=True)
    (tmp_path / where / "index.md").write_text("of an earlier version")
    write(tmp_path / where, ["index.md"])
    assert (tmp_path / where / "index.md").read_text() == "ours"
    assert not list(tmp_path.rglob(LIST))


@pytest.mark.parametrize("where", ["manifests", "runs/plain_cnn/fold/0", "stages/faces", "mine"])
def test_results_of_a_work_folder_are_replaced_by_no_other_file(tmp_path, where):
    workfolder.mark(tmp_path)
    (tmp_path / where).mkdir(parents=True)
    (tmp_path / where / "predictions.parquet").write_text("of a run")
    with pytest.raises(ConfigError, match="would replace"):
        write(tmp_path / where, ["predictions.parquet"])
    assert (tmp_path / where / "predictions.parquet").read_text() == "of a run"


def test_a_folder_that_is_known_to_be_ours_needs_no_list(tmp_path):
    (tmp_path / "index.md").write_text("of an earlier version")
    write(tmp_path, ["index.md"], own=True)
    assert [path.name for path in tmp_path.iterdir()] == ["index.md"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_named_file_of_the_users_is_not_replaced(tmp_path, kind):
    path = tmp_path / "annotations.csv"
    check_named_file(path, kind)
    for content in (b"clip,label\n", b"", b"<!DOCTYPE html>\n<p>mine"):
        path.write_bytes(content)
        with pytest.raises(ConfigError, match=f"annotations.csv is there and is no {kind}"):
            check_named_file(path, kind)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(ConfigError, match="is there"):
        check_named_file(path, kind)


@pytest.mark.slow
def test_a_sheet_replaces_a_sheet_and_nothing_else(tmp_path):
    sheet = tmp_path / "sheet.png"
    for _ in range(2):
        done = CliRunner().invoke(app, ["synth", "--sheet", str(sheet)])
        assert done.exit_code == 0, done.output
    sheet.write_text("mine")
    done = CliRunner().invoke(app, ["synth", "--sheet", str(sheet)])
    assert (done.exit_code, sheet.read_text()) == (3, "mine")
