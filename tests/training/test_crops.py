"""Crops against slices, enlarging against scikit-image, statistics against NumPy."""

import numpy as np
import pytest
import skimage.transform
import torch

from fgbench.errors import DatasetError
from fgbench.inputs import crops


def pictures(n, side=224, seed=0):
    drawn = np.random.default_rng(seed).integers(0, 256, (n, 3, side, side), np.uint8)
    return torch.from_numpy(drawn)


@pytest.mark.parametrize("side", [224, 240, 255, 256])
def test_five_crops_are_slices_and_mirrors(side):
    images = pictures(10, side)
    choice = torch.tensor([0, 1, 2, 3, 4, 0, 1, 2, 3, 4])
    flip = torch.tensor([False] * 5 + [True] * 5)
    actual = crops.five_crops(images, choice, flip)
    far = side - 224
    corners = {0: (far // 2, far // 2), 1: (0, 0), 2: (0, far), 3: (far, 0), 4: (far, far)}
    for image, number, mirror, crop in zip(images, choice.tolist(), flip.tolist(), actual, strict=True):
        y, x = corners[number]
        expected = image[:, y : y + 224, x : x + 224]
        assert torch.equal(crop, expected.flip(2) if mirror else expected)


def test_enlarging_agrees_with_another_implementation():
    images = pictures(2, 32)
    actual = crops.enlarge(images, 40)
    for image, large in zip(images.numpy(), actual.numpy(), strict=True):
        expected = skimage.transform.resize(
            image.transpose(1, 2, 0).astype(np.float64), (40, 40), order=1, mode="edge", anti_aliasing=False
        )
        np.testing.assert_allclose(large.transpose(1, 2, 0), expected, atol=1e-3)


def test_enlarging_to_the_same_side_changes_nothing():
    images = pictures(2)
    assert torch.equal(crops.enlarge(images, 224), images.float())


@pytest.mark.parametrize("kind", [torch.uint8, torch.float32])
def test_normalised_images_have_mean_0_and_deviation_1(kind):
    images = pictures(3, 64)
    mean, std = crops.mean_and_std(images)
    actual = crops.normalise(images.to(kind), mean, std).double()
    assert actual.mean((0, 2, 3)).abs().max() < 1e-6
    assert (actual.std((0, 2, 3), correction=0) - 1).abs().max() < 1e-6


@pytest.mark.slow
@pytest.mark.parametrize("side", [64, 224, 300])
def test_mean_and_std_are_exact(side):
    images = pictures(70, side, seed=1)
    images[:, 1] //= 3
    images[:, 2] = 255
    images[0, 2, 0, 0] = 254
    values = images.numpy().transpose(1, 0, 2, 3).reshape(3, -1).astype(np.float64)
    mean, std = crops.mean_and_std(images)
    np.testing.assert_allclose(mean, values.mean(1), rtol=1e-13)
    np.testing.assert_allclose(std, values.std(1), rtol=1e-9)
    assert crops.mean_and_std(iter(images.split(9))) == (mean, std)


def test_statistics_of_nothing_and_of_one_colour_are_refused():
    with pytest.raises(DatasetError, match="no images"):
        crops.mean_and_std([])
    with pytest.raises(DatasetError, match="same value"):
        crops.mean_and_std(torch.full((2, 3, 8, 8), 7, dtype=torch.uint8))


def test_views_are_numbered_from_the_plain_centre():
    assert crops.view_table("centre", flip=False) == ((0, False),)
    assert crops.view_table("centre", flip=True) == ((0, False), (0, True))
    table = crops.view_table("five", flip=True)
    assert len(table) == 10
    assert table[0] == (0, False)
    choice, flip = crops.split_views(table, torch.arange(10))
    assert list(zip(choice.tolist(), flip.tolist(), strict=True)) == list(table)


def test_views_depend_on_seed_and_epoch_and_are_all_drawn():
    views = crops.draw_views(4000, 10, seed=3, epoch=1)
    assert torch.equal(views, crops.draw_views(4000, 10, seed=3, epoch=1))
    assert not torch.equal(views, crops.draw_views(4000, 10, seed=3, epoch=2))
    assert not torch.equal(views, crops.draw_views(4000, 10, seed=4, epoch=1))
    # 400 of each are expected; six standard deviations are 114.
    assert torch.bincount(views, minlength=10).sub(400).abs().max() < 114
