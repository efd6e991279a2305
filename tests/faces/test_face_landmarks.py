"""Landmark predictors, and the placement of faces that follows from landmarks."""

import dlib
import numpy as np
import pytest
from skimage import data

from fgbench.errors import ConfigError, DependencyError
from fgbench.faces.geometry import apply_transform, box_iou
from fgbench.faces.landmarks import open_predictor
from fgbench.faces.locating import locate
from fgbench.faces.models import find_model
from fgbench.faces.placement import (
    PATCH_BOX,
    PATCH_PX,
    Placement,
    cut_patch,
    patch_transform,
    placement_from_box,
    placement_from_landmarks,
)
from fgbench.faces.still_picture import ImageFrame


@pytest.fixture(scope="module")
def luma():
    return ImageFrame(pixels=data.astronaut()).gray()


@pytest.fixture(scope="module")
def rectangle(luma):
    (actual,) = dlib.get_frontal_face_detector()(luma, 0)
    return actual


def corners(rectangle):
    return np.array([rectangle.left(), rectangle.top(), rectangle.right() + 1, rectangle.bottom() + 1]) - 0.5


@pytest.mark.slow
@pytest.mark.parametrize("n_points", [68, 5])
def test_predictors_are_dlibs(luma, rectangle, n_points):
    actual = open_predictor(n_points).predict(luma, corners(rectangle))
    parts = dlib.shape_predictor(str(find_model(f"landmarks-{n_points}")))(luma, rectangle).parts()
    np.testing.assert_array_equal(actual, [(part.x, part.y) for part in parts])


def test_wrong_models_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="no predictor with 21 points"):
        open_predictor(21)
    broken = tmp_path / "broken.dat"
    broken.write_bytes(b"no model")
    with pytest.raises(DependencyError, match="is not a landmark model of dlib"):
        open_predictor(68, broken)
    with pytest.raises(DependencyError, match="gives 5 points, expected 68"):
        open_predictor(68, find_model("landmarks-5"))


@pytest.mark.slow
def test_placement_from_landmarks_is_near_the_detectors_box(luma, rectangle, models, models_5):
    for predictor in (models.predictor, models_5.predictor):
        position = placement_from_landmarks(predictor.predict(luma, corners(rectangle)))
        assert (
            box_iou(position.box_xyxy, corners(rectangle)) > 0.6
        )  # measured 0.67 and 0.70; dlib's widths go in steps of 1.2
        assert abs(position.roll_rad) < 0.1


def test_patch_shows_the_face_upright_in_its_middle():
    position = Placement(np.array([300.0, 200.0]), 50.0, np.radians(30))
    to_patch = patch_transform(position)
    middle = (PATCH_PX - 1) / 2
    np.testing.assert_allclose(apply_transform(to_patch, position.centre), [middle, middle])
    # A point 10 px to the right of the face's centre, as the face sees it, 40 px in the patch.
    beside = position.centre + 10 * np.array([np.cos(np.radians(30)), np.sin(np.radians(30))])
    np.testing.assert_allclose(apply_transform(to_patch, beside), [middle + 40, middle])
    np.testing.assert_allclose(PATCH_BOX, [39.5, 39.5, 239.5, 239.5])


def test_patches_of_little_contrast_are_stretched():
    rng = np.random.default_rng(0)
    bright = np.clip(rng.normal(120, 50, (PATCH_PX, PATCH_PX)), 0, 255).astype(np.uint8)
    same = np.array([[1.0, 0, 0], [0, 1, 0]])
    np.testing.assert_array_equal(cut_patch(bright, same), bright)
    dark = np.clip(rng.normal(20, 5, (PATCH_PX, PATCH_PX)), 0, 255).astype(np.uint8)
    assert cut_patch(dark, same).std() == pytest.approx(40, rel=0.05)
    assert cut_patch(np.full((9, 9), 3, np.uint8), same).std() == 0


@pytest.mark.slow
def test_locating_does_not_drift(luma, rectangle, models):
    """Landmarks place the box from which landmarks are found: 100 times in a row they stay where they
    were."""
    position = placement_from_box(corners(rectangle))
    actual = []
    for _ in range(100):
        face = locate(luma, position, models.predictor)
        assert face.settled
        position = face.placement
        actual.append(face.landmarks)
    first, last = np.mean(actual[:10], axis=0), np.mean(actual[-10:], axis=0)
    eyes = np.linalg.norm(first[36] - first[45])
    assert np.linalg.norm(last - first, axis=1).mean() < 0.01 * eyes  # measured 0.3 %


@pytest.mark.slow
@pytest.mark.parametrize("angle_deg", [-120, -60, 45, 150])
def test_a_turned_face_is_located_with_its_turn(luma, rectangle, models, angle_deg):
    import cv2

    upright = locate(luma, placement_from_box(corners(rectangle)), models.predictor)
    x, y = upright.placement.centre
    about = cv2.getRotationMatrix2D((float(x), float(y)), -angle_deg, 1.0)  # OpenCV counts the other way
    turned = cv2.warpAffine(luma, about, luma.shape[::-1], borderMode=cv2.BORDER_REPLICATE)
    start = Placement(upright.placement.centre, upright.placement.width_px, np.radians(angle_deg))
    face = locate(turned, start, models.predictor)
    expected = apply_transform(about, upright.landmarks)
    eyes = np.linalg.norm(expected[36] - expected[45])
    assert np.linalg.norm(face.landmarks - expected, axis=1).mean() < 0.03 * eyes
    assert np.degrees(face.placement.roll_rad) == pytest.approx(
        angle_deg + np.degrees(upright.placement.roll_rad), abs=3
    )
