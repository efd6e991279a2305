"""Pictures: RGB arrays to encoded bytes and back; files of any kind to RGB arrays."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fgbench.errors import MediaError
from fgbench.files.regular_files import read_regular
from fgbench.media.picture_headers import DAMAGE, OpenedPicture, opened_picture, unreadable
from fgbench.media.picture_pixels import ORIENTATION_TAG, foreign_profile, oriented, to_rgb

if TYPE_CHECKING:
    from PIL import Image

SUFFIXES = {"jpeg": "jpg", "png": "png"}
"""Encoding to the suffix of file names."""

MAX_PICTURE_PX = 64_000_000
"""Default limit on the pixels of a picture."""

# Upper bound: four channels of 16 bits, not compressed, and the headers that cameras write before them.
_MAX_BYTES_PER_PX = 8
_MAX_HEADER_BYTES = 64 << 20

# Where PNG files hold EXIF data; Pillow decodes the whole picture to look for them.
_PNG_EXIF = (b"eXIf", b"Raw profile type exif", b"Raw profile type APP1")


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


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded picture file.

    Attributes:
        pixels: (H, W, 3) uint8 sRGB, upright.
        format: ``"JPEG"``, ``"PNG"``, ``"HEIF"``, ...
    """

    pixels: npt.NDArray[np.uint8]
    format: str


def read_image(path: Path, *, max_px: int = MAX_PICTURE_PX) -> npt.NDArray[np.uint8]:
    """Pixels of a picture file; see :func:`read_picture`.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    return read_picture(path, max_px=max_px).pixels


def read_picture(path: Path, *, max_px: int = MAX_PICTURE_PX) -> Picture:
    """Read a picture file, whatever its suffix: upright, in 8-bit sRGB
    (see :mod:`fgbench.media.picture_headers` and :mod:`fgbench.media.picture_pixels`).

    Plain JPEG and PNG files (8 bits, no alpha, sRGB) have the pixels that OpenCV decodes.

    Args:
        path: The file.
        max_px: Largest number of pixels, width times height; checked in the header, before decoding.

    Raises:
        MediaError: If the file is missing (reason ``missing_file``), not a regular file
            (``not_a_file``), empty (``empty_file``), cut off (``truncated``), larger than the limit
            (``too_large``), not a picture (``unreadable_image``), one of several frames
            (``animated_picture``), of high dynamic range (``unsupported_colours``) or of pixels that cannot
            be converted to bytes (``unsupported_pixels``).
    """
    data = read_regular(path, max_bytes=_MAX_HEADER_BYTES + _MAX_BYTES_PER_PX * max_px)
    if not data:
        raise MediaError(f"{path} is empty (0 bytes)", "copy the file again", reason="empty_file")
    if _is_cut_off(data):
        raise MediaError(
            f"{path} lacks its end after {len(data)} bytes", "copy the file again", reason="truncated"
        )
    with opened_picture(io.BytesIO(data), str(path), max_px=max_px) as opened:
        try:
            return Picture(_pixels(opened, data), opened.format)
        except MediaError as error:
            raise MediaError(f"{path}: {error.message}", error.hint, reason=error.reason) from error
        except DAMAGE as error:
            raise unreadable(str(path), error) from error


def from_pillow(image: Image.Image) -> npt.NDArray[np.uint8]:
    """Pixels of a picture of Pillow as those of its file: upright, in 8-bit sRGB.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        MediaError: If it cannot be decoded, or its pixels cannot be converted to bytes.
    """
    try:
        return oriented(to_rgb(image), _orientation(image))
    except DAMAGE as error:
        raise unreadable(f"picture of mode {image.mode}", error) from error


def _pixels(opened: OpenedPicture, data: bytes) -> npt.NDArray[np.uint8]:
    import cv2

    if _is_plain(opened, data):
        flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
        try:
            plain = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
        except cv2.error:
            plain = None
        if plain is not None and plain.shape[1::-1] == opened.size:
            orientation = 1 if opened.format == "PNG" else _orientation(opened.image)
            return oriented(plain[:, :, ::-1], orientation)
    image = opened.decoded()
    return oriented(to_rgb(image), 1 if opened.is_upright else _orientation(image))


def _is_plain(opened: OpenedPicture, data: bytes) -> bool:
    """Return whether OpenCV decodes the picture correctly: grey or RGB, no alpha, no profile."""
    if opened.format not in ("JPEG", "MPO", "PNG") or opened.image.mode not in ("L", "RGB"):
        return False
    if opened.format == "PNG" and ("transparency" in opened.image.info or any(m in data for m in _PNG_EXIF)):
        return False
    return not foreign_profile(opened.image)


def _orientation(image: Any) -> int:
    try:
        return int(image.getexif().get(ORIENTATION_TAG, 1))
    except DAMAGE:
        return 1


def _is_cut_off(data: bytes) -> bool:
    """Return whether a JPEG or PNG file lacks its last bytes; decoders fill the missing part with grey."""
    if data.startswith(b"\x89PNG"):
        return b"IEND\xaeB`\x82" not in data
    if not data.startswith(b"\xff\xd8"):
        return False
    # Segments before the picture, such as EXIF data, may hold a small picture with its own end marker.
    offset = 2
    while data[offset : offset + 1] == b"\xff" and data[offset + 1 : offset + 2] != b"\xda":
        offset += 2 + int.from_bytes(data[offset + 2 : offset + 4])
    return data.find(b"\xff\xd9", offset) < 0
