"""``fgbench prepare`` on public clips of real faces: aligned faces, and statuses where there are none."""

import cv2
import numpy as np
import pytest

from fgbench.config import PrepareConfig
from fgbench.faces.still_picture import ImageFrame
from fgbench.faces.tracking import FaceTracker
from fgbench.media.images import decode
from fgbench.preparation import prepare
from fgbench.storage import read_rows

pytestmark = pytest.mark.slow

CLIPS = {
    "single_face.mp4": "cheerfulness,20",
    "face_noface.mov": "surprise,10",
    "noface_face.mov": "surprise,140",
    "no_face.mp4": "worry,5",
}
LEFT_EYE, RIGHT_EYE = slice(36, 42), slice(42, 48)


@pytest.fixture(scope="module")
def work(face_clips, tmp_path_factory):
    here = tmp_path_factory.mktemp("real")
    (here / "in" / "videos").mkdir(parents=True)
    for name in CLIPS:
        (here / "in" / "videos" / name).symlink_to(face_clips / name)
    lines = ["clip,label,key_frame", *(f"{name},{rest}" for name, rest in CLIPS.items())]
    (here / "in" / "annotations.csv").write_text("\n".join(lines) + "\n")
    prepare.run(PrepareConfig(name="real"), here / "in", here / "work", jobs=2)
    return here / "work"


@pytest.fixture(scope="module")
def faces(work):
    actual = {}
    for path in sorted((work / "manifests" / "faces").iterdir()):
        for row in read_rows(path):
            actual.setdefault(row["clip_id"], []).append(row)
    return actual


def test_every_frame_of_every_clip_has_a_row(work, faces):
    clips = {row["clip_id"]: row["n_frames"] for row in read_rows(work / "manifests" / "clips.parquet")}
    assert {clip: [row["frame_index"] for row in rows] for clip, rows in faces.items()} == {
        clip: list(range(count)) for clip, count in clips.items()
    }


def statuses(rows):
    """Runs of equal status: (status, first frame)."""
    runs = []
    for row in rows:
        if not runs or runs[-1][0] != row["status"]:
            runs.append((row["status"], row["frame_index"]))
    return runs


def test_clips_without_faces_are_recorded_as_such(faces):
    assert {row["status"] for row in faces["no_face"]} == {"no_face"}
    assert all(row["image"] is None and row["landmarks"] is None for row in faces["no_face"])


def test_the_faceless_half_is_recorded_as_such(faces):
    # The cuts as one sees them in the frames; the last frame of the second clip is black.
    assert statuses(faces["face_noface"]) == [("ok", 0), ("no_face", 72)]
    assert statuses(faces["noface_face"]) == [("no_face", 0), ("ok", 96), ("no_face", 168)]


def eyes_in_chip(row):
    points = np.asarray(row["landmarks"]).reshape(68, 2)
    matrix = np.asarray(row["transform"]).reshape(2, 3)
    moved = points @ matrix[:, :2].T + matrix[:, 2]
    return moved[LEFT_EYE].mean(0), moved[RIGHT_EYE].mean(0), moved.mean(0)


def test_faces_are_upright_centred_and_level(faces):
    for row in (row for rows in faces.values() for row in rows if row["status"] == "ok"):
        left, right, middle = eyes_in_chip(row)
        assert decode(row["image"]["bytes"]).shape == (224, 224, 3)
        angle = np.degrees(np.arctan2(right[1] - left[1], right[0] - left[0]))
        assert abs(angle) < 8
        assert 36 < right[0] - left[0] < 90
        assert abs((left[0] + right[0]) / 2 - 112) < 20
        assert 40 < left[1] < 92
        assert np.linalg.norm(middle - 112) < 35


def test_the_chip_shows_what_the_transform_says(face_clips, faces):
    from fgbench.media.video import open_video

    row = faces["single_face"][20]
    with open_video(face_clips / "single_face.mp4") as reader:
        (frame,) = reader.frames([20])
        picture = frame.rgb()
    matrix = np.asarray(row["transform"], float).reshape(2, 3)
    expected = cv2.warpAffine(picture, matrix, (224, 224), flags=cv2.INTER_LINEAR)
    difference = np.abs(decode(row["image"]["bytes"]).astype(float) - expected)
    assert np.mean(difference) < 3  # JPEG


def test_astronaut():
    """The photograph of scikit-image: eyes read off by hand at about (203, 101) and (247, 103)."""
    from skimage import data

    observations = FaceTracker().observe(ImageFrame(pixels=data.astronaut()))
    assert observations.status == "ok"
    assert np.linalg.norm(observations.landmarks[LEFT_EYE].mean(0) - (203, 101)) < 4
    assert np.linalg.norm(observations.landmarks[RIGHT_EYE].mean(0) - (247, 103)) < 4
    assert observations.chip.shape == (224, 224, 3)
