"""Choices of the faces stage, and clips whose frames cannot all be used."""

import numpy as np
import pytest
from clip_folders import write_folder
from video_files import flip_bytes, write_clip

from fgbench import prepare
from fgbench.config import PrepareConfig
from fgbench.errors import ConfigError, DependencyError
from fgbench.images import decode
from fgbench.storage import read_rows


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


def test_damaged_frames_are_recorded_not_left_out(tmp_path):
    whole = write_clip(tmp_path / "whole.mp4", 40)
    flip_bytes(whole, folder(tmp_path / "in"), seed=3, n_bytes=2)
    rows = faces_of(tmp_path / "in", tmp_path / "work", faces={"align": False})
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


def test_decord_gives_the_same_frames_and_is_named_in_the_manifest(tmp_path):
    write_clip(
        folder(tmp_path / "in"), 20, options={"preset": "ultrafast", "crf": "18", "bf": "0", "g": "10"}
    )
    whole = {"align": False, "format": "png", "chip_size": 96}
    pyav = faces_of(tmp_path / "in", tmp_path / "pyav", faces=whole)
    decord = faces_of(tmp_path / "in", tmp_path / "decord", faces=whole, ingest={"decoder": "decord"})
    (clip,) = read_rows(tmp_path / "decord" / "manifests" / "clips.parquet")
    assert clip["decoder"] == "decord"
    assert [row["frame_index"] for row in decord] == [row["frame_index"] for row in pyav] == list(range(20))
    for first, second in zip(pyav, decord, strict=True):
        difference = np.abs(decode(first["image"]["bytes"]).astype(int) - decode(second["image"]["bytes"]))
        assert difference.max() <= 2


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
    from fgbench.stages.faces import STAGE

    model = tmp_path / "model.onnx"
    model.write_bytes(b"a")
    assert STAGE.files is not None
    assert STAGE.files(FacesConfig(detector="yunet", detector_model=str(model))) == [model]
    assert STAGE.files(FacesConfig()) == []
