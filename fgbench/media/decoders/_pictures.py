"""Grey and RGB pixels of a decoded PyAV frame, upright; only the requested region is converted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import av
import cv2
import numpy as np
import numpy.typing as npt
from av.video.reformatter import VideoReformatter

from fgbench.media.decoders._orientation import Box, Orientation
from fgbench.media.decoders._tone import ToneMap
from fgbench.media.video import Image

# Formats whose first plane is the luma, and their number of bits.
_LUMA_BITS = {
    **{f"yuv{j}{sampling}p": 8 for j in ("", "j") for sampling in (411, 420, 422, 440, 444)},
    **{f"yuv{sampling}p{bits}le": bits for sampling in (420, 422, 444) for bits in (9, 10, 12, 14, 16)},
    **{f"gray{bits}le": bits for bits in (9, 10, 12, 14, 16)},
    **dict.fromkeys(("gray", "nv12", "nv21", "yuv410p"), 8),
}

# log2 of the chroma subsampling (x, y) of the formats whose planes are cut before the conversion.
_SUBSAMPLING = {
    f"yuv{j}{name}p": shifts
    for j in ("", "j")
    for name, shifts in (("420", (1, 1)), ("422", (1, 0)), ("444", (0, 0)))
}

# swscale's vector loops take up to 32 pixels; the rest at the right edge of a picture goes through scalar
# code. Cutting at multiples of 32 leaves every pixel in the loop that the whole picture would take.
_ALIGNMENT_PX = 32


def luma(frame: av.VideoFrame, orientation: Orientation, tone: ToneMap | None = None) -> Image:
    """Luma of the upright frame, (H, W) uint8, contiguous.

    Eight-bit YUV: a read-only view of the decoder's plane, or a copy where its rows have gaps or have to be
    turned. More bits: rounded to eight. Formats without luma (RGB, palette): the BT.601 luma of their RGB,
    full range. With ``tone``, the luma of a high dynamic range video converted to SDR.
    """
    bits = _LUMA_BITS.get(frame.format.name)
    if tone is not None and bits is not None:
        plane = _view(frame.planes[0], np.uint8 if bits == 8 else np.uint16)
        view = tone.luma(plane, bits, full_range=_has_full_range(frame))
    elif tone is not None:
        view = cv2.cvtColor(tone.rgb(_packed_rgb(VideoReformatter(), frame, bits=16)), cv2.COLOR_RGB2GRAY)
    elif bits == 8:
        view = _view(frame.planes[0])
        view.flags.writeable = False  # the decoder predicts later frames from these bytes
    elif bits is not None:
        deep, shift = _view(frame.planes[0], np.uint16), bits - 8
        view = ((np.minimum(deep, 255 << shift) + (1 << shift >> 1)) >> shift).astype(np.uint8)
    elif frame.format.is_rgb or frame.format.has_palette:
        view = cv2.cvtColor(_packed_rgb(VideoReformatter(), frame), cv2.COLOR_RGB2GRAY)
    else:
        view = _view(frame.reformat(format="yuv444p", threads=1).planes[0])
    # Without gaps, since dlib assumes contiguous arrays.
    return np.ascontiguousarray(orientation.apply(view))


@dataclass(slots=True)
class RgbConverter:
    """Converts regions of frames to RGB; keeps conversion tables and buffer between frames.

    The pixels equal the crop of a conversion of the whole frame by FFmpeg's swscale with its default flags
    (chroma not interpolated in 4:2:0 with an even height), which is also what OpenCV and decord show.
    """

    _reformatter: Any = field(default_factory=VideoReformatter)
    _region: Any = None

    def rgb(
        self, frame: av.VideoFrame, box: Box, orientation: Orientation, tone: ToneMap | None = None
    ) -> Image:
        """Region of the upright frame as (h, w, 3) uint8 RGB, contiguous.

        Args:
            frame: The decoded frame.
            box: ``(x0, y0, x1, y1)``, half open, px of the upright frame, inside it.
            orientation: Steps that make the frame upright.
            tone: Conversion to SDR, if the frame is not SDR.
        """
        size = orientation.size(frame.width, frame.height)
        x0, y0, x1, y1 = orientation.stored_box(box, size)
        if tone is not None:
            deep = _packed_rgb(self._reformatter, frame, bits=16)[y0:y1, x0:x1]
            return np.ascontiguousarray(orientation.apply(tone.rgb(deep)))
        left, top = 0, 0
        if _can_cut(frame) and (x1 - x0, y1 - y0) != (frame.width, frame.height):
            left, top = x0 // _ALIGNMENT_PX * _ALIGNMENT_PX, y0 // 2 * 2
            right = min(-(-x1 // _ALIGNMENT_PX) * _ALIGNMENT_PX, frame.width)
            frame = self._cut(frame, (left, top, right, min(y1 + y1 % 2, frame.height)))
        pixels = _packed_rgb(self._reformatter, frame)[y0 - top : y1 - top, x0 - left : x1 - left]
        return np.array(orientation.apply(pixels), order="C")  # a copy: RGB frames belong to the decoder

    def _cut(self, frame: av.VideoFrame, box: Box) -> av.VideoFrame:
        """Planes of a region as a separate frame; the corners lie on chroma samples."""
        x0, y0, x1, y1 = box
        name = frame.format.name
        region = self._region
        if region is None or (region.width, region.height, region.format.name) != (x1 - x0, y1 - y0, name):
            region = self._region = av.VideoFrame(x1 - x0, y1 - y0, name)
        region.colorspace, region.color_range = frame.colorspace, frame.color_range
        shift_x, shift_y = _SUBSAMPLING[name]
        for number, (source, target) in enumerate(zip(frame.planes, region.planes, strict=True)):
            x, y = (x0 >> shift_x, y0 >> shift_y) if number else (x0, y0)
            _view(target)[:] = _view(source)[y : y + target.height, x : x + target.width]
        return region


def _can_cut(frame: av.VideoFrame) -> bool:
    """Return whether a cut-out converts to the same pixels as the whole frame.

    With an odd height or interlaced lines swscale mixes chroma rows, and a cut-out would lack neighbours.
    """
    return frame.format.name in _SUBSAMPLING and frame.height % 2 == 0 and not frame.interlaced_frame


def _packed_rgb(reformatter: VideoReformatter, frame: av.VideoFrame, *, bits: int = 8) -> npt.NDArray[Any]:
    """Whole frame as stored, (H, W, 3) RGB, a view without the padding of its rows.

    Args:
        reformatter: Keeps the conversion tables.
        frame: The frame.
        bits: 8 (uint8) or 16 (uint16) of a channel.

    One thread: workers are processes, and starting threads costs more than a region takes.
    """
    name, pixel = ("rgb24", np.uint8) if bits == 8 else ("rgb48le", np.uint16)
    plane = reformatter.reformat(frame, format=name, threads=1).planes[0]
    return _view(plane, pixel, channels=3)


def _view(plane: Any, pixel: type[np.generic] = np.uint8, channels: int = 1) -> npt.NDArray[Any]:
    """View of a plane without the padding of its rows, (height, width) or (height, width, channels)."""
    dtype = np.dtype(pixel)
    shape, strides = [plane.height, plane.width], [plane.line_size, channels * dtype.itemsize]
    if channels > 1:
        shape, strides = [*shape, channels], [*strides, dtype.itemsize]
    first_row = max(-plane.line_size * (plane.height - 1), 0)  # a negative line size: stored bottom up
    return np.ndarray(shape, dtype, buffer=plane, offset=first_row, strides=strides)


# Luma weights of red and blue by FFmpeg's number of the colour matrix (AVColorSpace): ITU-R BT.709, FCC,
# BT.470/BT.601, SMPTE 170M, SMPTE 240M, BT.2020.
_RED_BLUE_WEIGHTS = {
    1: (0.2126, 0.0722),
    4: (0.30, 0.11),
    5: (0.299, 0.114),
    6: (0.299, 0.114),
    7: (0.212, 0.087),
    9: (0.2627, 0.0593),
}
_FULL_RANGE = 2  # AVCOL_RANGE_JPEG


def luma_weights(frame: av.VideoFrame) -> npt.NDArray[np.float64]:
    """Weights (1, 4) of red, green, blue and 1 that give back the stored luma from RGB, both 0 to 255.

    Args:
        frame: Source of matrix and range; by default BT.601 and limited range. For RGB
            formats the weights are those of :func:`luma`.
    """
    is_rgb = frame.format.is_rgb
    red, blue = (
        _RED_BLUE_WEIGHTS[5] if is_rgb else _RED_BLUE_WEIGHTS.get(frame.colorspace, _RED_BLUE_WEIGHTS[5])
    )
    weights = np.array([[red, 1 - red - blue, blue, 0.0]])
    return weights if _has_full_range(frame) else weights * 219 / 255 + [0, 0, 0, 16]


def _has_full_range(frame: av.VideoFrame) -> bool:
    """Return whether values fill their range; if unspecified it is limited, except for RGB and ``yuvj``."""
    is_full: bool = frame.color_range == _FULL_RANGE
    return is_full or frame.format.is_rgb or frame.format.name.startswith("yuvj")
