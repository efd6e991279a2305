"""Choices of the faces stage, and clips whose frames cannot all be used."""

import json

import cv2
import numpy as np
import pytest
import skimage.data
from typer.testing import CliRunner

from fgbench.cli.app import app
from fgbench.config import PrepareConfig
from fgbench.errors import ConfigError, DependencyError
from fgbench.media.images import decode
from fgbench.preparation import prepare
from fgbench.storage import read_rows
from tests.support.clip_folders import write_folder
from tests.support.video_files import flip_bytes, write_clip


def folder(root, name="clip.mp4", label="anger"):
    (root / "videos").mkdir(parents=True, exist_ok=True)
    with (root / "annotations.csv").open("a") as file:
        if file.tell() == 0:
            file.write("clip,label,key_frame\n")
        file.write(f"{name},{label},3\n")
    return root / "videos" / name


def faces_of(root, work, **sections):
    prepare.run(PrepareConfig.model_validate({"name": "faces", **sections}), root, work)
    return [row for path in sorted((work / "manifests" / "faces").iterdir()) for row in read_rows(path)]


@pytest.mark.slow
def test_damaged_frames_are_recorded_not_left_out(tmp_path):
    whole = write_clip(tmp_path / "whole.mp4", 40)
    flip_bytes(whole, folder(tmp_path / "in"), seed=3, n_bytes=2)
    rows = faces_of(tmp_path / "in", tmp_path / "work", faces={"align": "never"})
    assert [row["frame_index"] for row in rows] == list(range(40))
    statuses = {row["status"] for row in rows}
    assert "corrupt_frame" in statuses
    assert statuses <= {"ok", "corrupt_frame", "not_decoded"}
    assert all((row["image"] is not None) == (row["status"] == "ok") for row in rows)
    images = [
        row for path in (tmp_path / "work" / "manifests" / "images").iterdir() for row in read_rows(path)
    ]
    usable = {row["frame_index"] for row in rows if row["status"] == "ok"}
    assert {row["frame_index"] for row in images} <= usable


@pytest.mark.slow
def test_decord_gives_the_same_frames_and_is_named_in_the_manifest(tmp_path):
    write_clip(
        folder(tmp_path / "in"), 20, options={"preset": "ultrafast", "crf": "18", "bf": "0", "g": "10"}
    )
    whole = {"align": "never", "format": "png", "chip_size": 96}
    pyav = faces_of(tmp_path / "in", tmp_path / "pyav", faces=whole)
    decord = faces_of(tmp_path / "in", tmp_path / "decord", faces=whole, ingest={"decoder": "decord"})
    (clip,) = read_rows(tmp_path / "decord" / "manifests" / "clips.parquet")
    assert clip["decoder"] == "decord"
    assert [row["frame_index"] for row in decord] == [row["frame_index"] for row in pyav] == list(range(20))
    for first, second in zip(pyav, decord, strict=True):
        difference = np.abs(decode(first["image"]["bytes"]).astype(int) - decode(second["image"]["bytes"]))
        assert difference.max() <= 2


@pytest.mark.slow
def test_five_points_align_without_pose(tmp_path, face_clips):
    path = folder(tmp_path / "in", "single_face.mp4")
    path.write_bytes((face_clips / "single_face.mp4").read_bytes())
    sections = {"sample": {"video": "none", "before": 1, "after": 1}}
    rows = faces_of(tmp_path / "in", tmp_path / "work", faces={"landmarks": 5}, **sections)
    assert [row["status"] for row in rows] == ["ok"] * 3
    for row in rows:
        points = np.asarray(row["landmarks"]).reshape(68, 2)
        assert np.isfinite(points[:5]).all()
        assert np.isnan(points[5:]).all()
        assert np.isnan(row["yaw_deg"])
        assert decode(row["image"]["bytes"]).shape == (224, 224, 3)


@pytest.mark.parametrize(
    ("faces", "error", "message"),
    [
        ({"detector": "yunet"}, ConfigError, "needs a model file"),
        ({"detector": "yunet", "detector_model": "absent.onnx"}, DependencyError, "absent.onnx"),
        ({"detector": "dlib-hogg"}, ConfigError, "did you mean"),
    ],
)
def test_detectors_that_cannot_be_used_are_explained(tmp_path, faces, error, message):
    root = write_folder(tmp_path / "in", 1)
    with pytest.raises(error) as caught:
        faces_of(root, tmp_path / "work", faces=faces)
    assert message in str(caught.value)


def test_a_change_of_a_model_file_redoes_the_faces(tmp_path):
    from fgbench.config import FacesConfig
    from fgbench.preparation.stages.faces import STAGE

    model = tmp_path / "model.onnx"
    model.write_bytes(b"a")
    assert STAGE.files is not None
    assert STAGE.files(FacesConfig(detector="yunet", detector_model=str(model))) == [model]
    assert STAGE.files(FacesConfig()) == []


def cropped(root, *, faces, others):
    """A folder of pictures: so many crops of a face, and so many of nothing."""
    box = skimage.data.astronaut()[62:182, 164:284]
    noise = np.random.default_rng(0).integers(90, 110, (100, 100, 3), dtype=np.uint8)
    for number in range(faces + others):
        picture = box if number < faces else noise
        path = root / ("joy" if number % 2 else "anger") / f"p{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    return root


