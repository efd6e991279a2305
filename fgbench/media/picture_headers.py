"""Headers of encoded pictures: format, size and colours, read before any pixel is decoded.

Opens JPEG (also in MPO), PNG, GIF, BMP, TIFF, WebP, PNM, JPEG 2000, Targa and AVIF with Pillow and HEIF
(HEIC) with pillow-heif, by their content; other formats of Pillow, such as PostScript, are not tried. The
tiles in which phones store a picture are one picture. JPEG XL has no decoder here.
"""

from __future__ import annotations

import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import IO, TYPE_CHECKING, Any

from fgbench.errors import MediaError
from fgbench.files.regular_files import open_regular

if TYPE_CHECKING:
    from PIL import Image

MAX_SIDE_PX = 32_766
"""Longest side of a picture: OpenCV warps nothing longer."""

_FORMATS = ("JPEG", "PNG", "GIF", "BMP", "DIB", "TIFF", "WEBP", "PPM", "JPEG2000", "AVIF")
_ANIMATED = ("WEBP", "AVIF", "GIF", "PNG")
_HEIF_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"mif2", b"msf1"})
_JPEG_XL_STARTS = (b"\xff\x0a", b"\x00\x00\x00\x0cJXL \r\n\x87\n")
_AVIF_BRANDS = (b"avif", b"avis")

# Kinds of pages of a TIFF file: NewSubfileType and its bits (TIFF 6.0, section 8).
_SUBFILE_TAG = 254
_REDUCED = 1
_MASK = 4
_MOST_PAGES = 64  # that are examined

# Transfer curves (ITU-T H.273) of high dynamic range: PQ and HLG.
_HDR_TRANSFERS = {16: "PQ", 18: "HLG"}

DAMAGE = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    EOFError,
    RuntimeError,
    struct.error,
)
"""Errors that Pillow and pillow-heif raise for damaged files."""

_guard = Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedPicture:
    """A picture whose header alone has been read.

    Attributes:
        format: ``"JPEG"``, ``"MPO"``, ``"PNG"``, ..., or ``"HEIF"``.
        size: Width and height in px as stored; of HEIF as shown.
        image: Pillow's or pillow-heif's picture.
        is_upright: Whether the decoder turns it by itself, as for HEIF.
    """

    format: str
    size: tuple[int, int]
    image: Any
    is_upright: bool

    def decoded(self) -> Image.Image:
        """The pixels, as Pillow's picture.

        Raises:
            OSError, ValueError, ...: :data:`DAMAGE`.
        """
        image: Image.Image = self.image.to_pillow() if self.is_upright else self.image
        image.load()
        return image


