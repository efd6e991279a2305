"""Orientation: rotation and mirroring against numpy.rot90, boxes against the pixels they cover."""

import itertools

import numpy as np
import pytest

from fgbench.errors import MediaError
from fgbench.media.decoders._orientation import Orientation, from_display_matrix

ALL = [
    Orientation(transposed=transposed, flip_x=flip_x, flip_y=flip_y)
    for transposed, flip_x, flip_y in itertools.product((False, True), repeat=3)
]
IMAGE = np.arange(12).reshape(3, 4)


@pytest.mark.parametrize("orientation", ALL, ids=str)
def test_rotation_and_mirroring_describe_what_is_applied(orientation):
    stored = IMAGE[:, ::-1] if orientation.mirrored else IMAGE
    expected = np.rot90(stored, -orientation.rotation_deg // 90)  # numpy turns counter-clockwise
    upright = orientation.apply(IMAGE)
    assert np.array_equal(upright, expected)
    assert orientation.size(4, 3) == upright.shape[::-1]


def test_the_eight_orientations_differ():
    assert len({(orientation.rotation_deg, orientation.mirrored) for orientation in ALL}) == 8


@pytest.mark.parametrize("orientation", ALL, ids=str)
def test_stored_box_covers_the_same_pixels(orientation):
    upright = orientation.apply(IMAGE)
    height, width = upright.shape
    for x0, x1 in itertools.combinations(range(width + 1), 2):
        for y0, y1 in itertools.combinations(range(height + 1), 2):
            left, top, right, bottom = orientation.stored_box((x0, y0, x1, y1), (width, height))
            region = orientation.apply(IMAGE[top:bottom, left:right])
            assert np.array_equal(region, upright[y0:y1, x0:x1])


def test_colour_pictures_keep_their_channels():
    image = np.arange(24).reshape(2, 4, 3)
    upright = Orientation(transposed=True, flip_x=True).apply(image)
    assert upright.shape == (4, 2, 3)
    assert upright[0, 1].tolist() == image[0, 0].tolist()


def test_display_matrix_of_a_phone_held_upright():
    """The matrix that phones write for portrait video; the shift in the last row does not count."""
    matrix = [0, 65536, 0, -65536, 0, 0, 1080 << 16, 0, 1 << 30]
    assert from_display_matrix(matrix).rotation_deg == 90


@pytest.mark.parametrize(
    "matrix",
    [
        [46341, 46341, 0, -46341, 46341, 0, 0, 0, 1 << 30],  # 45 degrees
        [65536, 0, 0, 0, 0, 0, 0, 0, 1 << 30],  # flat
        [0] * 9,
    ],
)
def test_other_matrices_are_refused(matrix):
    with pytest.raises(MediaError, match="not a rotation by a multiple of 90 degrees"):
        from_display_matrix(matrix)
