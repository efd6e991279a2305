"""Measures of change, against plain loops."""

import numpy as np
import pytest

from fgbench.faces.scene import correlation, is_cut, is_partly_still, largest_change, sample


def test_samples_are_pixels_of_the_luma():
    luma = np.arange(720 * 1280, dtype=np.uint32).reshape(720, 1280).astype(np.uint8)
    actual = sample(luma)
    assert actual.shape == (90, 160)
    np.testing.assert_array_equal(actual[3, 5], luma[4 + 24, 4 + 40])
    assert sample(np.zeros((30, 20), np.uint8)).shape == (30, 20)


@pytest.mark.parametrize("shape", [(2, 640), (640, 2), (16, 16384), (1, 1)])
def test_samples_of_very_wide_and_very_high_frames(shape):
    actual = sample(np.zeros(shape, np.uint8))
    assert min(actual.shape) == 1
    assert largest_change(actual, actual) == 0
    assert not is_cut(actual, actual)


def test_largest_change_is_that_of_the_worst_block():
    rng = np.random.default_rng(0)
    before, after = (rng.integers(0, 255, (47, 83)).astype(np.int16) for _ in range(2))
    blocks = [
        np.abs(after - before)[top : top + 10, left : left + 10].mean()
        for top in range(0, 47, 10)
        for left in range(0, 83, 10)
    ]
    assert largest_change(before, after) == pytest.approx(max(blocks))
    assert largest_change(before, before) == 0
    assert largest_change(before, after[1:]) == np.inf


def test_correlation_is_pearsons():
    rng = np.random.default_rng(1)
    a, b = rng.integers(0, 255, (2, 9, 9)).astype(np.uint8)
    assert correlation(a, b) == pytest.approx(np.corrcoef(a.ravel(), b.ravel())[0, 1], abs=1e-5)
    assert correlation(a, np.full_like(a, 3)) == 0


def test_cuts_are_other_pictures_not_other_light():
    rng = np.random.default_rng(2)
    a, b = (np.kron(rng.integers(40, 160, (9, 16)), np.ones((10, 10))).astype(np.int16) for _ in range(2))
    assert is_cut(a, b)
    assert not is_cut(a, a + 60)
    assert not is_cut(a, np.roll(a, 2, axis=1))
    assert is_cut(a, a[:50])


def test_a_picture_of_which_a_third_stays_may_be_no_cut():
    rng = np.random.default_rng(3)
    a, b = (np.kron(rng.integers(0, 250, (9, 16)), np.ones((10, 10))).astype(np.int16) for _ in range(2))
    assert not is_partly_still(a, b)
    b[:, :60] = a[:, :60] + 6
    assert is_partly_still(a, b)
    assert not is_partly_still(a, a + 7)
    assert not is_partly_still(a, a[:50])
