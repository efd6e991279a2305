from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from fgbench.features._corners import corner_quality, free_centres
from fgbench.features._descriptors import angle_taps, patch_corners, patch_histograms
from fgbench.features._flow import refine, window_taps
from fgbench.features._polynomial import empty_expansion, empty_plane, expand, fit_taps
from fgbench.features._pyramid import levels, reduce_image
from tests.support import plain_dense_trajectories as plain


def _image(width: int, height: int, seed: int = 0) -> npt.NDArray[np.uint8]:
    noise = np.random.default_rng(seed).integers(0, 256, (height, width), dtype=np.uint8)
    return cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 1.5), None, 0, 255, cv2.NORM_MINMAX)


def _expansion(image: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    height, width = image.shape
    out = empty_expansion(width, height)
    plane = empty_plane(width, height)
    plane[: image.size] = image.reshape(-1)
    expand(plane, width, height, fit_taps(), out)
    return out


@pytest.mark.slow
def test_scales_are_sqrt_2_apart_down_to_32_px() -> None:
    sizes = [(level.width, level.height) for level in levels(176, 144)]
    assert sizes == [(176, 144), (124, 102), (88, 72), (62, 51), (44, 36)]
    assert len(levels(4000, 3000)) == 8
    assert levels(31, 500) == ()
    assert [level.width for level in levels(32, 32)] == [32]


@pytest.mark.parametrize("level", range(6))
def test_reduction_equals_blur_and_resize(level: int) -> None:
    image = _image(253, 187).astype(np.float32)
    target = levels(253, 187)[level]
    out = np.empty((target.height, target.width), np.float32)
    reduce_image(image, *target.columns, *target.rows, out)
    sigma = (float(target.scale) - 1) / 2
    side = max(round(5 * sigma) | 1, 3)
    expected = cv2.resize(cv2.GaussianBlur(image, (side, side), sigma), (target.width, target.height))
    assert np.allclose(out, expected, atol=1e-3)


@pytest.mark.parametrize(("width", "height"), [(61, 47), (32, 32), (45, 80)])
def test_expansion_equals_least_squares(width: int, height: int) -> None:
    image = _image(width, height).astype(np.float32)
    out = _expansion(image)[:-3].reshape(height, width, 5)
    assert np.allclose(out, plain.expansion(image), atol=5e-5)


@pytest.mark.parametrize("shift", [(0.0, 0.0), (1.5, -0.75), (9.0, 6.0)])
def test_flow_equals_opencv(shift: tuple[float, float]) -> None:
    """One level from zero is OpenCV's Farnebäck flow without pyramid, with the Gaussian window."""
    big = _image(140, 110)
    matrix = np.array([[1, 0, -20 + shift[0]], [0, 1, -15 + shift[1]]])
    earlier, later = big[15:85, 20:115], cv2.warpAffine(big, matrix, (95, 70), flags=cv2.INTER_CUBIC)
    u, v = np.zeros((70, 95), np.float32), np.zeros((70, 95), np.float32)
    smooth = [cv2.GaussianBlur(f.astype(np.float32), (3, 3), 0) for f in (earlier, later)]
    before, after = (_expansion(f) for f in smooth)
    for _ in range(2):
        refine(before, after, window_taps(), u, v)
    flags = cv2.OPTFLOW_FARNEBACK_GAUSSIAN
    expected = cv2.calcOpticalFlowFarneback(earlier.copy(), later, None, 0.5, 0, 10, 2, 7, 1.5, flags)
    error = np.abs(np.dstack([u, v]) - expected)
    assert np.quantile(error, 0.99) < 1e-3
    assert np.quantile(error, 0.5) < 1e-5


@pytest.mark.parametrize(("width", "height"), [(64, 48), (33, 37), (101, 59)])
def test_corner_strength_equals_opencv(width: int, height: int) -> None:
    image = _image(width, height)
    centres = np.empty((height // 5, width // 5), np.float32)
    strongest = corner_quality(image, centres)
    expected = cv2.cornerMinEigenVal(image, 3, 3)
    assert np.allclose(
        centres / strongest, expected[2::5, 2::5][: height // 5, : width // 5] / expected.max(), atol=1e-5
    )


def test_free_places_skip_taken_cells() -> None:
    centres = np.array([[1, 2, 3], [4, 5, 6]], np.float32)
    points = np.array([[14.9, 0.0], [3.0, 7.0], [15.0, 3.0]], np.float32)
    assert free_centres(centres, 1.0, points).tolist() == [[7, 2], [7, 7], [12, 7]]


@pytest.mark.parametrize("kind", ["gradient", "flow"])
def test_patch_histograms_equal_sums_over_patches(kind: str) -> None:
    rng = np.random.default_rng(2)
    width, height = 75, 58
    x, y = (
        cv2.GaussianBlur(rng.normal(size=(height, width)).astype(np.float32), (0, 0), 2) * 5 for _ in "xy"
    )
    points = np.stack([rng.uniform(0, width, 40), rng.uniform(0, height, 40)], axis=1).astype(np.float32)
    corners, by_row = np.empty((40, 2), np.int64), np.empty(40, np.int64)
    row_start = patch_corners(points, width, height, corners, by_row)
    out = np.full((40, 132), -1, np.int32)
    channel, part = (1, slice(32, 68)) if kind == "flow" else (2, slice(68, 100))
    still = np.float32(0.4 if kind == "flow" else -1)
    patch_histograms(x, y, kind == "gradient", still, angle_taps(), corners, by_row, row_start, out, channel)
    if kind == "flow":
        fields = plain.orientation_fields(x.astype(float), y.astype(float), 0.4)
    else:
        padded = np.pad(x.astype(float), 1, mode="reflect")
        fields = plain.orientation_fields(
            padded[1:-1, 2:] - padded[1:-1, :-2], padded[2:, 1:-1] - padded[:-2, 1:-1]
        )
    bins = fields.shape[-1]
    assert (fields[..., -1].sum() > 0) or kind == "gradient"
    assert (np.delete(out, np.r_[part], axis=1) == -1).all()
    for n in range(40):
        expected = plain.patch_cells(fields, points[n].astype(float))
        assert np.allclose(out[n, part].reshape(4, bins) / 2**14, expected, atol=0.05, rtol=1e-3), n


def test_longest_vectors_do_not_overflow() -> None:
    x = np.full((40, 40), 1e6, np.float32)
    points = np.array([[20, 20]], np.float32)
    corners, by_row = np.empty((1, 2), np.int64), np.empty(1, np.int64)
    row_start = patch_corners(points, 40, 40, corners, by_row)
    out = np.empty((1, 132), np.int32)
    still = np.float32(0.4)
    patch_histograms(x, np.zeros_like(x), False, still, angle_taps(), corners, by_row, row_start, out, 1)
    assert (out[:, 32:68].reshape(4, 9)[:, 0] == 500 * 256 * 2**14).all()
    assert (out[:, 32:68].reshape(4, 9)[:, 1:] == 0).all()
