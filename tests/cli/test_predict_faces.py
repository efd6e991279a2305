"""``fgbench predict``: which faces of the user's own files are looked at, and how they are shown."""

import json
from pathlib import Path

import cv2
import numpy as np
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from fgbench.cli.app import app
from fgbench.inference.own_networks import input_settings
from fgbench.runs.weights import read_trained
from tests.support.tiny_runs import write_tiny_weights
from tests.support.video_files import write_clip

DLIB = {"align": "always", "geometry": "dlib", "padding": 0.4, "grey": False}
FACE = {"align": "always", "geometry": "face", "padding": None, "grey": False}


@pytest.mark.parametrize(
    ("origin", "expected"),
    [(FACE, ("face", None)), (DLIB, ("dlib", 0.4)), (None, ("dlib", 0.25))],  # None: of an earlier version
)
def test_faces_lie_as_in_training(tmp_path, origin, expected):
    trained = read_trained(write_tiny_weights(tmp_path / "w.safetensors", faces=origin))
    faces = input_settings(trained).faces
    assert (faces.geometry, faces.padding) == expected


@pytest.mark.parametrize(
    ("recipe", "expected"),
    [({"padding": 0.4}, 0.4), ({"geometry": "dlib"}, 0.25), ({"geometry": "face"}, 0.25), ({}, 0.25)],
)
def test_weights_of_an_earlier_version_saw_dlibs_geometry_whatever_their_folder_is_now(
    tmp_path, recipe, expected
):
    """Prepared anew, the work folder has the geometry ``face``, which is newer than they are."""
    whole = {"name": "x", "dataset": {"name": "x"}, "faces": recipe}
    (tmp_path / "prepare.json").write_text(json.dumps({"recipe": whole, "root": "/x"}))
    run = tmp_path / "runs/tiny/0/0"
    run.mkdir(parents=True)
    faces = input_settings(read_trained(write_tiny_weights(run / "weights.safetensors"))).faces
    assert (faces.geometry, faces.padding) == ("dlib", expected)


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def run(tmp_path):
    """A run in a work folder of crops that were taken as they are; and nothing else."""
    folder = tmp_path / "elsewhere" / "work"
    (folder / "runs/tiny/0/0").mkdir(parents=True)
    write_tiny_weights(folder / "runs/tiny/0/0/weights.safetensors")
    recipe = {"name": "crops", "dataset": {"name": "crops"}, "faces": {"align": "never"}}
    (folder / "prepare.json").write_text(json.dumps({"recipe": recipe, "root": "/gone"}))
    return folder / "runs/tiny"


def predict(*arguments):
    return CliRunner().invoke(app, ["predict", *map(str, arguments), "--device", "cpu"])


@pytest.mark.slow
def test_several_people_are_told_and_each_has_a_row_on_demand(run, face_clips, tmp_path, monkeypatch):
    """In a folder that has nothing of fgbench. The picture was "ok" as a whole."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    picture, out = face_clips / "multi_face.jpg", tmp_path / "out"
    alone = predict(run, picture, "--out", out)
    assert alone.exit_code == 5  # nobody of them is the largest
    assert "ambiguous" in alone.stdout
    assert "people in the picture; nothing is said of any of them; --all-faces" in alone.stdout
    done = predict(run, picture, "--out", out, "--all-faces", "--json")
    assert done.exit_code == 0, done.output
    files = json.loads(done.stdout)["files"]
    assert len(files) >= 4
    assert [item["face"] for item in files] == list(range(1, len(files) + 1))
    assert all(item["status"] == "ok" and item["align"] == "similarity" for item in files)
    assert len({tuple(item["box"]) for item in files}) == len(files)
    assert len({item["picture"] for item in files}) == len(files)
    assert all(Path(item["picture"]).is_file() for item in files)
    table = pq.read_table(out / "predictions.parquet").to_pylist()
    assert [row["face"] for row in table] == [item["face"] for item in files]
    assert list(here.iterdir()) == []


@pytest.mark.slow
def test_that_not_all_faces_are_drawn_is_told_once(run, face_clips, tmp_path, monkeypatch):
    for module in ("file_output", "drawn_files"):
        monkeypatch.setattr(f"fgbench.inference.{module}.MOST_DRAWN", 2)
    out = tmp_path / "out"
    done = predict(run, face_clips / "multi_face.jpg", "--out", out, "--all-faces")
    assert done.exit_code == 0, done.output
    assert done.stdout.count("the first 2 faces of a picture are drawn, the others are in the table") == 1
    assert len(list(out.glob("*.png"))) == 2
    assert pq.read_table(out / "predictions.parquet").num_rows >= 4


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a.png", "clip.mp4"])
def test_what_shows_no_face_has_no_prediction(run, tmp_path, name):
    path = tmp_path / name
    blank = np.full((240, 320, 3), 90, np.uint8)
    if name.endswith("png"):
        path.write_bytes(cv2.imencode(".png", blank)[1].tobytes())
    else:
        write_clip(path, size=(320, 240), pictures=[blank] * 8)
    done = predict(run, path, "--out", tmp_path / "out")
    assert done.exit_code == 5
    assert "no face was found" in done.stdout


@pytest.mark.parametrize("below", [".", "runs"])
def test_a_work_folder_in_place_of_its_run_names_its_runs(run, tmp_path, monkeypatch, below):
    """Not those of ./fgbench-data, which is not there."""
    monkeypatch.chdir(tmp_path)
    second = run.parent / "other/0/0"
    second.mkdir(parents=True)
    write_tiny_weights(second / "weights.safetensors")
    given = run.parents[1] / below
    refused = predict(given, "a.png")
    assert refused.exit_code == 7
    assert f"{given} is neither a file of weights nor a run" in refused.stderr
    assert f"runs with weights in {run.parents[1]}: other, tiny" in refused.stderr
    assert not (tmp_path / "fgbench-data").exists()


def test_a_folder_without_runs_says_so(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bare").mkdir()
    refused = predict("bare", "a.png")
    assert refused.exit_code == 7
    assert "no run in bare has weights" in refused.stderr
