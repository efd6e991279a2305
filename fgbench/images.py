"""Stored pictures: RGB arrays to encoded bytes and back."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fgbench.errors import MediaError

SUFFIXES = {"jpeg": "jpg", "png": "png"}
"""Encoding to the suffix of file names."""


def encode(image: npt.NDArray[np.uint8], encoding: str, jpeg_quality: int) -> bytes:
    """Encode a picture.

    Args:
        image: (H, W, 3) uint8 RGB.
        encoding: ``"jpeg"`` (colour at full resolution) or ``"png"``.
        jpeg_quality: 1 to 100; without meaning for PNG.
    """
    import cv2

    if encoding == "png":
        flags = [cv2.IMWRITE_PNG_COMPRESSION, 4]
    else:
        full_colour = cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444
        flags = [cv2.IMWRITE_JPEG_QUALITY, jpeg_quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, full_colour]
    done, data = cv2.imencode(f".{SUFFIXES[encoding]}", np.ascontiguousarray(image[:, :, ::-1]), flags)
    if not done:
        raise MediaError(
            f"cannot encode a picture of shape {image.shape} as {encoding}", "this is a fault of fgbench"
        )
    return bytes(data)


def decode(data: bytes) -> npt.NDArray[np.uint8]:
    """Decode a picture to (H, W, 3) uint8 RGB.

    Raises:
        MediaError: If the bytes are not a picture.
    """
    import cv2

    buffer = np.frombuffer(data, np.uint8)
    image = cv2.imdecode(buffer, cv2.IMREAD_COLOR) if len(buffer) else None
    if image is None:
        raise MediaError(
            f"{len(data)} bytes are not a picture", "expected JPEG or PNG", reason="unreadable_image"
        )
    return np.ascontiguousarray(image[:, :, ::-1])
