"""Random changes of training pictures, against OpenCV and plain NumPy."""

import cv2
import numpy as np
import pytest
import torch

from fgbench.config import DistortConfig
from fgbench.inputs.distortion import distort, draw_distortions

ALL = DistortConfig(colour=0.3, grey=0.5, size=0.2, turn_deg=20.0, shift=0.2)
PX = 48


def pictures(n):
    """Smooth coloured pictures, (n, 3, PX, PX) float32."""
    random = np.random.default_rng(3)
    small = random.uniform(20, 230, (n, 6, 6, 3)).astype(np.float32)
    large = [cv2.resize(one, (PX, PX), interpolation=cv2.INTER_CUBIC) for one in small]
    return torch.from_numpy(np.stack(large).clip(0, 255).transpose(0, 3, 1, 2))


def reference(picture, drawn):
    """What one picture should become, (3, PX, PX) float64."""
    brightness, contrast, saturation, red, green, blue, grey, along, across, turn, right, down = drawn
    # From a place in the result to the place in the picture, in px from the centre of the first pixel.
    half = (PX - 1) / 2
    cosine, sine = np.cos(turn), np.sin(turn)
    linear = np.array([[cosine * along, -sine * along], [sine * across, cosine * across]])
    offset = half - linear @ [half, half] + np.array([right, down]) * PX / 2
    inverse = np.column_stack([linear, offset])
    image = cv2.warpAffine(
        picture.transpose(1, 2, 0),
        inverse,
        (PX, PX),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    ).astype(np.float64)
    image *= brightness
    image = (image - image.mean()) * contrast + image.mean()
    level = image.mean(2, keepdims=True)
    image = ((image - level) * saturation + level) * [red, green, blue]
    if grey:
        image = np.repeat(image.mean(2, keepdims=True), 3, 2)
    return image.clip(0, 255).transpose(2, 0, 1)


def test_pictures_are_changed_as_drawn():
    n = 12
    drawn = draw_distortions(n, ALL, seed=1, epoch=2)
    assert 0 < drawn[:, 6].sum() < n  # some are grey
    source = pictures(n)
    actual = distort(source, drawn).numpy()
    for picture, changes, result in zip(source.numpy(), drawn.double().numpy(), actual, strict=True):
        # OpenCV places pixels on a grid of 1/32 px.
        np.testing.assert_allclose(result, reference(picture, changes), atol=2.5)
        assert np.abs(result - picture).mean() > 5


def test_nothing_drawn_changes_nothing():
    assert draw_distortions(4, DistortConfig(), seed=0, epoch=0) is None
    still = draw_distortions(4, DistortConfig(grey=1.0), seed=0, epoch=0)
    still[:, 6] = 0
    np.testing.assert_allclose(distort(pictures(4), still).numpy(), pictures(4).numpy(), atol=1e-2)


@pytest.mark.parametrize(
    ("changes", "columns"),
    [
        ({"colour": 0.2}, range(6)),
        ({"grey": 0.5}, [6]),
        ({"size": 0.1}, [7, 8]),
        ({"turn_deg": 10.0}, [9]),
        ({"shift": 0.1}, [10, 11]),
    ],
)
def test_each_number_changes_its_part_within_its_bounds(changes, columns):
    drawn = draw_distortions(500, DistortConfig(**changes), seed=0, epoch=0).numpy()
    still = np.array([1, 1, 1, 1, 1, 1, 0, 1, 1, 0, 0, 0], np.float32)
    others = [column for column in range(12) if column not in columns]
    np.testing.assert_array_equal(drawn[:, others], np.tile(still[others], (500, 1)))
    bounds = {
        **dict.fromkeys((0, 1), (0.8, 1.2)),
        2: (0.4, 1.2),
        **dict.fromkeys((3, 4, 5), (0.9, 1.1)),
        6: (0, 1),
        7: (np.exp(-0.1), np.exp(0.1)),
        8: (np.exp(-0.15), np.exp(0.15)),
        9: (-np.radians(10), np.radians(10)),
        **dict.fromkeys((10, 11), (-0.1, 0.1)),
    }
    for column in columns:
        low, high = bounds[column]
        actual = drawn[:, column]
        assert low - 1e-6 <= actual.min() < low + (high - low) * 0.15
        assert high + 1e-6 >= actual.max() > high - (high - low) * 0.15


def test_what_is_drawn_comes_from_seed_and_epoch():
    first = draw_distortions(5, ALL, seed=1, epoch=2)
    assert torch.equal(first, draw_distortions(5, ALL, seed=1, epoch=2))
    assert not torch.equal(first, draw_distortions(5, ALL, seed=1, epoch=3))
    assert not torch.equal(first, draw_distortions(5, ALL, seed=2, epoch=2))
