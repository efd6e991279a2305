"""``fgbench publish`` and ``fgbench rebuild`` as they are typed."""

import json
import shutil

import pytest
from typer.testing import CliRunner

from fgbench.cli.app import app
from tests.support.plain_data import write_plain_video


def typed(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


def test_publish_asks_for_without_pixels(plain, tmp_path):
    done = typed("publish", plain / "work", tmp_path / "out")
    assert done.exit_code == 3
    text = " ".join(done.stderr.split())
    assert "--without-pixels: not given" in text
    assert "plain Parquet and can be copied as they are: the licence of the clips decides" in text
    assert not (tmp_path / "out").exists()


def test_publish_tells_what_it_wrote(plain, tmp_path):
    out = tmp_path / "out"
    done = typed("publish", plain / "work", out, "--without-pixels", "--jobs", 1)
    assert done.exit_code == 0, done.output
    assert "clips: 9 clips, 54 frames, " in done.stdout
    assert "9 files of the data set; no picture" in done.stdout
    again = typed("publish", plain / "work", out, "--without-pixels", "--jobs", 1, "--json")
    report = json.loads(again.stdout)
    assert (report["dataset"], report["sources"], report["rows"]["faces"]) == ("clips", 9, 54)


def test_publish_of_other_folders_is_refused(plain, tmp_path):
    done = typed("publish", plain / "clips", tmp_path / "out", "--without-pixels")
    assert done.exit_code == 4
    assert "is a folder of data" in done.stderr
    (tmp_path / "empty").mkdir()
    assert typed("publish", tmp_path / "empty", tmp_path / "out", "--without-pixels").exit_code == 7
    done = typed("publish", plain / "work", plain / "clips", "--without-pixels")
    assert done.exit_code == 3
    assert "is no publication of fgbench, and not empty" in done.stderr


@pytest.mark.slow
def test_rebuild_exits_with_0_only_if_it_is_the_same(plain, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(plain / "out", "shared")
    shutil.copytree(plain / "clips" / "videos", "mine/videos")
    done = typed("rebuild", "shared", "--data-root", "mine", "--jobs", 1)
    assert done.exit_code == 0, done.output
    assert "clips is the published data set: 9 clips, 54 frames" in done.stdout
    assert (tmp_path / "fgbench-data" / "shared-rebuilt" / "work" / "manifests" / "index.json").is_file()
    write_plain_video(tmp_path / "mine" / "videos" / "film0" / "c0.mp4", 77)
    (tmp_path / "mine" / "videos" / "film0" / "c2.mp4").unlink()
    done = typed("rebuild", "shared", "--data-root", "mine", "--jobs", 1)
    assert done.exit_code == 7
    assert "clips is not the published data set: 2 of 9 clips differ" in done.stdout
    assert "missing: 1 (videos/film0/c2.mp4)" in done.stdout
    assert "other bytes: 1 (videos/film0/c0.mp4)" in done.stdout
    assert "bring the files that are missing or other" in done.stderr
    done = typed("rebuild", "shared", "--data-root", "mine", "--jobs", 1, "--json")
    assert done.exit_code == 7
    report = json.loads(done.stdout)
    assert report["same"] is False
    assert {one["clip_id"]: (one["missing"], one["other_bytes"]) for one in report["differences"]} == {
        "film0/c0": (False, True),
        "film0/c2": (True, False),
    }


def test_rebuild_needs_a_publication_and_clips(plain, tmp_path):
    assert typed("rebuild", plain / "out").exit_code == 2
    assert typed("rebuild", plain / "work", "--data-root", plain / "clips").exit_code == 7
    done = typed(
        "rebuild", plain / "out", "--data-root", tmp_path / "nowhere", "--workdir", tmp_path / "work"
    )
    assert done.exit_code == 4
    assert "give the folder of the clips" in done.stderr
