"""Optical flow of pairs of frames for temporal networks, as bytes (Simonyan and Zisserman 2014; TSN 2016).

A flow field is clipped to +-b px and stored as ``(f + b) * 255 / (2 b)``, rounded; b is 20 for whole frames,
and less for faces (`fgbench.config.OpticalFlowConfig`). Its channels are u, to the right, and v, down, px
of the frame given.

Two methods: ``farneback`` (the default) and ``dis``, Dense Inverse Search with its fast preset (Kroeger et
al. 2016), which takes a fraction of the time. They are not equivalent: displacements differ. Train and test a
network on the same method.
"""

from __future__ import annotations

from typing import Any, Literal

import cv2
import numpy as np
import numpy.typing as npt

from fgbench.errors import ConfigError, MediaError

BOUND_PX = 20.0
"""Largest displacement stored for whole frames, px per frame (TSN's usual choice; not in the paper)."""

STILL = 128
"""Byte of displacement 0, which decodes to half a step (0.08 px of 20): 127.5 rounds to the even number."""

Method = Literal["farneback", "dis"]
Image = npt.NDArray[np.uint8]
Flow = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.uint8]

_SMALLEST_PX = {"farneback": 2, "dis": 16}


def flow(earlier: Image, later: Image, *, method: Method = "farneback") -> Flow:
    """Compute the displacement of every pixel from one frame to the next.

    Args:
        earlier: (H, W) uint8 gray.
        later: (H, W) uint8 gray.
        method: ``"farneback"`` (pyramid of factor 1/2 with 3 reductions, 15 px window, 3 iterations, fit over
            11 px with sigma 1.2: not stated in the paper) or ``"dis"``.

    Returns:
        (H, W, 2) float32, u and v in px.

    Raises:
        MediaError: If the sizes differ (reason ``size_change``), the frames are too small (``too_small``) or
            no gray uint8 pictures (``bad_frame``).
        ConfigError: If there is no such method.
    """
    _check(earlier, later, method)
    if method == "dis":
        engine = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
        return np.asarray(engine.calc(np.ascontiguousarray(earlier), np.ascontiguousarray(later), None))
    options: dict[str, Any] = {
        "pyr_scale": 0.5,
        "levels": 3,
        "winsize": 15,
        "iterations": 3,
        "poly_n": 5,
        "poly_sigma": 1.2,
        "flags": 0,
    }
    return np.asarray(cv2.calcOpticalFlowFarneback(earlier, later, None, **options))


def encode(values: Flow, *, bound_px: float = BOUND_PX) -> Bytes:
    """Encode displacements as bytes: ``(f + b) * 255 / (2 b)``, clipped to +-b px and rounded to the nearest.

    Args:
        values: Displacements in px, any shape.
        bound_px: Largest displacement b, positive.
    """
    clipped = np.clip(values, -bound_px, bound_px)
    return np.asarray(np.rint((clipped + bound_px) * (255 / (2 * bound_px))), dtype=np.uint8)


def decode(codes: Bytes, *, bound_px: float = BOUND_PX) -> Flow:
    """Decode :func:`encode`'s bytes to px, float32, within half a step (``bound_px / 255``) of the clipped
    values.

    Args:
        codes: Bytes, any shape.
        bound_px: Largest displacement, as they were encoded with.
    """
    return (codes * (2 * bound_px / 255) - bound_px).astype(np.float32)


def _check(earlier: Image, later: Image, method: str) -> None:
    if method not in _SMALLEST_PX:
        raise ConfigError(
            f"unknown method of optical flow {method!r}", f"known methods: {', '.join(_SMALLEST_PX)}"
        )
    for frame in (earlier, later):
        if frame.dtype != np.uint8 or frame.ndim != 2:
            raise MediaError(
                f"a frame has shape {frame.shape} and type {frame.dtype}, expected (H, W) gray of type uint8",
                "convert the frames to gray",
                reason="bad_frame",
            )
    if earlier.shape != later.shape:
        raise MediaError(
            f"a frame is {later.shape[1]} x {later.shape[0]} px after one of {earlier.shape[1]} x "
            f"{earlier.shape[0]} px, expected one size throughout",
            "split the clip where its size changes, or scale its frames to one size",
            reason="size_change",
        )
    if min(earlier.shape) < _SMALLEST_PX[method]:
        raise MediaError(
            f"frames are {earlier.shape[1]} x {earlier.shape[0]} px, {method} needs at least "
            f"{_SMALLEST_PX[method]} px each way",
            "leave this clip out or enlarge it",
            reason="too_small",
        )