@pytest.mark.slow
def test_pictures_that_are_aligned_and_as_they_are_are_counted_and_told(tmp_path):
    root = cropped(tmp_path / "in", faces=3, others=2)
    work = tmp_path / "work"
    recipe = tmp_path / "crops.yaml"
    recipe.write_text("extends: folder\nname: crops\nfaces: {align: where-found}\nlbp: {enabled: false}\n")
    words = ["prepare", str(recipe), "--data-root", str(root), "--workdir", str(work), "--jobs", "1"]
    line = "aligned 3 of 5 pictures, 2 as they are"
    for _ in range(2):
        done = CliRunner().invoke(app, words)
        assert done.exit_code == 0, done.output
        assert line in done.output
    assert line in CliRunner().invoke(app, ["status", str(work)]).output
    assert "Aligned 3 of 5 pictures, 2 as they are" in (work / "manifests" / "README.md").read_text()
    assert json.loads((work / "manifests" / "index.json").read_text())["alignment"] == {
        "aligned": 3,
        "as_is": 2,
    }
    rows = [row for path in sorted((work / "manifests" / "faces").iterdir()) for row in read_rows(path)]
    assert sorted(row["status"] for row in rows) == ["as_is", "as_is", "ok", "ok", "ok"]
    assert all(decode(row["image"]["bytes"]).shape == (224, 224, 3) for row in rows)
    clips = {row["clip_id"]: row for row in read_rows(work / "manifests" / "clips.parquet")}
    assert {row["status"]: clips[row["clip_id"]]["align"] for row in rows} == {
        "ok": "similarity",
        "as_is": "none",
    }
    assert all(row["n_faces_ok"] == row["n_images"] == 1 for row in clips.values())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("align", "column", "expected"), [("never", "none", (0, 2)), ("always", "similarity", (2, 0))]
)
def test_other_recipes_tell_one_of_both(tmp_path, align, column, expected):
    root = cropped(tmp_path / "in", faces=2, others=0)
    recipe = {"dataset": {"adapter": "folder", "scheme": "free"}, "faces": {"align": align}}
    faces_of(root, tmp_path / "work", **recipe, lbp={"enabled": False})
    manifests = tmp_path / "work" / "manifests"
    assert {row["align"] for row in read_rows(manifests / "clips.parquet")} == {column}
    report = json.loads((manifests / "index.json").read_text())["alignment"]
    assert (report["aligned"], report["as_is"]) == expected
    assert ("not aligned" in (manifests / "README.md").read_text()) == (align == "never")


@pytest.mark.slow
def test_unsure_frames_keep_their_face_and_are_in_no_image_set(tmp_path, face_clips):
    """Nothing agrees fully: with the highest bound every face is unsure."""
    path = folder(tmp_path / "in", "single_face.mp4")
    path.write_bytes((face_clips / "single_face.mp4").read_bytes())
    sections = {"sample": {"video": "none", "before": 1, "after": 1}, "lbp": {"enabled": False}}
    as_seen = {"smooth": False}  # unsure faces are not steadied
    sure = faces_of(tmp_path / "in", tmp_path / "sure", faces=as_seen, **sections)
    assert [row["status"] for row in sure] == ["ok"] * 3
    assert all(0.5 < row["quality"] < 1 for row in sure)
    rows = faces_of(tmp_path / "in", tmp_path / "work", faces={"min_quality": 1.0, **as_seen}, **sections)
    assert [row["status"] for row in rows] == ["unsure"] * 3
    assert [row["image"] for row in rows] == [row["image"] for row in sure]
    manifests = tmp_path / "work" / "manifests"
    (clip,) = read_rows(manifests / "clips.parquet")
    assert (clip["n_unsure"], clip["n_faces_ok"], clip["n_images"]) == (3, 0, 0)
    assert not [row for path in (manifests / "images").iterdir() for row in read_rows(path)]
    report = json.loads((manifests / "index.json").read_text())["faces"]
    assert (report["unsure"], report["unsure_clips"], report["only_unsure"]) == (3, 1, 1)
    assert "1 of these clips have no other face" in (manifests / "README.md").read_text()


def test_a_model_file_beside_the_recipe_is_found_from_other_folders(tmp_path, monkeypatch):
    """The work folder keeps its whole path, and what is done counts as done there."""
    root = write_folder(tmp_path / "in", 1)
    (tmp_path / "own.dat").write_bytes(b"a model")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    faces = {"align": "never", "chip_size": 32, "detector": "dlib-cnn", "detector_model": "own.dat"}
    config = PrepareConfig.model_validate({"name": "x", "faces": faces, "lbp": {"enabled": False}})
    prepare.run(config, root, tmp_path / "work")
    monkeypatch.chdir(tmp_path / "elsewhere")
    again, where = prepare.saved(tmp_path / "work")
    assert again.faces.detector_model == str(tmp_path / "own.dat")
    report = prepare.run(again, where, tmp_path / "work")
    assert sum(stage.done for stage in report.stages) == 0