@contextmanager
def opened_picture(file: IO[bytes], name: str, *, max_px: int) -> Iterator[OpenedPicture]:
    """Open a picture; of an MPO file the first, of a HEIF file the primary one.

    Args:
        file: The encoded picture, at its start.
        name: Name for messages; its suffix identifies a Targa picture, which has no signature.
        max_px: Largest number of pixels, width times height.

    Raises:
        MediaError: If it is no readable picture (reason ``unreadable_image``), larger than the limit
            (``too_large``), animated (``animated_picture``), one of several pages (``several_pages``), in
            colours of high dynamic range (``unsupported_colours``) or of a format without decoder
            (``unsupported_format``).
    """
    head = file.read(64)
    file.seek(0)
    if head.startswith(_JPEG_XL_STARTS):
        raise MediaError(
            f"{name} is a JPEG XL file, which fgbench has no decoder for",
            "convert it, e.g. to a JPEG with djxl",
            reason="unsupported_format",
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's, of damage that it tolerates
        if _is_heif(head):
            yield _checked(_open_heif(file, name), name, max_px)
            return
        with _open_pillow(file, name) as image:
            opened = OpenedPicture(format=str(image.format), size=image.size, image=image, is_upright=False)
            yield _checked(opened, name, max_px)


def check_header(path: Path, *, max_px: int) -> None:
    """Refuse a file that is no picture, or one above the limit, by its header.

    Raises:
        MediaError: As :func:`opened_picture`, or if it is no file (reason ``not_a_file``).
        OSError: If it does not exist or may not be read.
    """
    with open_regular(path) as file, opened_picture(file, str(path), max_px=max_px):
        pass


def unreadable(name: str, error: Exception | None = None) -> MediaError:
    """Error for a file that is no picture, or a damaged one."""
    if "truncated" in str(error):
        return MediaError(f"{name} lacks its end ({error})", "copy the file again", reason="truncated")
    detail = f" ({error})" if isinstance(error, OSError | ValueError) and len(str(error)) < 100 else ""
    return MediaError(
        f"{name} is not a picture that can be read{detail if '<_io' not in detail else ''}",
        "expected an image (JPEG, PNG, HEIC, ...) or a video",
        reason="unreadable_image",
    )


def _is_heif(head: bytes) -> bool:
    """Return whether the first box has brands of HEIF; AVIF files have some of them too."""
    if head[4:8] != b"ftyp":
        return False
    length = min(max(int.from_bytes(head[:4]), 16), len(head))
    brands = [head[8:12], *(head[start : start + 4] for start in range(16, length, 4))]
    return not any(brand in _AVIF_BRANDS for brand in brands) and any(b in _HEIF_BRANDS for b in brands)


def _open_heif(file: IO[bytes], name: str) -> OpenedPicture:
    import pillow_heif

    try:
        pictures = pillow_heif.open_heif(file, convert_hdr_to_8bit=True)
        image = pictures[pictures.primary_index]
    except DAMAGE as error:
        raise unreadable(name, error) from error
    colours: Any = image.info.get("nclx_profile") or {}
    _check_transfer(int(colours.get("transfer_characteristics", 0)), name)
    return OpenedPicture(format="HEIF", size=image.size, image=image, is_upright=True)


def _open_pillow(file: IO[bytes], name: str) -> Image.Image:
    from PIL import Image, UnidentifiedImageError

    Image.init()  # without it, formats that are requested by name may be unknown
    formats = (*_FORMATS, "TGA") if name.lower().endswith(".tga") else _FORMATS
    # Pillow has its own limit for the whole process, which warns or raises; the recipe's applies here.
    with _guard:
        theirs, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            image = Image.open(file, formats=formats)
        except DAMAGE as error:
            raise unreadable(name, None if isinstance(error, UnidentifiedImageError) else error) from error
        finally:
            Image.MAX_IMAGE_PIXELS = theirs
    _check_single(image, name)
    if image.format == "AVIF":
        _check_transfer(_avif_transfer(file), name)
    return image


def _check_single(image: Image.Image, name: str) -> None:
    """Refuse animations and TIFF files of several pages; views of an MPO file are neither."""
    try:
        is_animated = image.format in _ANIMATED and bool(getattr(image, "is_animated", False))
        has_pages = image.format == "TIFF" and _has_second_page(image)
    except DAMAGE as error:
        raise unreadable(name, error) from error
    if has_pages:
        raise MediaError(
            f"{name} has several pages, expected one picture",
            "make a file of each page; in a folder of their own they are the frames of a clip",
            reason="several_pages",
        )
    if is_animated:
        raise MediaError(
            f"{name} has several frames, expected one picture",
            "make a video file of it, or of the frame that is meant a picture",
            reason="animated_picture",
        )


def _has_second_page(image: Any) -> bool:
    """Return whether a TIFF file has a further picture, as large as the first and no reduced one or mask.

    Smaller ones are the thumbnails and levels that cameras, scanners and viewers add.
    """
    size = image.size
    for page in range(1, _MOST_PAGES):
        try:
            image.seek(page)
        except DAMAGE:  # no such page, or an unreadable one
            break
        is_part = int(image.tag_v2.get(_SUBFILE_TAG, 0)) & (_REDUCED | _MASK)
        if not is_part and image.size == size:
            return True
    image.seek(0)
    return False


def _avif_transfer(file: IO[bytes]) -> int:
    """Transfer curve of an AVIF file with one set of colours; 0 if the file states none."""
    file.seek(0)
    head = file.read(1 << 16)
    start = head.find(b"colrnclx")
    return int.from_bytes(head[start + 10 : start + 12]) if start >= 0 and b"tmap" not in head else 0


def _check_transfer(transfer: int, name: str) -> None:
    if transfer in _HDR_TRANSFERS:
        raise MediaError(
            f"{name} has colours of high dynamic range ({_HDR_TRANSFERS[transfer]}), expected others",
            "convert it, e.g. to a JPEG",
            reason="unsupported_colours",
        )


def _checked(opened: OpenedPicture, name: str, max_px: int) -> OpenedPicture:
    width, height = opened.size
    if width <= 0 or height <= 0:
        raise unreadable(name)
    if width * height > max_px:
        raise MediaError(
            f"{name} is {width} x {height} px, {width * height / 1e6:.1f} million; the limit is "
            f"{max_px / 1e6:.1f} million (ingest.max_picture_px)",
            "make the picture smaller, or raise the limit in the recipe",
            reason="too_large",
        )
    if max(width, height) > MAX_SIDE_PX:
        raise MediaError(
            f"{name} is {width} x {height} px; the limit of a side is {MAX_SIDE_PX} px",
            "make the picture smaller, or cut it",
            reason="too_large",
        )
    return opened
