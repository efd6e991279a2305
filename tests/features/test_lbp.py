"""Local binary patterns, against scikit-image."""

import math
import warnings

import numpy as np
import pytest
import skimage.data
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from skimage.color import rgb2gray
from skimage.feature import local_binary_pattern

from fgbench.config import LbpConfig
from fgbench.errors import ConfigError
from fgbench.features.lbp import label_table, lbp_codes, lbp_histograms, length, n_labels


def reference(image, points=8, radius=2):
    return local_binary_pattern(image, points, radius, "nri_uniform")


def noise(seed, *shape, levels=256):
    return np.random.default_rng(seed).integers(0, levels, shape, dtype=np.uint8)


@pytest.mark.slow
def test_codes_are_scikit_images_on_200_random_images():
    """Few grey levels make equal neighbours frequent, where a last bit would decide."""
    for seed in range(200):
        image = noise(seed, 40 + seed % 23, 40 + seed % 17, levels=(2, 4, 16, 256)[seed % 4])
        np.testing.assert_array_equal(lbp_codes(image), reference(image))


@pytest.mark.parametrize("name", ["astronaut", "cat", "camera"])
def test_codes_are_scikit_images_on_photographs(name):
    image = getattr(skimage.data, name)()
    grey = image if image.ndim == 2 else (rgb2gray(image) * 255).round().astype(np.uint8)
    np.testing.assert_array_equal(lbp_codes(grey), reference(grey))


def decided_by_last_bits(image, points, radius):
    """Pixels (H, W) that an interpolated neighbour equals to 1e-9, so that rounding decides between them."""
    margin = int(radius) + 2
    padded = np.pad(image.astype(np.float64), margin)
    rows, columns = np.indices(image.shape) + margin
    result = np.zeros(image.shape, bool)
    radius = float(np.float32(radius))  # scikit-image's is
    for angle in 2 * np.pi * np.arange(points) / points:
        down, across = round(-radius * np.sin(angle), 5), round(radius * np.cos(angle), 5)
        if down.is_integer() and across.is_integer():
            continue  # nothing is interpolated: equal is equal
        top, left = math.floor(down), math.floor(across)
        value = np.zeros(image.shape)
        for row, height in ((top, 1 - (down - top)), (top + 1, down - top)):
            for column, width in ((left, 1 - (across - left)), (left + 1, across - left)):
                value += height * width * padded[rows + row, columns + column]
        result |= np.abs(value - image) < 1e-9
    return result


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@example(points=6, radius=0.99999, height=2, width=8, seed=1)  # equal but for the last bit at (1, 3)
@given(
    points=st.integers(2, 16),
    radius=st.floats(0.3, 7.0),
    height=st.integers(1, 24),
    width=st.integers(1, 24),
    seed=st.integers(0, 9),
)
def test_codes_are_scikit_images_for_any_circle_and_size(points, radius, height, width, seed):
    image = noise(seed, height, width, levels=5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        actual = lbp_codes(image, points, radius)
    clear = ~decided_by_last_bits(image, points, radius)
    np.testing.assert_array_equal(actual[clear], reference(image, points, radius)[clear])


def test_few_pixels_are_left_out_of_that_comparison():
    assert decided_by_last_bits(noise(1, 2, 8, levels=5), 6, 0.99999)[1, 3]
    share = np.mean(
        [decided_by_last_bits(noise(seed, 24, 24, levels=5), 7, 2.3).mean() for seed in range(10)]
    )
    assert share < 0.15
    assert not decided_by_last_bits(noise(0, 24, 24, levels=5), 4, 2.0).any()


def test_a_flat_image_has_the_label_of_all_ones_inside():
    assert set(lbp_codes(np.full((9, 9), 7, np.uint8))[2:-2, 2:-2].ravel()) == {57}


def test_eight_points_have_59_labels_and_all_are_used():
    table = label_table(8)
    assert n_labels(8) == 59
    assert sorted(set(table.tolist())) == list(range(59))
    assert (table == 58).sum() == 256 - 58


@pytest.mark.parametrize(("rows", "columns"), [(7, 6), (7, 7), (1, 1), (5, 3)])
def test_histograms_are_those_of_the_cells(rows, columns):
    images = noise(3, 2, 61, 50)
    actual = lbp_histograms(images, LbpConfig(rows=rows, columns=columns))
    assert actual.dtype == np.float32
    assert actual.shape == (2, rows * columns * 59)
    for image, features in zip(images, actual, strict=True):
        codes = reference(image)
        cells = []
        for i in range(rows):
            for j in range(columns):
                cell = codes[
                    i * 61 // rows : (i + 1) * 61 // rows, j * 50 // columns : (j + 1) * 50 // columns
                ]
                cells.append(np.histogram(cell, bins=59, range=(0, 59))[0] / cell.size)
        np.testing.assert_allclose(features, np.concatenate(cells), atol=1e-7)


def test_the_default_is_shans_2478_numbers():
    assert length(LbpConfig()) == 2478
    assert lbp_histograms(noise(0, 1, 224, 224)).sum() == pytest.approx(42)


def test_no_images_give_no_rows():
    assert lbp_histograms(np.empty((0, 224, 224), np.uint8)).shape == (0, 2478)


@pytest.mark.parametrize(
    "images",
    [
        noise(0, 20, 20),
        noise(0, 1, 20, 20).astype(float),
        noise(0, 1, 20, 20, 3),
        np.empty((1, 0, 20), np.uint8),
    ],
)
def test_other_than_grey_images_are_refused(images):
    with pytest.raises(ValueError, match="expected grey uint8 images"):
        lbp_histograms(images)


def test_images_smaller_than_the_grid_are_refused():
    with pytest.raises(ValueError, match="at least one pixel per cell"):
        lbp_histograms(noise(0, 1, 6, 40))


@pytest.mark.parametrize(
    "change", [{"points": 1}, {"points": 17}, {"radius": 0.0}, {"rows": 0}, {"columns": 65}]
)
def test_impossible_settings_are_refused(change):
    with pytest.raises(ValidationError, match=next(iter(change))):
        LbpConfig(**change)


@pytest.mark.parametrize("radius_px", [0.0, 64.0, math.nan])
def test_impossible_radii_are_refused(radius_px):
    with pytest.raises(ConfigError, match="expected above 0 and below 64"):
        lbp_codes(noise(0, 20, 20), radius_px=radius_px)
