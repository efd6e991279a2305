"""A detector of one's own is one file; it may tell five points, and check between searches itself."""

import sys

import cv2
import numpy as np
import pytest

from fgbench import plugins
from fgbench.config import FacesConfig
from fgbench.faces import detectors, fallback_search
from fgbench.faces.clip_faces import observe_clip
from fgbench.faces.detection import Detection, may_check, search_at_scale
from fgbench.faces.locating import Models, load_models
from tests.support.face_frames import error_percent, frames

MARKS = '''"""Detector of made-up pictures: five grey dots, of which it tells box and points."""

import cv2
import numpy as np

from fgbench.faces.detection import Detection


def open_detector(model=None):
    return Dots()


class Dots:
    uses_colour = False
    smallest_face_px = 60.0
    accepted_score = 0.0
    scales = (1.0,)
    most_px = 10**7
    QUICK

    def detect(self, image, *, margin=0.0):
        masks = [(abs(image.astype(int) - grey) < 8).astype(np.uint8) for grey in (200, 170, 140, 110, 80)]
        dots = [np.argwhere(cv2.erode(mask, np.ones((3, 3)))) for mask in masks]  # without blurred borders
        if not all(len(dot) for dot in dots):
            return []
        points = np.array([dot.mean(axis=0)[::-1] for dot in dots], np.float32)
        centre, half = points.mean(axis=0), 1.5 * np.ptp(points, axis=0).max() / 2
        box = np.array([*(centre - half), *(centre + half)], np.float32)
        return [Detection(box, 1.0, points_xy=points)]
'''
POINTS = np.array([[60, 40], [100, 44], [78, 60], [62, 84], [94, 88]], np.float32)
"""Eyes, nose and mouth in a picture of 160 x 120 px, tilted a little."""


@pytest.fixture
def own(tmp_path, monkeypatch):
    """Writes the detector, with or without a line that says that it is quick, and gives its name."""
    monkeypatch.setattr(detectors, "__path__", [*detectors.__path__, str(tmp_path)])

    def write(quick=""):
        (tmp_path / "dots.py").write_text(MARKS.replace("QUICK", quick))
        return "dots"

    yield write
    sys.modules.pop("fgbench.faces.detectors.dots", None)


def picture():
    image = np.zeros((120, 160), np.uint8)
    for (x, y), grey in zip(POINTS, (200, 170, 140, 110, 80), strict=True):
        image[int(y) - 5 : int(y) + 6, int(x) - 5 : int(x) + 6] = grey
    return image


@pytest.mark.slow
@pytest.mark.parametrize(
    ("quick", "colour", "expected"),
    [
        ("is_quick = True", "", True),
        ("is_quick = False", "", False),
        ("", "", False),
        ("is_quick = True", "uses_colour = True", False),
    ],
)
def test_a_detector_says_itself_whether_it_checks(own, quick, colour, expected):
    models = load_models(FacesConfig(detector=own(f"{quick}\n    {colour}")))
    assert type(models.detector).__name__ == "Dots"
    assert (models.checker is models.detector) == expected == may_check(models.detector)
    if not expected:
        assert type(models.checker).__name__ == "DlibHogDetector"


def test_the_default_detector_checks_itself(models):
    assert models.checker is models.detector


def test_points_lie_in_the_picture_that_was_searched(own):
    detector = plugins.load("detectors", own()).open_detector()
    for scale in (1.0, 2.0, 0.5):
        (actual,) = search_at_scale(picture(), detector, scale=scale)
        assert np.abs(actual.points_xy - POINTS).max() < 1.2, scale
        eyes = POINTS[1] - POINTS[0]
        assert actual.tilt_rad == pytest.approx(np.arctan2(eyes[1], eyes[0]), abs=0.03)
        assert actual.roll_rad == 0


def test_points_of_turned_and_bordered_pictures_lie_there_too(own):
    detector = plugins.load("detectors", own()).open_detector()
    (actual,) = fallback_search.search_turned(picture(), detector, turns=(0.3,), scale=2.0)
    assert np.abs(actual.points_xy - POINTS).max() < 1.2
    assert actual.roll_rad == 0.3
    assert actual.tilt_rad == pytest.approx(np.arctan2(4, 40), abs=0.03)
    (actual,) = fallback_search.search_bordered(picture(), detector)
    assert np.abs(actual.points_xy - POINTS).max() < 1.2


def test_without_points_the_turn_of_the_picture_counts():
    actual = Detection(np.zeros(4, np.float32), 1.0, 0.5)
    assert (actual.points_xy, actual.tilt_rad) == (None, 0.5)


class Known:
    """Tells the place of one face, and its points or none; sees nothing of patches."""

    uses_colour = False
    smallest_face_px = 80.0
    accepted_score = 0.0
    scales = (1.0,)
    most_px = 10**7

    def __init__(self, shape, box, points):
        self._shape, self._found = shape, Detection(box, 1.0, points_xy=points)

    def detect(self, image, *, margin=0.0):
        return [self._found] if image.shape == self._shape else []


@pytest.mark.parametrize("degrees", [-120, 120])
def test_points_find_faces_that_are_tilted_too_far_for_others(face_clips, models, degrees):
    """No turn that is searched otherwise is as far; the landmarks are those of the upright picture."""
    image = cv2.cvtColor(cv2.imread(str(face_clips / "single_face.jpg")), cv2.COLOR_BGR2RGB)
    image = cv2.resize(image, (572, 562))
    ((_, upright),) = observe_clip(frames([image]), FacesConfig(), models)
    turn = cv2.getRotationMatrix2D((286, 281), -degrees, 0.7)
    tilted = cv2.warpAffine(image, turn, image.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)
    expected = cv2.transform(upright.landmarks[None], turn)[0]
    groups = ((36, 42), (42, 48), (30, 31), (48, 49), (54, 55))
    points = np.array([expected[first:last].mean(axis=0) for first, last in groups], np.float32)
    centre, half = expected[17:].mean(axis=0), 0.35 * (upright.box_xyxy[2] - upright.box_xyxy[0])
    box = np.array([*(centre - half), *(centre + half)], np.float32)
    errors = {}
    for name, reported in (("with", points), ("without", None)):
        known = Known(tilted.shape[:2], box, reported)
        ((_, actual),) = observe_clip(
            frames([tilted]), FacesConfig(), Models(known, models.checker, models.predictor)
        )
        errors[name] = np.inf if actual.landmarks is None else error_percent(actual.landmarks, expected)
    assert errors["with"] < 8
    assert errors["without"] > 20
