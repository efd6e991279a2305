"""``fgbench prepare`` touches nothing of the user's: not beside its files, not behind links, not in folders
that it did not make."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from fgbench.config import PrepareConfig
from fgbench.errors import ConfigError, ManifestError, ResourceError
from fgbench.files.temporaries import temporary_name
from fgbench.preparation import prepare
from fgbench.workfolders import folder as workfolder
from tests.support.clip_folders import contents, write_folder


def recipe():
    return PrepareConfig.model_validate(
        {"name": "test", "buckets": 1, "faces": {"align": "never"}, "lbp": {"enabled": False}}
    )


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return write_folder(tmp_path_factory.mktemp("data") / "in", 1, n_frames=3)


@pytest.fixture(scope="module")
def made(root, tmp_path_factory):
    """A finished work folder."""
    work = tmp_path_factory.mktemp("made") / "work"
    prepare.run(recipe(), root, work)
    return work


@pytest.fixture
def work(made, tmp_path):
    """A copy of it."""
    return shutil.copytree(made, tmp_path / "work")


@pytest.mark.parametrize(
    "names",
    [
        ["manifests/my.txt"],
        ["notes.tmp-2024.docx", "deep/backup.tmp-final.zip"],
        ["thesis.tex"],
        ["prepare.json"],
        [".fgbench-work.json"],
        [".verified.json"],
    ],
)
def test_a_folder_with_files_of_the_users_is_refused_and_left(root, tmp_path, names):
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text('{"mine": 1}')
    before = contents(tmp_path)
    with pytest.raises(ConfigError, match=r"no work folder of fgbench, and not empty: it holds '") as refused:
        prepare.run(recipe(), root, tmp_path)
    assert repr(names[0].split("/")[0]) in str(refused.value) or len(names) > 1
    assert "choose an empty folder" in refused.value.hint
    assert contents(tmp_path) == before


def test_the_data_set_itself_is_refused(root):
    before = contents(root)
    with pytest.raises(ConfigError, match=r"'annotations.csv', 'videos'"):
        prepare.run(recipe(), root, root)
    assert contents(root) == before


@pytest.mark.slow
def test_the_command_refuses_with_its_code(root, tmp_path):
    (tmp_path / "thesis.tex").write_text("mine")
    command = [sys.executable, "-m", "fgbench", "prepare", "--data-root", str(root), "--workdir", "."]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert "'thesis.tex'" in done.stderr
    assert "Traceback" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize("strange", [[], [".DS_Store"], [".lock", "lost+found"]])
def test_an_empty_folder_is_taken(root, tmp_path, strange):
    for name in strange:
        (tmp_path / name).touch()
    prepare.run(recipe(), root, tmp_path)
    assert prepare.run(recipe(), root, tmp_path).done == 0


def test_a_run_that_was_killed_at_its_first_file_is_continued(root, tmp_path):
    name = temporary_name(tmp_path / workfolder.MARKER).name
    (tmp_path / f"{name}1").write_text('{"ki')  # of a process that started at another time
    prepare.run(recipe(), root, tmp_path)
    assert not list(tmp_path.glob(".*.fgbench-*"))


def test_a_work_folder_of_an_earlier_version_still_opens(root, work):
    (work / workfolder.MARKER).unlink()
    assert prepare.run(recipe(), root, work).done == 0
    assert (work / workfolder.MARKER).is_file()


@pytest.mark.parametrize("damage", ["{}", "[]", "1", '"x"', "NaN", "[" * 5000, None])
def test_a_marked_folder_mends_what_tells_its_recipe(root, work, damage):
    whole = (work / "prepare.json").read_bytes()
    if damage is None:
        (work / "prepare.json").write_bytes(b"\xff\xfe")
    else:
        (work / "prepare.json").write_text(damage)
    with pytest.raises(ManifestError, match=r"prepare\.json"):
        prepare.saved(work)
    assert prepare.run(recipe(), root, work).done == 0
    assert (work / "prepare.json").read_bytes() == whole


@pytest.mark.parametrize(
    "damage", [{"recipe": {}, "root": "x"}, {"recipe": {"name": 1, "dataset": {}}, "root": "x"}]
)
def test_a_recipe_that_is_none_is_told(tmp_path, damage):

    (tmp_path / "prepare.json").write_text(json.dumps(damage))
    with pytest.raises(ManifestError, match=r"prepare\.json"):
        prepare.saved(tmp_path)


def test_a_folder_of_a_newer_version_is_refused(root, work):
    marker = work / workfolder.MARKER
    marker.write_text(marker.read_text().replace("1", "2"))
    with pytest.raises(ManifestError, match="format 2, expected at most 1"):
        prepare.run(recipe(), root, work)


@pytest.mark.parametrize(
    "name", ["manifests", "stages", "plans", "runs", "cache", "folds", "reports", "audit", "manifests/images"]
)
def test_a_folder_that_is_a_link_is_refused(root, work, tmp_path, name):
    mine = tmp_path / "mine"
    (mine / "sub").mkdir(parents=True)
    for kept in ("keep.txt", "sub/k2.txt", "t.parquet.tmp-9999999"):
        (mine / kept).write_text("mine")
    before = contents(mine)
    if (work / name).exists():
        (work / name).rename(tmp_path / "moved")
    (work / name).symlink_to(mine)
    with pytest.raises(ResourceError, match=rf"{name} is a link to .*mine"):
        prepare.run(recipe(), root, work)
    assert contents(mine) == before


def test_a_file_in_place_of_a_folder_is_explained(root, tmp_path):
    (tmp_path / "work").write_text("mine")
    for work in (tmp_path / "work", tmp_path / "work" / "below"):
        with pytest.raises(ResourceError, match="is a file, or lies below one"):
            prepare.run(recipe(), root, work)
    assert (tmp_path / "work").read_text() == "mine"


def test_files_beside_its_own_stay(root, work):
    """Also those that bear a temporary's name of earlier versions, or of a process that lives."""
    (work / "runs" / "cnn" / "0" / "0").mkdir(parents=True)
    kept = [
        work / "notes.tmp-2024.docx",
        work / "t.parquet.tmp-9999999",
        work / "mine" / "t.parquet.tmp-9999999",
        temporary_name(work / "runs" / "cnn" / "0" / "0" / "checkpoint.pt"),
        work / "runs" / "cnn" / "0" / "0" / f"checkpoint.pt.tmp-{os.getpid()}",
    ]
    swept = [work / "stages" / "t.parquet.tmp-9999999", work / "prepare.json.tmp-9999999"]
    for path in (*kept, *swept):
        path.parent.mkdir(exist_ok=True)
        path.write_text("x")
    prepare.run(recipe(), root, work)
    assert [path.name for path in kept if not path.exists()] == []
    assert [path.name for path in swept if path.exists()] == []


def test_pruning_leaves_other_files_in_the_stages(root, work):
    other = recipe().model_copy(update={"augment": recipe().augment.model_copy(update={"copies": 2})})
    prepare.run(other, root, work)
    mine = [work / "stages" / "notes.txt", work / "stages" / "augment" / "mine.parquet"]
    for path in mine:
        path.write_text("mine")
    unused = prepare.unused_files(other, root, work)
    assert unused
    assert {path.parent.name for path in unused} == {"augment"}
    assert not set(mine) & set(unused)
