"""Own files of networks that saw crops as they were: faces are searched, crops stay crops, grey stays so."""

import cv2
import numpy as np
import pytest
import skimage.data
import torch

from fgbench.config import FacesConfig
from fgbench.faces.geometry import box_iou
from fgbench.inference.file_output import file_lines, file_row
from fgbench.inference.own_faces import everyone_own, observed_own, without_colour
from fgbench.inference.pictures import predict_everyone, predict_file
from fgbench.inputs.crops import without_colour as grey_tensors
from fgbench.media.video import ImageFrame
from fgbench.methods.msau.opened import open_network
from fgbench.preparation.stages.faces import observed
from fgbench.runs.weights import read_trained
from tests.support.tiny_runs import write_tiny_weights
from tests.support.video_files import write_clip

NEVER, FOUND, ALWAYS = (FacesConfig(align=align) for align in ("never", "where-found", "always"))
CENTRE, SIDE = (224, 122), 100  # of dlib's box of the astronaut's face
GREY = {"align": "never", "geometry": "face", "padding": None, "grey": True}


def head(boxes, size):
    """A square cut about the astronaut's face, its side in boxes of the detector."""
    half = boxes * SIDE / 2
    x, y = (round(value - half) for value in CENTRE)
    part = skimage.data.astronaut()[max(0, y) : round(y + 2 * half), max(0, x) : round(x + 2 * half)]
    return cv2.resize(part, (size, size), interpolation=cv2.INTER_AREA)


def classified(picture, faces, **choices):
    ((_, actual),) = observed_own(
        [ImageFrame(pixels=np.ascontiguousarray(picture), index=0)], faces, **choices
    )
    return actual


def write(path, picture):
    path.write_bytes(cv2.imencode(".png", np.ascontiguousarray(picture[..., ::-1]))[1].tobytes())
    return path


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    path = write_tiny_weights(tmp_path_factory.mktemp("weights") / "w.safetensors")
    return open_network(read_trained(path), torch.device("cpu"))


@pytest.fixture(scope="module")
def group(face_clips):
    """A photograph of several people."""
    return face_clips / "multi_face.jpg"


@pytest.mark.parametrize("faces", [NEVER, FOUND, ALWAYS])
def test_the_face_of_a_photograph_is_aligned_whatever_the_data_set_was(faces):
    picture = skimage.data.astronaut()
    messages = classified(picture, faces)
    ((_, expected),) = observed([ImageFrame(pixels=picture, index=0)], ALWAYS)
    assert messages.status == "ok"
    np.testing.assert_array_equal(messages.chip, expected.chip)


@pytest.mark.parametrize(("boxes", "size"), [(0.9, 100), (1.1, 100), (1.3, 224)])
def test_a_picture_that_its_face_fills_is_taken_as_those_trained_on(boxes, size):
    picture = head(boxes, size)
    messages = classified(picture, NEVER)
    assert (messages.status, messages.n_faces) == ("as_is", 1)
    np.testing.assert_array_equal(
        messages.chip, cv2.resize(picture, (224, 224), interpolation=cv2.INTER_AREA)
    )
    assert classified(picture, FOUND).status == "ok"  # such networks saw aligned faces


def test_a_portrait_with_shoulders_is_no_crop():
    assert classified(head(2.2, 300), NEVER).status == "ok"


@pytest.mark.slow
@pytest.mark.parametrize("faces", [NEVER, FOUND])
@pytest.mark.parametrize(("size", "status"), [(48, "as_is"), (256, "as_is"), (300, "no_face")])
def test_without_a_face_small_pictures_alone_are_crops(faces, size, status):
    blank = np.random.default_rng(0).integers(90, 110, (size, size, 3), dtype=np.uint8)
    messages = classified(blank, faces)
    assert (messages.status, messages.n_faces) == (status, 0)
    assert (messages.chip is None) == (status == "no_face")


@pytest.mark.slow
def test_a_photograph_of_several_people_is_not_squeezed(network, group):
    """As a whole it would be one "face"."""
    for faces in (NEVER, FOUND, ALWAYS):
        prediction = predict_file(group, network, faces)
        assert prediction.n_people >= 4
        assert (prediction.status, prediction.probabilities) == ("ambiguous", None)
        (line,) = [line for line in file_lines(prediction, network, {}, 3) if "people" in line]
        assert f"{prediction.n_people} people in the picture" in line
        assert "--all-faces" in line
        assert (
            file_row(prediction, network, {"picture": None, "frames": None})["n_people"]
            == prediction.n_people
        )


def test_a_small_picture_of_several_people_is_no_crop():
    picture = np.full((90, 240, 3), 90, np.uint8)
    for x in (10, 130):
        picture[5:85, x : x + 80] = head(1.6, 80)
    messages = classified(picture, NEVER)
    assert (messages.status, messages.n_faces) == ("ambiguous", 2)


