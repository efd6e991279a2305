"""A clip in which somebody passes by, from the file to what people are told."""

import json

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from fgbench.cli.app import app
from fgbench.config import FacesConfig
from fgbench.inference.pictures import predict_file
from fgbench.methods.msau.opened import open_network
from fgbench.preparation.report import face_lines
from fgbench.runs.weights import read_trained
from fgbench.storage import read_rows
from tests.support.face_frames import pasted, pictures, runs
from tests.support.tiny_runs import write_tiny_weights
from tests.support.video_files import write_clip


@pytest.fixture(scope="module")
def workdir(face_clips, tmp_path_factory):
    """One clip of somebody who stays, before whom a larger face passes, and one without a passer-by."""
    folder = tmp_path_factory.mktemp("passing")
    near = pictures(face_clips / "single_face.mp4", 60)
    alone = [pasted(near[index], 0.5, 0, 20) for index in range(60)]
    crowded = list(alone)
    for index, x in enumerate([560, 490, 420, 370, 340, 320, 320, 340, 370, 420, 490, 560]):
        crowded[20 + index] = pasted(near[index][40:330, 180:420], 0.9, x, 60, alone[20 + index])
    (folder / "in" / "videos").mkdir(parents=True)
    write_clip(folder / "in" / "videos" / "alone.mp4", 60, size=(640, 360), pictures=alone)
    write_clip(folder / "in" / "videos" / "crowded.mp4", 60, size=(640, 360), pictures=crowded)
    (folder / "in" / "annotations.csv").write_text("clip,label\nalone,anger\ncrowded,anger\n")
    recipe = folder / "recipe.yaml"
    recipe.write_text("name: passing\nfaces: {redetect_every: 2}\nlbp: {enabled: false}\n")
    words = ["prepare", str(recipe), "--data-root", str(folder / "in"), "--workdir", str(folder / "work")]
    done = CliRunner().invoke(app, [*words, "--jobs", "1"])
    assert done.exit_code == 0, done.output
    (folder / "said").write_text(done.output)
    return folder / "work"


@pytest.mark.slow
def test_somebody_who_passes_by_is_not_the_face_of_the_clip(workdir):
    rows = [row for path in sorted((workdir / "manifests" / "faces").iterdir()) for row in read_rows(path)]
    crowded = [row for row in rows if row["clip_id"].startswith("crowded")]
    assert runs([(row["status"], row["track_id"]) for row in crowded]) == [
        (("ok", 0), 22),
        (("passing", 1), 9),
        (("ok", 0), 29),  # the same person as before
    ]
    assert all(row["image"] is not None for row in crowded)
    images = [
        row["frame_index"]
        for path in sorted((workdir / "manifests" / "images").iterdir())
        for row in read_rows(path)
        if row["clip_id"] == "crowded" and row["parent_id"] is None
    ]
    assert images == [31, 32, 33]  # of 27 to 33: 27 to 30 show the passer-by


@pytest.mark.slow
def test_tracks_and_people_are_counted_and_told(workdir):
    clips = {row["clip_id"]: row for row in read_rows(workdir / "manifests" / "clips.parquet")}
    names = ("n_tracks", "n_persons", "n_passing", "n_unsure", "n_faces_ok")
    assert [clips["alone"][name] for name in names] == [1, 1, 0, 0, 60]
    assert [clips["crowded"][name] for name in names] == [2, 2, 9, 0, 51]
    text = (workdir.parent / "said").read_text()
    status = CliRunner().invoke(app, ["status", str(workdir)]).output
    card = (workdir / "manifests" / "README.md").read_text()
    several = "1 of 2 clips shows several people at once"
    passing = "9 frames of 1 clip with somebody for a moment"
    assert all(line in reported for line in (several, passing) for reported in (text, status, card))
    index = json.loads((workdir / "manifests" / "index.json").read_text())
    assert (index["faces"]["several"], index["faces"]["passing"]) == (1, 9)


def test_unsure_frames_are_counted_and_told_not_used():
    faces = {"several": 0, "passing": 0, "passing_clips": 0}
    lines = face_lines({**faces, "unsure": 1200, "unsure_clips": 30, "only_unsure": 2}, 400)
    assert len(lines) == 1
    assert "1,200 frames of 30 clips" in lines[0]
    assert "2 of these clips have no other face" in lines[0]
    assert face_lines({**faces, "unsure": 0, "unsure_clips": 0, "only_unsure": 0}, 400) == []
    assert face_lines(None, 400) == []


@pytest.mark.slow
def test_predict_tells_the_same_of_the_clip(workdir, tmp_path):
    network = open_network(read_trained(write_tiny_weights(tmp_path / "w.safetensors")), torch.device("cpu"))
    path, frames = workdir.parent / "in" / "videos" / "crowded.mp4", tmp_path / "frames.parquet"
    prediction = predict_file(path, network, FacesConfig(redetect_every=2, chip_size=224), frames_to=frames)
    rows = list(read_rows(frames))
    assert runs([(row["status"], row["track_id"]) for row in rows]) == [
        (("ok", 0), 22),
        (("passing", 1), 9),
        (("ok", 0), 29),
    ]
    assert prediction.statuses == {"ok": 51, "passing": 9}
    assert prediction.n_tracks == 1
    counted = [row["probabilities"] for row in rows if row["status"] == "ok"]
    np.testing.assert_allclose(prediction.probabilities.fine, np.mean(counted, axis=0), atol=1e-6)
    assert prediction.portrait.frame_index not in range(22, 31)
    assert all(row["probabilities"] is None for row in rows if row["status"] == "passing")
