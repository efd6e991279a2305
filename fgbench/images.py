"""Stored pictures: RGB arrays to encoded bytes and back."""

from __future__ import annotations

from pathlib import Path

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


def read_image(path: Path) -> npt.NDArray[np.uint8]:
    """Read a picture from a file, upright as its EXIF data say.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        MediaError: If the file is missing (reason ``missing_file``), empty (``empty_file``), cut off
            (``truncated``), or not a picture (``unreadable_image``).
    """
    import cv2

    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise MediaError(
            f"image file {path} does not exist", "check the path", reason="missing_file"
        ) from error
    except OSError as error:
        raise MediaError(f"cannot read {path}: {error.strerror}", "check the path") from error
    if not data:
        raise MediaError(f"{path} is empty (0 bytes)", "copy the file again", reason="empty_file")
    if _is_cut_off(data):
        raise MediaError(
            f"{path} lacks its end after {len(data)} bytes", "copy the file again", reason="truncated"
        )
    try:
        return decode(data)
    except (MediaError, cv2.error) as error:
        raise MediaError(
            f"{path} is not a picture that can be read",
            "expected an image (JPEG, PNG, ...) or a video",
            reason="unreadable_image",
        ) from error


def _is_cut_off(data: bytes) -> bool:
    """Whether a JPEG or PNG file lacks its last bytes; decoders fill what is cut off with grey."""
    if data.startswith(b"\x89PNG"):
        return b"IEND\xaeB`\x82" not in data
    if not data.startswith(b"\xff\xd8"):
        return False
    # Segments before the picture, such as EXIF data, may hold a small picture with an end of its own.
    place = 2
    while data[place : place + 1] == b"\xff" and data[place + 1 : place + 2] != b"\xda":
        place += 2 + int.from_bytes(data[place + 2 : place + 4])
    return data.find(b"\xff\xd9", place) < 0
