from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from fgbench.errors import ConfigError, MediaError
from fgbench.features.optical_flow import STILL, Method, decode, encode, flow


def _clip(dx: float, dy: float, n: int) -> list[npt.NDArray[np.uint8]]:
    noise = np.random.default_rng(0).normal(size=(160, 200)).astype(np.float32)
    texture = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 2.5), None, 0, 255, cv2.NORM_MINMAX)
    matrices = [np.array([[1, 0, k * dx - 40], [0, 1, k * dy - 40]]) for k in range(n)]
    warped = (cv2.warpAffine(texture, m, (100, 80), flags=cv2.INTER_CUBIC) for m in matrices)
    return [np.clip(w, 0, 255).astype(np.uint8) for w in warped]


@pytest.mark.parametrize(
    ("displacement", "code"),
    [(-25, 0), (-20, 0), (-10, 64), (0, 128), (0.05, 128), (10, 191), (19.99, 255), (1e9, 255)],
)
def test_displacements_become_bytes(displacement: float, code: int) -> None:
    assert encode(np.array([displacement], np.float32)).tolist() == [code]


def test_bytes_decode_within_half_a_step() -> None:
    values = np.linspace(-20, 20, 4001, dtype=np.float32)
    assert np.abs(decode(encode(values)) - values).max() <= 20 / 255 + 1e-5
    codes = np.arange(256, dtype=np.uint8)
    assert np.array_equal(encode(decode(codes)), codes)
    assert encode(np.zeros(1, np.float32))[0] == STILL


@pytest.mark.parametrize("bound_px", [0.1, 5.0, 300.0])
def test_any_bound_has_256_steps(bound_px: float) -> None:
    values = np.linspace(-2 * bound_px, 2 * bound_px, 4001, dtype=np.float32)
    codes = encode(values, bound_px=bound_px)
    assert (codes[0], codes[2000], codes[-1]) == (0, STILL, 255)
    errors = decode(codes, bound_px=bound_px) - np.clip(values, -bound_px, bound_px)
    assert np.abs(errors).max() <= 1.001 * bound_px / 255


@pytest.mark.parametrize(("method", "tolerance_px"), [("farneback", 0.1), ("dis", 0.25)])
def test_flow_is_the_displacement_to_the_next_frame(method: Method, tolerance_px: float) -> None:
    first, second = _clip(2.5, -1.25, 2)
    inner = flow(first, second, method=method)[20:-20, 20:-20]
    assert np.median(np.abs(inner - [2.5, -1.25])) < tolerance_px


@pytest.mark.parametrize(
    ("second", "method", "reason"),
    [
        (np.zeros((32, 33), np.uint8), "farneback", "size_change"),
        (np.zeros((32, 32, 3), np.uint8), "farneback", "bad_frame"),
        (np.zeros((32, 32), np.float32), "dis", "bad_frame"),
    ],
)
def test_unusable_frames_are_errors(second: npt.NDArray[np.uint8], method: Method, reason: str) -> None:
    with pytest.raises(MediaError) as caught:
        flow(np.zeros((32, 32), np.uint8), second, method=method)
    assert caught.value.reason == reason


def test_tiny_frames_are_errors() -> None:
    tiny = np.zeros((15, 40), np.uint8)
    with pytest.raises(MediaError, match="dis needs at least 16 px"):
        flow(tiny, tiny, method="dis")


def test_unknown_method_is_an_error() -> None:
    tiny = np.zeros((16, 16), np.uint8)
    with pytest.raises(ConfigError, match="unknown method of optical flow 'tvl1'"):
        flow(tiny, tiny, method="tvl1")  # type: ignore[arg-type]
