"""Pixels of any picture as upright 8-bit sRGB: modes, depths, alpha, colour profiles and orientation.

- 16 bits and more are scaled to 8 (65535 becomes 255), never clipped; floats are taken to lie in 0 to 1.
- Transparent parts are shown on white, as in viewers.
- An embedded ICC profile of grey, RGB or CMYK is applied (perceptual intent) unless it is sRGB; a damaged
  one, or one of another colour space than the pixels, counts as absent. Without one, RGB and grey are sRGB,
  and CMYK is converted by Pillow's formula. PNG's gAMA and cHRM are ignored.
- EXIF orientation (or, without EXIF, XMP's) is applied once. HEIF and AVIF have orientations of their own,
  which take precedence over EXIF.
"""

from __future__ import annotations

import io
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fgbench.errors import MediaError

if TYPE_CHECKING:
    from PIL import Image

Pixels = npt.NDArray[np.uint8]

ORIENTATION_TAG = 0x0112
_SPACE_OF_MODE = {"RGB": "RGB", "L": "GRAY", "CMYK": "CMYK"}
_ROWS = 256  # rows at a time where wide numbers are converted


def to_rgb(image: Image.Image) -> Pixels:
    """Pixels of a loaded picture, not turned, (H, W, 3) uint8 RGB.

    Raises:
        MediaError: If its pixels cannot be converted to bytes (reason ``unsupported_pixels``): 32-bit
            integers, floats outside 0 to 1.
    """
    if image.mode == "I;16" or image.mode.startswith("I;16"):
        return _grey(_scaled(np.asarray(image), 65535))
    if image.mode == "I":
        return _grey(_scaled(_whole_numbers(image), 65535))
    if image.mode == "F":
        return _grey(_scaled(_unit_floats(image), 1))
    return np.array(_in_srgb(_flat(image)).convert("RGB"))


def oriented(pixels: Pixels, orientation: int) -> Pixels:
    """Make pixels upright; the result is contiguous.

    Args:
        pixels: (H, W, 3) uint8 as stored.
        orientation: EXIF's number, 1 to 8; others have no effect.
    """
    if orientation in (5, 6, 7, 8):
        pixels = pixels.transpose(1, 0, 2)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)


def foreign_profile(image: Image.Image) -> bool:
    """Return whether a picture's colour profile changes its pixels."""
    return _transform(image.info.get("icc_profile"), image.mode) is not None


def _flat(image: Image.Image) -> Image.Image:
    """The picture on white, without alpha or palette, 8 bits a channel: L, RGB or CMYK."""
    from PIL import Image as Pillow

    if image.has_transparency_data or image.mode in ("LA", "La", "PA", "RGBA", "RGBa"):
        with_alpha = image.convert("RGBA")
        # A profile belongs to the colours, not to the white behind them.
        colours = _in_srgb(with_alpha.convert("RGB"), image.info.get("icc_profile"))
        white = Pillow.new("RGB", image.size, (255, 255, 255))
        white.paste(colours, mask=with_alpha.getchannel("A"))
        return white
    if image.mode in _SPACE_OF_MODE:
        return image
    if image.mode == "LAB":
        return _from_lab(image)
    flat = image.convert("L" if image.mode == "1" else "RGB")
    flat.info["icc_profile"] = image.info.get("icc_profile")
    return flat


def _in_srgb(image: Image.Image, profile: bytes | None = None) -> Image.Image:
    from PIL import ImageCms

    transform = _transform(profile or image.info.get("icc_profile"), image.mode)
    if transform is None:
        return image
    converted = ImageCms.applyTransform(image, transform)
    return image if converted is None else converted


@lru_cache(maxsize=8)
def _transform(profile: bytes | None, mode: str) -> Any | None:
    """Transform from a profile to sRGB; ``None`` where nothing has to change."""
    from PIL import ImageCms

    if not profile:
        return None
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if source.profile.xcolor_space.strip() != _SPACE_OF_MODE.get(mode):
            return None
        if "srgb" in ImageCms.getProfileDescription(source).lower():
            return None
        return ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None


def _from_lab(image: Image.Image) -> Image.Image:
    from PIL import ImageCms

    transform = ImageCms.buildTransform(
        ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), "LAB", "RGB"
    )
    converted = ImageCms.applyTransform(image, transform)
    return image if converted is None else converted


def _whole_numbers(image: Image.Image) -> npt.NDArray[Any]:
    values = np.asarray(image)
    if values.min() < 0 or values.max() > 65535:
        raise _unsupported(f"whole numbers from {values.min()} to {values.max()}, expected 0 to 65535")
    return values


def _unit_floats(image: Image.Image) -> npt.NDArray[Any]:
    values = np.asarray(image)
    low, high = float(values.min()), float(values.max())
    if not (low >= 0 and high <= 1):  # also where there are NaN
        raise _unsupported(f"floats from {low:g} to {high:g}, expected 0 to 1")
    return values


def _unsupported(what: str) -> MediaError:
    return MediaError(
        f"the picture's pixels are {what}",
        "convert it to 8 or 16 bits a channel",
        reason="unsupported_pixels",
    )


def _scaled(values: npt.NDArray[Any], full: int) -> Pixels:
    """(H, W) of 0 to ``full`` as uint8, rounded."""
    scaled = np.empty(values.shape, np.uint8)
    for row in range(0, len(values), _ROWS):
        scaled[row : row + _ROWS] = np.rint(values[row : row + _ROWS].astype(np.float64) * (255 / full))
    return scaled


def _grey(levels: Pixels) -> Pixels:
    return np.repeat(levels[:, :, None], 3, axis=2)
