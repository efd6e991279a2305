"""Chips against dlib's, and what they are cut from."""

import cv2
import dlib
import numpy as np
import pytest
from skimage import data

from fgbench.faces.chips import cut_chip, sharpness
from fgbench.faces.geometry import chip_transform, scale_of
from fgbench.faces.still_picture import ImageFrame


class WatchedFrame(ImageFrame):
    """A frame that notes which regions are asked for."""

    def rgb(self, box=None):
        regions.append(box)
        return super().rgb(box)


regions: list[tuple[int, int, int, int]] = []


def astronaut(factor):
    """The photograph enlarged, and its landmarks (those that the predictor gives, as points of whole px)."""
    image = cv2.resize(data.astronaut(), None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
    points = LANDMARKS * factor
    actual = dlib.full_object_detection(
        dlib.rectangle(0, 0, 9, 9), [dlib.point(int(x), int(y)) for x, y in points]
    )
    return image, points.astype(float), actual


LANDMARKS = np.array([[256, 110], [235, 110], [193, 110], [214, 110], [222, 142]])


# With halving dlib's own chip is off by up to 0.4 px: its pyramid counts a quarter of a pixel too much a
# level.
@pytest.mark.parametrize(("factor", "tolerance"), [(1, 1), (2, 1), (6, 2), (10, 3)])
def test_chips_equal_dlibs(factor, tolerance):
    image, points, actual = astronaut(factor)
    expected = dlib.get_face_chip(image, actual, size=224, padding=0.25)
    transform = chip_transform(points, size=224, padding=0.25)
    chip = cut_chip(ImageFrame(pixels=image), transform, size=224)
    assert chip.shape == (224, 224, 3)
    assert chip.dtype == np.uint8
    difference = np.abs(chip.astype(int) - expected).mean()
    assert difference < tolerance  # measured 0.5, 0.5, 1.5, 2.4
    shifted = [np.abs(np.roll(chip, 1, axis).astype(int) - expected).mean() for axis in (0, 1)]
    assert min(shifted) > 1.5 * difference


@pytest.mark.parametrize("scale", [1.7, 0.8, 0.45, 0.24, 0.11])
def test_content_lies_where_the_transform_says(scale):
    """A round spot has its centre of mass at the transformed point, halved or not."""
    x, y = np.meshgrid(np.arange(1200.0), np.arange(1000.0))
    spot = np.array([601.3, 487.6])
    sigma = 12 / scale
    levels = 250 * np.exp(-((x - spot[0]) ** 2 + (y - spot[1]) ** 2) / (2 * sigma**2))
    frame = ImageFrame(pixels=np.repeat(np.rint(levels).astype(np.uint8)[:, :, None], 3, axis=2))
    turn = np.array([[np.cos(0.3), -np.sin(0.3)], [np.sin(0.3), np.cos(0.3)]]) * scale
    expected = np.array([110.25, 118.5])
    chip = cut_chip(frame, np.column_stack([turn, expected - turn @ spot]), size=224)[:, :, 0].astype(float)
    rows, columns = np.mgrid[:224, :224]
    actual = np.array([(chip * columns).sum(), (chip * rows).sum()]) / chip.sum()
    np.testing.assert_allclose(actual, expected, atol=0.03)


def test_halving_begins_where_dlibs_does():
    scales = [scale_of(chip_transform(astronaut(factor)[1], size=224, padding=0.25)) for factor in (2, 6, 10)]
    assert scales[0] > 0.5
    assert 0.25 < scales[1] < 0.5
    assert scales[2] < 0.25


@pytest.mark.parametrize("factor", [1, 6])
def test_only_the_chips_surroundings_are_converted(factor):
    image, points, _ = astronaut(factor)
    transform = chip_transform(points, size=224, padding=0.25)
    regions.clear()
    chip = cut_chip(WatchedFrame(pixels=image), transform, size=224)
    ((x0, y0, x1, y1),) = regions
    assert 224 / scale_of(transform) < x1 - x0 < 224 / scale_of(transform) * 1.3 + 96
    cut_out = np.zeros_like(image)
    cut_out[y0:y1, x0:x1] = image[y0:y1, x0:x1]
    whole = cut_chip(ImageFrame(pixels=cut_out), transform, size=224)
    np.testing.assert_array_equal(chip, whole)


def test_outside_the_frame_is_black():
    frame = ImageFrame(pixels=np.full((50, 60, 3), 200, np.uint8))
    chip = cut_chip(frame, np.array([[1.0, 0, 20], [0, 1, 30]]), size=100)
    expected = np.zeros((100, 100, 3), np.uint8)
    expected[30:80, 20:80] = 200
    np.testing.assert_array_equal(chip, expected)
    assert not cut_chip(frame, np.array([[1.0, 0, 500], [0, 1, 0]]), size=100).any()


def test_sharpness_is_the_variance_of_the_laplacian():
    chip = np.random.default_rng(0).integers(0, 255, (64, 64, 3)).astype(np.uint8)
    red, green, blue = chip[16:48, 16:48].astype(float).transpose(2, 0, 1)
    luma = np.pad(np.rint(0.299 * red + 0.587 * green + 0.114 * blue), 1, mode="reflect")
    edges = luma[:-2, 1:-1] + luma[2:, 1:-1] + luma[1:-1, :-2] + luma[1:-1, 2:] - 4 * luma[1:-1, 1:-1]
    assert sharpness(chip) == pytest.approx(edges.var(), rel=1e-3)
    assert sharpness(cv2.GaussianBlur(chip, (5, 5), 2)) < sharpness(chip) / 10
    assert sharpness(np.full((64, 64, 3), 7, np.uint8)) == 0
