"""Offline augmentation, against SciPy and by counting."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from fgbench.preparation.augmentation import Augmentation, Ranges, apply, draw, water_level

RANGES = Ranges(max_rotation_deg=15.0, max_scale_change=0.1, max_noise_sigma=10.0)


def picture():
    rng = np.random.default_rng(5)
    smooth = ndimage.gaussian_filter(rng.uniform(0, 255, (64, 80, 3)), (4, 4, 0))
    return np.uint8(np.clip((smooth - 127) * 4 + 127, 0, 255))


def test_rotation_and_scale_against_scipy():
    image = picture()
    angle, scale = np.deg2rad(9.0), 1.08
    made = apply(image, Augmentation(rotation_deg=9.0, scale=1.08, noise_sigma=0.0, noise_seed=0))
    # Output pixel (row, column) takes the input at centre + R (output - centre) / scale; counter-clockwise
    # in an image whose rows go down.
    centre = (np.array(image.shape[:2]) - 1) / 2
    matrix = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]) / scale
    offset = centre - matrix @ centre
    expected = np.stack(
        [ndimage.affine_transform(image[:, :, c].astype(float), matrix, offset, order=1) for c in range(3)],
        -1,
    )
    inner = (slice(12, -12), slice(12, -12))
    assert np.abs(made[inner].astype(float) - expected[inner]).max() <= 2.0


def test_noise_has_the_stated_deviation_and_comes_from_its_seed():
    image = np.full((224, 224, 3), 128, np.uint8)
    noisy = apply(image, Augmentation(rotation_deg=0.0, scale=1.0, noise_sigma=6.0, noise_seed=7))
    assert np.std(noisy.astype(float)) == pytest.approx(6.0, rel=0.02)
    assert np.mean(noisy.astype(float)) == pytest.approx(128.0, abs=0.1)
    again = apply(image, Augmentation(rotation_deg=0.0, scale=1.0, noise_sigma=6.0, noise_seed=7))
    other = apply(image, Augmentation(rotation_deg=0.0, scale=1.0, noise_sigma=6.0, noise_seed=8))
    assert np.array_equal(noisy, again)
    assert not np.array_equal(noisy, other)


def test_parameters_stay_in_range_and_depend_on_parent_copy_and_seed():
    drawn = [draw(f"clip-f{index:05d}", 1, RANGES, seed=0) for index in range(500)]
    rotations = np.array([item.rotation_deg for item in drawn])
    scales = np.array([item.scale for item in drawn])
    assert np.abs(rotations).max() <= 15.0
    assert np.abs(rotations).max() > 13.0
    assert scales.min() >= 0.9 - 1e-6
    assert scales.max() <= 1.1 + 1e-6
    assert len({item.noise_seed for item in drawn}) == 500
    base = draw("p", 1, RANGES, seed=0)
    assert base == draw("p", 1, RANGES, seed=0)
    assert base not in (
        draw("p", 2, RANGES, seed=0),
        draw("p", 1, RANGES, seed=1),
        draw("q", 1, RANGES, seed=0),
    )


@pytest.mark.slow
@given(
    st.dictionaries(st.text("abcdefgh", min_size=1, max_size=3), st.integers(0, 60), max_size=12),
    st.integers(0, 900),
)
def test_water_level_against_filling_one_by_one(counts, total):
    filled = dict(counts)
    alive = sorted(name for name, count in counts.items() if count)
    while alive and sum(filled.values()) < total:
        filled[min(alive, key=lambda name: (filled[name], name))] += 1
    actual = water_level(counts, total)
    assert sorted(actual.values()) == sorted(filled.values())
    assert all(actual[name] >= counts[name] for name in counts)
    assert sum(actual.values()) == (max(total, sum(counts.values())) if alive else 0)


def test_water_level_reaches_the_papers_total():
    counts = {f"class{index:02d}": 40 + 12 * index for index in range(33)}
    assert sum(water_level(counts, 12826).values()) == 12826
