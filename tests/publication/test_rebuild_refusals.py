"""Publications and folders that ``fgbench rebuild`` refuses: damaged, hostile, in the way of others."""

import json
import os
import shutil

import pyarrow.parquet as pq
import pytest

from fgbench import storage
from fgbench.errors import ConfigError, DatasetError, ManifestError, ResourceError
from fgbench.workfolders.sealed_json import read_sealed, write_sealed
from tests.support.rebuilt_work import made, rewritten, sealed_again

pytestmark = pytest.mark.slow


@pytest.fixture
def clips(plain, tmp_path):
    """The clips alone, without annotations, in a folder of their own."""
    shutil.copytree(plain / "clips" / "videos", tmp_path / "mine" / "videos")
    return tmp_path / "mine"


HOSTILE = [
    "../secret.mp4",
    "/etc/passwd",
    "videos/../../secret.mp4",
    "",
    ".fgbench-published/entries.parquet",
]


@pytest.mark.parametrize("path", HOSTILE)
@pytest.mark.parametrize("table", ["files.parquet", "entries.parquet"])
def test_paths_that_lead_out_are_refused(plain, clips, tmp_path, path, table):
    out = tmp_path / "out"
    shutil.copytree(plain / "out", out)

    def led_astray(row):
        return {**row, "path": path} if row["path"].endswith("c0.mp4") else row

    sealed_again(out, lambda folder: rewritten(folder / table, led_astray))
    with pytest.raises(ManifestError, match="expected the path of a file below the folder of the clips"):
        made(out, clips, tmp_path / "work")
    assert not (tmp_path / "work").exists()


def test_a_file_that_is_a_folder_too_is_refused(plain, clips, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(plain / "out", out)

    def below(row):
        return {**row, "path": "videos/film1/c1.mp4/x"} if row["path"].endswith("c0.mp4") else row

    sealed_again(out, lambda folder: rewritten(folder / "files.parquet", below))
    with pytest.raises(ManifestError, match="both as a file and as the folder"):
        made(out, clips, tmp_path / "work")


@pytest.mark.parametrize("name", ["faces/train.parquet", "votes.parquet", "recipe.yaml"])
def test_damaged_and_missing_files_are_refused(plain, clips, tmp_path, name):
    out = tmp_path / "out"
    shutil.copytree(plain / "out", out)
    data = bytearray((out / name).read_bytes())
    data[len(data) // 2] ^= 1
    (out / name).write_bytes(data)
    with pytest.raises(ManifestError, match=f"{name} is damaged"):
        made(out, clips, tmp_path / "work")
    (out / name).unlink()
    with pytest.raises(ManifestError, match=f"{name} is missing"):
        made(out, clips, tmp_path / "work")
    (out / name).symlink_to(plain / "out" / name)
    with pytest.raises(ResourceError, match=f"{name} is a link"):
        made(out, clips, tmp_path / "work")
    assert not (tmp_path / "work").exists()


def test_tables_of_other_columns_and_indices_of_others_are_refused(plain, clips, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(plain / "out", out)
    reported = pq.read_table(out / "files.parquet").rename_columns(["path", "sha256", "size"])
    sealed_again(out, lambda folder: storage.write_table(folder / "files.parquet", reported))
    with pytest.raises(ManifestError, match="lacks the columns bytes"):
        made(out, clips, tmp_path / "work")
    index = read_sealed(out / "published.json")
    for files in ({"../README.md": {"sha256": "0" * 64}}, {"work/prepare.json": {"sha256": "0" * 64}}):
        write_sealed(out / "published.json", {**index, "files": files})
        with pytest.raises(ManifestError, match="is no index of a publication"):
            made(out, clips, tmp_path / "work")
    write_sealed(out / "published.json", {**index, "files": {}})
    with pytest.raises(ManifestError, match=r"lists no entries.parquet"):
        made(out, clips, tmp_path / "work")
    write_sealed(out / "published.json", {**index, "format": 99})
    with pytest.raises(ManifestError, match="format 99"):
        made(out, clips, tmp_path / "work")
    (out / "published.json").write_text(json.dumps(index))
    with pytest.raises(ManifestError, match="does not bear the digest"):
        made(out, clips, tmp_path / "work")


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("files.parquet", "path", None),
        ("entries.parquet", "clip_id", None),
        ("entries.parquet", "split", "training"),
        ("votes.parquet", "round", None),
    ],
)
def test_values_that_cannot_be_are_refused(plain, clips, tmp_path, table, column, value):
    out = tmp_path / "out"
    shutil.copytree(plain / "out", out)
    rows = pq.read_table(out / table)
    row = dict.fromkeys(rows.column_names) | {"clip_id": "x", "path": "x", "annotator": "a", "sha256": "0"}
    row = {name: row[name] for name in rows.column_names} | {column: value}
    added = type(rows).from_pylist([*rows.to_pylist(), row], rows.schema)
    sealed_again(out, lambda folder: storage.write_table(folder / table, added))
    with pytest.raises(ManifestError, match=f"rows without a value that can be in .*{column}"):
        made(out, clips, tmp_path / "work")


def test_a_recipe_that_names_files_elsewhere_is_refused(plain, clips, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(plain / "out", out)
    index = read_sealed(out / "published.json")
    index["asked"]["protocol"]["fold_file"] = "/etc/passwd"
    write_sealed(out / "published.json", index)
    with pytest.raises(ManifestError, match="expected a name without folders"):
        made(out, clips, tmp_path / "work")


def test_folders_that_are_not_its_own_are_left_alone(plain, clips, tmp_path):
    with pytest.raises(DatasetError, match="no folder"):
        made(plain / "out", tmp_path / "nowhere", tmp_path / "work")
    with pytest.raises(ConfigError, match="is the work folder of the data set"):
        made(plain / "out", clips, plain / "work")
    (tmp_path / "mess").mkdir()
    (tmp_path / "mess" / "thesis.txt").write_text("all of it")
    with pytest.raises(ConfigError, match="is no work folder of fgbench, and not empty"):
        made(plain / "out", clips, tmp_path / "mess")
    with pytest.raises(ManifestError, match="is no publication"):
        made(clips, clips, tmp_path / "work")
    assert not (tmp_path / "work").exists()


def test_what_is_in_the_way_of_links_is_left_alone(plain, clips, tmp_path):
    work = tmp_path / "work"
    made(plain / "out", clips, work)
    link = work / "source" / "videos" / "film0" / "c0.mp4"
    assert link.is_symlink()
    shutil.rmtree(work / "source" / "videos" / "film0")
    (work / "source" / "videos" / "film0").symlink_to(tmp_path)
    with pytest.raises(ResourceError, match="nothing is written behind it"):
        made(plain / "out", clips, work)
    assert not (tmp_path / "c0.mp4").exists()
    shutil.rmtree(work / "source" / ".fgbench-published")
    (work / "source" / "videos" / "film0").unlink()
    with pytest.raises(ResourceError, match="fgbench rebuild has not made it"):
        made(plain / "out", clips, work)


def test_pipes_and_broken_links_among_the_clips_are_missing(plain, clips, tmp_path):
    one, other = (clips / "videos" / name for name in ("film0/c0.mp4", "film1/c1.mp4"))
    one.unlink()
    os.mkfifo(one)
    other.unlink()
    other.symlink_to(tmp_path / "gone.mp4")
    actual = made(plain / "out", clips, tmp_path / "work").differences
    assert [(clip.clip_id, clip.missing) for clip in actual] == [("film0/c0", True), ("film1/c1", True)]
