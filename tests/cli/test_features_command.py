"""``fgbench features``: the table of one video equals the stage's, and what goes wrong is explained."""

import json

import cv2
import numpy as np
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from fgbench import records
from fgbench.cli.app import app
from fgbench.features import trajectory_file
from fgbench.features.dense_trajectories import dense_trajectories
from fgbench.media.video import open_video
from tests.support.video_files import copy_stream, cut, write_clip

N_FRAMES = 24


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """Texture that shifts by 2 px per frame, 200 x 120 px."""
    path = tmp_path_factory.mktemp("features") / "moving.mp4"
    noise = np.random.default_rng(0).normal(size=(120, 260)).astype(np.float32)
    texture = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 2.5), None, 0, 255, cv2.NORM_MINMAX)
    pictures = (
        np.repeat(texture[:, 2 * k : 2 * k + 200, None], 3, axis=2).astype(np.uint8) for k in range(N_FRAMES)
    )
    write_clip(path, size=(200, 120), pictures=pictures)
    return path


def fgbench(*arguments):
    return CliRunner().invoke(app, ["features", "dense-trajectories", *map(str, arguments)])


@pytest.mark.slow
def test_table_has_the_columns_of_the_manifests_and_the_rows_of_the_library(clip, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(trajectory_file, "ROWS_PER_GROUP", 100)
    done = fgbench(clip, "--max-side", 160)
    assert done.exit_code == 0, done.stderr
    path = tmp_path / "moving.dense_trajectories.parquet"
    table = pq.read_table(path)
    assert table.schema.equals(records.schema("dense_trajectories"))
    assert done.stdout == (
        f"{table.num_rows:,} trajectories in 24 frames of 160x96 px: {path.name} "
        f"({path.stat().st_size / 1e6:.1f} MB)\n"
    )
    with open_video(clip) as reader:
        small = [cv2.resize(f.rgb(), (160, 96), interpolation=cv2.INTER_AREA) for f in reader.frames()]
    expected = dense_trajectories(small)
    assert table.num_rows == len(expected) > 200
    assert pq.ParquetFile(path).metadata.num_row_groups > 1, "rows are written as they come"
    assert set(table["clip_id"].to_pylist()) == {"moving"}
    for name in table.column_names[1:]:
        values = np.array(table[name].to_pylist(), getattr(expected, name).dtype)
        np.testing.assert_array_equal(values, getattr(expected, name), err_msg=name)


@pytest.mark.slow
def test_a_file_that_is_there_is_replaced_only_on_demand(clip, tmp_path):
    target = tmp_path / "deep" / "t.parquet"
    assert fgbench(clip, "--out", target).exit_code == 0
    first = target.read_bytes()
    refused = fgbench(clip, "--out", target, "--max-side", 100)
    assert refused.exit_code == 2
    assert "force replaces it" in refused.stderr
    assert target.read_bytes() == first
    done = fgbench(clip, "--out", target, "--max-side", 100, "--force", "--json")
    report = json.loads(done.stdout)
    assert report.pop("trajectories") == pq.read_metadata(target).num_rows
    assert report == {
        "path": str(target),
        "clip_id": "moving",
        "frames": N_FRAMES,
        "width": 100,
        "height": 60,
        "bytes": target.stat().st_size,
    }
    assert done.stderr == ""
    assert [path.name for path in target.parent.iterdir()] == ["t.parquet"]


@pytest.mark.parametrize(
    ("make", "code", "message"),
    [
        (lambda path: None, 5, "does not exist"),
        (lambda path: path.write_text("no film"), 5, "is not a video file"),
        (lambda path: path.write_bytes(b""), 5, "is empty"),
        (lambda path: path.mkdir(), 5, "is a folder"),
    ],
    ids=["missing", "text", "empty", "folder"],
)
def test_what_is_no_video_is_explained(tmp_path, monkeypatch, make, code, message):
    monkeypatch.chdir(tmp_path)
    make(tmp_path / "x.mp4")
    done = fgbench("x.mp4")
    assert done.exit_code == code
    assert message in done.stderr
    assert not list(tmp_path.glob("*.parquet*"))


def test_frames_that_become_too_small_leave_nothing_behind(clip, tmp_path):
    done = fgbench(clip, "--out", tmp_path / "t.parquet", "--max-side", 40)
    assert done.exit_code == 5
    assert "frames are 40 x 24 px" in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_a_file_without_its_end_is_an_error_and_leaves_nothing(clip, tmp_path):
    broken = cut(copy_stream(clip, tmp_path / "whole.mkv"), tmp_path / "cut.mkv", fraction=0.6)
    done = fgbench(broken, "--out", tmp_path / "t.parquet")
    assert done.exit_code == 5, done.stdout
    assert not list(tmp_path.glob("t.parquet*"))


def test_a_file_where_the_folder_should_be_is_explained(clip, tmp_path):
    (tmp_path / "file").touch()
    done = fgbench(clip, "--out", tmp_path / "file" / "t.parquet")
    assert done.exit_code == 8
    assert "a file stands where a folder is needed" in done.stderr


def test_a_folder_cannot_be_the_file(clip, tmp_path):
    done = fgbench(clip, "--out", tmp_path)
    assert done.exit_code == 2
    assert "is a folder" in done.stderr


@pytest.mark.parametrize("force", [[], ["--force"]])
@pytest.mark.parametrize("other_name", [None, "symlink_to", "hardlink_to"])
def test_the_table_cannot_take_the_place_of_its_video(clip, tmp_path, force, other_name):
    video = tmp_path / "clip.mp4"
    video.write_bytes(clip.read_bytes())
    out = video
    if other_name:
        out = tmp_path / "other.parquet"
        getattr(out, other_name)(video)
    refused = fgbench(video, "--out", out, *force)
    assert refused.exit_code == 3
    assert "is the video itself" in refused.stderr
    assert video.read_bytes() == clip.read_bytes()
