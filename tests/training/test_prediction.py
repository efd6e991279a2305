"""Pictures and videos of the user's own: faces found, statuses told, memory bounded."""

import copy
import json
import os

import cv2
import numpy as np
import pillow_heif
import pyarrow.parquet as pq
import pytest
import skimage.data
import torch
from PIL import Image

from fgbench.config import FacesConfig
from fgbench.errors import MediaError
from fgbench.faces.still_picture import ImageFrame
from fgbench.inference.file_output import file_lines
from fgbench.inference.frame_predictions import corners
from fgbench.inference.pictures import is_image, predict_file
from fgbench.media.images import read_image
from fgbench.media.video import Limits
from fgbench.methods.msau.opened import open_network
from fgbench.preparation.stages.faces import observed
from fgbench.runs.weights import read_trained
from fgbench.synthetic.clip import draw_clip, write_video
from fgbench.synthetic.plan import SynthOptions, plan
from tests.support.tiny_runs import write_tiny_weights
from tests.support.video_files import write_clip

FACE_CENTRE = (224, 118)  # of Eileen Collins in skimage.data.astronaut(), by eye


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    path = write_tiny_weights(tmp_path_factory.mktemp("weights") / "w.safetensors")
    return open_network(read_trained(path), torch.device("cpu"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    actual = tmp_path_factory.mktemp("bilder") / "größe 表情"
    actual.mkdir()
    astronaut = np.ascontiguousarray(skimage.data.astronaut()[..., ::-1])
    (actual / "astronaut.png").write_bytes(cv2.imencode(".png", astronaut)[1].tobytes())
    # Without the suit, in which dlib's detector may see a face once it is compressed.
    (actual / "head.jpg").write_bytes(cv2.imencode(".jpg", astronaut[:300, 100:400])[1].tobytes())
    empty = np.full((200, 300, 3), 120, np.uint8)
    (actual / "empty.png").write_bytes(cv2.imencode(".png", empty)[1].tobytes())
    return actual


@pytest.mark.slow
def test_the_face_of_a_picture_is_found_and_classified(network, folder):
    prediction = predict_file(folder / "astronaut.png", network, FacesConfig())
    assert (prediction.kind, prediction.status, prediction.n_frames, prediction.n_faces) == (
        "image",
        "ok",
        1,
        1,
    )
    portrait = prediction.portrait
    x0, y0, x1, y1 = portrait.box_xyxy
    assert x0 < FACE_CENTRE[0] < x1
    assert y0 < FACE_CENTRE[1] < y1
    assert 70 < x1 - x0 < 160
    np.testing.assert_array_equal(portrait.picture, skimage.data.astronaut())
    ((_, seen),) = observed([ImageFrame(pixels=skimage.data.astronaut())], FacesConfig())
    np.testing.assert_array_equal(
        prediction.probabilities.fine, network.predict_faces(seen.chip[None]).fine[0]
    )
    assert portrait.regions.shape == (3, 4, 2)
    low, high = portrait.outline.min(axis=0), portrait.outline.max(axis=0)
    assert (portrait.regions >= low).all()
    assert (portrait.regions <= high).all()


@pytest.mark.slow
def test_a_picture_without_a_face_is_taken_as_it_is_where_the_recipe_says_so(network, folder):
    """If it is no larger than crops are. And the user is told; with a face it is what it is without that
    choice."""
    faces = FacesConfig(align="where-found")
    large = predict_file(folder / "empty.png", network, faces)
    assert (large.status, large.probabilities) == ("no_face", None)
    small = folder / "small.png"
    small.write_bytes(cv2.imencode(".png", np.full((200, 256, 3), 120, np.uint8))[1].tobytes())
    prediction = predict_file(small, network, faces)
    assert (prediction.status, prediction.n_faces, prediction.statuses) == ("ok", 1, {"as_is": 1})
    whole = cv2.resize(np.full((200, 256, 3), 120, np.uint8), (224, 224))
    np.testing.assert_array_equal(prediction.probabilities.fine, network.predict_faces(whole[None]).fine[0])
    assert "  no face was found, the picture taken as it is" in file_lines(prediction, network, {}, 3)
    astronaut = folder / "astronaut.png"
    reported, plain = (predict_file(astronaut, network, wanted) for wanted in (faces, FacesConfig()))
    assert reported.statuses == {"ok": 1}
    np.testing.assert_array_equal(reported.probabilities.fine, plain.probabilities.fine)
    assert not any("as it is" in line for line in file_lines(reported, network, {}, 3))


@pytest.mark.slow
def test_regions_in_the_picture_are_where_they_were_in_the_face(network, folder):
    """The chip's transform takes the drawn corners back to the boxes that the network told."""
    actual = predict_file(folder / "astronaut.png", network, FacesConfig()).portrait
    ((_, seen),) = observed([ImageFrame(pixels=skimage.data.astronaut())], FacesConfig())
    boxes = network.predict_faces(seen.chip[None]).boxes[0]
    homogeneous = np.concatenate([actual.regions, np.ones((3, 4, 1))], 2)
    back = homogeneous @ seen.transform.T + 0.5
    np.testing.assert_allclose(back[:, 0], boxes[:, :2], atol=1e-3)
    np.testing.assert_allclose(back[:, 2], boxes[:, 2:], atol=1e-3)
    np.testing.assert_array_equal(
        corners([[0, 0, 2, 4]])[0], [[-0.5, -0.5], [1.5, -0.5], [1.5, 3.5], [-0.5, 3.5]]
    )


def test_a_jpeg_is_told_by_its_content(network, folder, tmp_path):
    odd = tmp_path / "photo"
    odd.write_bytes((folder / "head.jpg").read_bytes())
    assert is_image(odd)
    assert predict_file(odd, network, FacesConfig()).status == "ok"


def test_a_picture_without_face(network, folder):
    prediction = predict_file(folder / "empty.png", network, FacesConfig())
    assert (prediction.kind, prediction.status, prediction.n_faces) == ("image", "no_face", 0)
    assert prediction.probabilities is None
    assert prediction.portrait is None


def test_a_face_that_is_turned_too_far_is_not_classified(network, folder):
    prediction = predict_file(folder / "astronaut.png", network, FacesConfig(max_abs_yaw_deg=0.1))
    assert (prediction.status, prediction.probabilities) == ("large_pose", None)


@pytest.mark.parametrize(
    ("name", "content", "status"),
    [
        ("notes.txt", b"no picture, no video\n", "unreadable"),
        ("notes.png", b"no picture\n", "unreadable_image"),
        ("empty.jpg", b"", "empty_file"),
        ("absent.png", None, "missing_file"),
        ("absent.mp4", None, "missing_file"),
    ],
)
def test_files_that_cannot_be_read(network, tmp_path, name, content, status):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    prediction = predict_file(path, network, FacesConfig(), frames_to=tmp_path / "frames.parquet")
    assert (prediction.kind, prediction.status) == ("unreadable", status)
    assert name in prediction.message
    assert not (tmp_path / "frames.parquet").exists()


@pytest.mark.parametrize("name", ["pipe.jpg", "pipe.mp4", "pipe", "zero.jpg", "zero.mp4"])
def test_pipes_and_devices_are_refused(network, tmp_path, name):
    if name.startswith("pipe"):
        os.mkfifo(tmp_path / name)
    else:
        (tmp_path / name).symlink_to("/dev/zero")
    prediction = predict_file(tmp_path / name, network, FacesConfig())
    assert (prediction.kind, prediction.status) == ("unreadable", "not_a_file")


def test_a_bomb_is_refused_by_the_limit(network, folder):
    limits = Limits(max_picture_px=512 * 512 - 1)
    prediction = predict_file(folder / "astronaut.png", network, FacesConfig(), limits=limits)
    assert (prediction.kind, prediction.status) == ("unreadable", "too_large")


@pytest.mark.slow
def test_a_picture_of_a_phone(network, folder, tmp_path):
    """HEIC, in tiles, under another name too."""
    whole = skimage.data.astronaut()[:300, 100:400]
    for name in ("a.heic", "a.jpg"):
        pillow_heif.from_pillow(Image.fromarray(whole)).save(tmp_path / name, tile_size=128, quality=95)
        prediction = predict_file(tmp_path / name, network, FacesConfig())
        assert (prediction.kind, prediction.status) == ("image", "ok")
        centre = (prediction.portrait.box_xyxy[:2] + prediction.portrait.box_xyxy[2:]) / 2
        assert np.abs(centre - (FACE_CENTRE[0] - 100, FACE_CENTRE[1])).max() < 15


@pytest.mark.parametrize("name", ["astronaut.png", "head.jpg"])
def test_pictures_that_lack_their_end(folder, tmp_path, name):
    data = (folder / name).read_bytes()
    path = tmp_path / name
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(MediaError, match="lacks its end") as raised:
        read_image(path)
    assert raised.value.reason == "truncated"
    path.write_bytes(data + b"what a telephone appends")
    assert read_image(path).shape in {(512, 512, 3), (300, 300, 3)}


def test_an_embedded_preview_does_not_stand_for_the_end(folder, tmp_path):
    """EXIF data hold a small JPEG with an end of its own."""
    data = (folder / "head.jpg").read_bytes()
    preview = b"\xff\xd8 preview \xff\xd9"
    segment = b"\xff\xe1" + (len(preview) + 2).to_bytes(2) + preview
    whole = data[:2] + segment + data[2:]
    path = tmp_path / "photo.jpg"
    path.write_bytes(whole)
    assert read_image(path).shape == (300, 300, 3)
    path.write_bytes(whole[:-1000])
    with pytest.raises(MediaError, match="lacks its end"):
        read_image(path)


@pytest.mark.slow
def test_a_clip_is_the_mean_of_its_frames(network, tmp_path):
    options = SynthOptions(width=640, height=360, max_duration_s=1.0)
    clip = draw_clip(plan(options)[0], options)
    video, table = tmp_path / "clip.mp4", tmp_path / "frames.parquet"
    write_video(video, clip, options)
    prediction = predict_file(video, network, FacesConfig(), frames_to=table)
    rows = pq.read_table(table)
    frames = rows.to_pylist()
    assert prediction.n_frames == len(frames)
    assert [row["frame_index"] for row in frames] == list(range(len(frames)))
    usable = [row for row in frames if row["status"] == "ok"]
    assert prediction.n_faces == len(usable) > 0
    assert prediction.n_tracks == 1
    mean = np.mean([row["probabilities"] for row in usable], axis=0)
    np.testing.assert_allclose(prediction.probabilities.fine, mean, atol=1e-6)
    np.testing.assert_allclose(
        prediction.probabilities.basic, np.mean([row["basic"] for row in usable], axis=0), atol=1e-6
    )
    surest = max(usable, key=lambda row: max(row["probabilities"]))
    assert prediction.portrait.frame_index == surest["frame_index"]
    np.testing.assert_array_equal(prediction.portrait.box_xyxy, np.float32(surest["box"]))
    assert all(row["probabilities"] is None for row in frames if row["status"] != "ok")
    assert json.loads(rows.schema.metadata[b"classes"]) == list(network.classes)


def test_a_clip_without_face(network, tmp_path):
    video, table = tmp_path / "plain.mp4", tmp_path / "frames.parquet"
    write_clip(video, size=(160, 120), pictures=[np.full((120, 160, 3), 90, np.uint8)] * 20)
    prediction = predict_file(video, network, FacesConfig(), frames_to=table)
    assert (prediction.kind, prediction.status, prediction.n_frames) == ("video", "no_face", 20)
    assert prediction.probabilities is None
    assert pq.read_table(table).column("status").to_pylist() == ["no_face"] * 20


@pytest.mark.slow
def test_numbers_that_are_not_finite_are_no_prediction(network, folder, tmp_path):
    """Weights that are finite, and overflow on the way."""
    with torch.no_grad():
        huge = copy.deepcopy(network)
        for parameter in huge.model.scales.parameters():
            parameter.mul_(3e30)
    prediction = predict_file(folder / "astronaut.png", huge, FacesConfig())
    assert (prediction.status, prediction.probabilities, prediction.portrait) == ("no_prediction", None, None)
    assert prediction.n_faces == 0
    assert "not finite" in prediction.message
    pictures = [np.ascontiguousarray(skimage.data.astronaut()[:256, 96:352])] * 3
    write_clip(tmp_path / "clip.mp4", 3, size=(256, 256), pictures=pictures)
    prediction = predict_file(
        tmp_path / "clip.mp4", huge, FacesConfig(), frames_to=tmp_path / "frames.parquet"
    )
    assert (prediction.status, prediction.statuses) == ("no_prediction", {"no_prediction": 3})
    rows = pq.read_table(tmp_path / "frames.parquet").to_pylist()
    assert [(row["status"], row["probabilities"]) for row in rows] == [("no_prediction", None)] * 3
