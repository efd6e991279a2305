"""dlib's two detectors on a photograph, enlarged and reduced."""

import cv2
import numpy as np
import pytest
from skimage import data

from fgbench.errors import ConfigError, DependencyError
from fgbench.faces.detection import open_detector, search_at_scale
from fgbench.faces.geometry import box_centre, box_iou, box_width
from tests.support.ladder_search import search_ladder

# Brows to chin of the astronaut, read off by hand.
FACE = np.array([182, 78, 268, 164])


@pytest.fixture(scope="module")
def hog():
    return open_detector("dlib-hog")


@pytest.fixture(scope="module")
def luma():
    return cv2.cvtColor(data.astronaut(), cv2.COLOR_RGB2GRAY)


@pytest.mark.slow
def test_hog_finds_the_face(hog, luma):
    (actual,) = hog.detect(luma)
    assert box_iou(actual.box_xyxy, FACE) > 0.6
    assert actual.box_xyxy.dtype == np.float32
    assert actual.score > 1


@pytest.mark.slow
def test_hog_finds_nothing_in_noise_nor_in_tiny_pictures(hog):
    noise = np.random.default_rng(0).integers(0, 255, (200, 300)).astype(np.uint8)
    assert hog.detect(noise) == []
    for shape in ((1, 1), (2, 300), (30, 40)):
        assert hog.detect(np.zeros(shape, np.uint8)) == []


def test_margin_gives_what_is_nearly_a_face_surest_first(hog, luma):
    turned = cv2.warpAffine(luma, cv2.getRotationMatrix2D((225, 121), 38, 1), luma.shape)
    accepted, nearly = hog.detect(turned), hog.detect(turned, margin=1.0)
    scores = [one.score for one in nearly]
    assert len(nearly) > len(accepted)
    assert scores == sorted(scores, reverse=True)
    assert min(scores) < 0
    assert min(scores) >= -1


@pytest.mark.parametrize("width_px", [42, 60, 78])
def test_faces_of_40_to_80_px_are_found_in_the_enlarged_picture(hog, luma, width_px):
    factor = width_px / 88
    small = cv2.resize(luma, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    assert search_at_scale(small, hog, scale=0.5) == []
    actual, *_ = search_ladder(small, hog, scales=hog.scales)
    assert box_iou(actual.box_xyxy, FACE * factor) > 0.5


def test_hog_takes_no_model():
    with pytest.raises(ConfigError, match=r"takes no model file, got x\.dat"):
        open_detector("dlib-hog", "x.dat")


@pytest.mark.slow
def test_cnn_finds_the_face_upright_and_tilted():
    cnn = open_detector("dlib-cnn")
    photograph = np.ascontiguousarray(data.astronaut()[30:220, 120:330])
    expected = FACE - [120, 30, 120, 30]
    for angle_deg in (0, 25):
        x, y = box_centre(expected)
        about = cv2.getRotationMatrix2D((x, y), angle_deg, 1)
        (actual,) = cnn.detect(cv2.warpAffine(photograph, about, photograph.shape[1::-1]))
        assert np.linalg.norm(box_centre(actual.box_xyxy) - (x, y)) < 20
        assert 60 < box_width(actual.box_xyxy) < 120
        assert actual.score > 0.5


def test_cnn_refuses_what_is_no_model(tmp_path):
    with pytest.raises(DependencyError, match="does not exist"):
        open_detector("dlib-cnn", tmp_path / "absent.dat")
    broken = tmp_path / "broken.dat"
    broken.write_bytes(b"no model")
    with pytest.raises(DependencyError, match="is not a face detection model of dlib"):
        open_detector("dlib-cnn", broken)