@pytest.mark.slow
def test_all_faces_get_a_row_with_a_box(network, group):
    actual = predict_everyone(group, network, NEVER)
    rows = [file_row(one, network, {"picture": None, "frames": None}) for one in actual]
    assert len(rows) >= 4
    assert [row["face"] for row in rows] == list(range(1, len(rows) + 1))
    assert {row["n_people"] for row in rows} == {len(rows)}
    lefts = [row["box"][0] for row in rows]
    assert lefts == sorted(lefts)
    boxes = [np.array(row["box"]) for row in rows]
    assert max(box_iou(a, b) for n, a in enumerate(boxes) for b in boxes[:n]) < 0.3
    assert {row["align"] for row in rows if row["label"]} == {"similarity"}
    assert "face 1 of" in file_lines(actual[0], network, {}, 3)[0]
    picture = cv2.imread(str(group))[..., ::-1]
    for seen, one in zip(
        everyone_own(ImageFrame(pixels=np.ascontiguousarray(picture), index=0), NEVER), actual, strict=True
    ):
        np.testing.assert_array_equal(one.probabilities.fine, network.predict_faces(seen.chip[None]).fine[0])


@pytest.mark.slow
def test_pasted_faces_are_all_told_of(network, tmp_path):
    """Six heads in a row, one small: exact places."""
    one = head(1.6, 160)
    picture = np.full((260, 1100, 3), 90, np.uint8)
    positions = [(20, 40), (200, 60), (380, 30), (560, 70), (740, 50)]
    for x, y in positions:
        picture[y : y + 160, x : x + 160] = one
    picture[100:180, 960:1040] = cv2.resize(one, (80, 80), interpolation=cv2.INTER_AREA)
    path = write(tmp_path / "six.png", picture)
    rows = predict_everyone(path, network, NEVER)
    assert len(rows) == 6
    centres = [(row.box_xyxy[:2] + row.box_xyxy[2:]) / 2 for row in rows]
    expected = [(x + 80, y + 80) for x, y in positions] + [(1000, 140)]
    np.testing.assert_allclose(centres, expected, atol=14)
    assert predict_file(path, network, NEVER).n_people == 6


@pytest.mark.slow
def test_one_face_and_none_have_one_row(network, tmp_path):
    (one,) = predict_everyone(write(tmp_path / "one.png", skimage.data.astronaut()), network, NEVER)
    assert (one.face, one.n_people, one.status) == (1, 1, "ok")
    assert not any("people" in line for line in file_lines(one, network, {}, 3))
    (none,) = predict_everyone(
        write(tmp_path / "none.png", np.full((300, 400, 3), 90, np.uint8)), network, NEVER
    )
    assert (none.face, none.status) == (None, "no_face")
    (crop,) = predict_everyone(write(tmp_path / "crop.png", head(1.1, 100)), network, NEVER)
    assert (crop.face, crop.statuses) == (None, {"as_is": 1})
    assert "  its face fills it, the picture taken as it is" in file_lines(crop, network, {}, 3)
    assert file_row(crop, network, {"picture": None, "frames": None})["align"] == "none"


@pytest.mark.slow
def test_a_clip_without_a_face_is_no_face(network, tmp_path):
    """It was "76 of 76 frames with a usable face"."""
    path = tmp_path / "plain.mp4"
    write_clip(path, size=(320, 240), pictures=[np.full((240, 320, 3), 90, np.uint8)] * 12)
    for faces in (NEVER, FOUND):
        prediction = predict_file(path, network, faces)
        assert (prediction.status, prediction.n_faces) == ("no_face", 0)


@pytest.mark.slow
def test_a_network_of_grey_pictures_sees_grey(tmp_path, network):
    grey = open_network(
        read_trained(write_tiny_weights(tmp_path / "g.safetensors", faces=GREY)), torch.device("cpu")
    )
    picture = skimage.data.astronaut()
    coloured = write(tmp_path / "colour.png", picture)
    plain = write(tmp_path / "grey.png", without_colour(picture))
    answers = [predict_file(path, grey, ALWAYS).probabilities.fine for path in (coloured, plain)]
    seen = classified(picture, ALWAYS, grey=True).chip
    assert (seen == seen[..., :1]).all()
    np.testing.assert_allclose(answers[0], answers[1], atol=2e-3)  # cut from luma, or luma of what was cut
    np.testing.assert_array_equal(answers[0], network.predict_faces(seen[None]).fine[0])  # the same weights
    assert np.abs(predict_file(coloured, network, ALWAYS).probabilities.fine - answers[0]).max() > 1e-3
    # Also where faces come from a work folder.
    chip = classified(picture, ALWAYS).chip
    np.testing.assert_allclose(grey.predict_faces(chip[None]).fine[0], answers[0], atol=2e-3)


def test_grey_pictures_stay_as_they_are():
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16, 1).repeat(3, axis=2)
    np.testing.assert_array_equal(without_colour(levels), levels)
    tensors = torch.from_numpy(levels).permute(2, 0, 1)[None]
    assert torch.equal(grey_tensors(tensors), tensors.float())
