"""Search of pictures at several scales, with a detector that is told what it finds."""

import numpy as np
import pytest

from fgbench.errors import ConfigError
from fgbench.faces.detection import (
    Detection,
    affordable_scales,
    open_detector,
    resized,
    search_at_scale,
    search_scales,
)
from fgbench.faces.geometry import box_width
from tests.support.ladder_search import search_ladder


class SquareDetector:
    """Finds the white square of at least 8 px."""

    uses_colour = False
    smallest_face_px = 8.0
    accepted_score = 0.0
    scales = (0.25, 0.5, 1.0, 2.0)
    most_px = 1 << 20

    def __init__(self):
        self.sizes = []

    def detect(self, image, *, margin=0.0):
        self.sizes.append(image.shape)
        assert image.flags["C_CONTIGUOUS"]
        y, x = np.nonzero(image > 127)
        if not len(x) or x.max() + 1 - x.min() < self.smallest_face_px:
            return []
        edges = np.array([x.min(), y.min(), x.max() + 1, y.max() + 1], np.float32) - 0.5
        return [Detection(edges, 1.0)]


def square(width, x=40, y=24):
    image = np.zeros((96, 160), np.uint8)
    image[y : y + width, x : x + width] = 255
    return image


@pytest.mark.parametrize("scale", [0.5, 1.0, 2.0])
def test_boxes_are_in_pixels_of_the_picture(scale):
    (actual,) = search_at_scale(square(16), SquareDetector(), scale=scale)
    assert actual.box_xyxy.dtype == np.float32
    np.testing.assert_allclose(actual.box_xyxy, [39.5, 23.5, 55.5, 39.5])


def test_the_ladder_ends_at_the_first_hit():
    for width, tried in ((32, 1), (16, 2), (8, 3), (4, 4)):
        detector = SquareDetector()
        (actual,) = search_ladder(square(width), detector, scales=detector.scales)
        assert box_width(actual.box_xyxy) == width
        assert len(detector.sizes) == tried
    detector = SquareDetector()
    assert search_ladder(np.zeros((96, 160), np.uint8), detector, scales=detector.scales) == []
    assert detector.sizes == [(24, 40), (48, 80), (96, 160), (192, 320)]


def test_scales_for_faces_smaller_than_wanted_are_left_out():
    detector = SquareDetector()
    for smallest, expected in ((4, 4), (5, 4), (8, 3), (15, 3), (16, 2), (100, 1), (1, 4)):
        assert search_scales(detector, smallest_face_px=smallest) == detector.scales[:expected]


def test_resized_takes_means_of_areas_or_interpolates():
    image = np.array([[0, 100], [200, 100]], np.uint8)
    np.testing.assert_array_equal(resized(image, 0.5), [[100]])
    assert resized(image, 2).shape == (4, 4)
    view = np.zeros((4, 8), np.uint8)[:, ::2]
    assert resized(view, 1).flags["C_CONTIGUOUS"]


@pytest.mark.slow
def test_detectors_are_opened_by_name():
    assert open_detector().smallest_face_px == 80
    with pytest.raises(ConfigError, match="did you mean 'dlib_hog'"):
        open_detector("dlib-hug")


@pytest.mark.parametrize(
    ("most_px", "expected"),
    [(10**6, (0.25, 0.5, 1, 2)), (4 * 8000, (0.25, 0.5, 1, 2)), (8000, (0.25, 0.5, 1)), (2000, (0.25, 0.5))],
)
def test_scales_within_a_bound_of_pixels(most_px, expected):
    assert affordable_scales((0.25, 0.5, 1, 2), (80, 100), most_px=most_px) == expected


def test_the_largest_scale_within_the_bound_stands_for_larger_ones():
    assert affordable_scales((0.25, 1, 2), (80, 100), most_px=8000 // 4) == (0.25, 0.5)
    assert affordable_scales((0.5, 1), (80, 100), most_px=80) == (0.1,)
