"""Small video files for tests: good ones, odd ones and broken ones. Every frame carries its number.

The number stands in the luma as 2 rows of 8 black or white squares near the top left corner of the upright
picture: eight bits, highest first, and their complements below. The rest of the picture tells left from
right, top from bottom, and red from blue.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

SQUARE_PX = 12
MARGIN_PX = 8
SIZE = (160, 120)
QUICK = {"preset": "ultrafast", "crf": "18"}


def picture(number: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    """Upright frame with its number, (H, W, 3) uint8 RGB."""
    width, height = size
    y, x = np.mgrid[:height, :width]
    rgb = np.stack([60 + 120 * x // width, 90 + 0 * x, 60 + 120 * y // height], axis=-1)
    rgb[height * 3 // 4 :, : width // 4] = (200, 40, 40)
    rgb[height * 3 // 4 :, width * 3 // 4 :] = (40, 40, 200)
    index = (7 * number) % (width // 4)
    rgb[height // 2 : height // 2 + 8, width // 4 + index : width // 4 + index + 8] = (40, 180, 60)
    for position, bit in enumerate(f"{number:08b}"):
        left = MARGIN_PX + position * SQUARE_PX
        for row, value in enumerate((int(bit), 1 - int(bit))):
            top = MARGIN_PX + row * SQUARE_PX
            rgb[top : top + SQUARE_PX, left : left + SQUARE_PX] = 225 * value + 15
    return rgb.astype(np.uint8)


def read_number(image: np.ndarray) -> int | None:
    """Number that a decoded upright frame carries; ``None`` if the squares contradict each other.

    Args:
        image: (H, W) luma or (H, W, 3) RGB.
    """
    gray = image if image.ndim == 2 else image.mean(axis=2)
    centre = MARGIN_PX + SQUARE_PX // 2
    columns = centre + SQUARE_PX * np.arange(8)
    patches = [
        [gray[row - 2 : row + 3, column - 2 : column + 3].mean() for column in columns]
        for row in (centre, centre + SQUARE_PX)
    ]
    bits, complements = np.array(patches) > 128
    return None if (bits == complements).any() else int("".join(str(int(bit)) for bit in bits), 2)


def write_clip(
    path: Path,
    n_frames: int = 40,
    *,
    size: tuple[int, int] = SIZE,
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
    container: str | None = None,
    times_ms: Sequence[int] | None = None,
    with_audio: bool = False,
    pictures: Iterable[np.ndarray] | None = None,
    **stream_attributes: int,
) -> Path:
    """Encode a clip whose frame ``k`` carries the number ``k``.

    Args:
        path: Where to; the suffix says the container.
        n_frames: At most 256.
        size: Width and height in px.
        codec: FFmpeg's name of the encoder.
        pixel_format: FFmpeg's name of the pixel format.
        options: Of the encoder; by default 10 frames between key frames and 2 B-frames for libx264.
        container_options: Of the container, e.g. ``{"movflags": "+faststart"}``.
        container: Format of the container where the suffix does not say it.
        times_ms: Presentation times; by default 25 frames per second.
        with_audio: Put an audio stream beside the video.
        pictures: (H, W, 3) uint8 RGB pictures in place of the numbered ones.
        stream_attributes: Further attributes of the encoder, e.g. ``gop_size``.
    """
    if options is None:
        options = {**QUICK, "g": "10", "bf": "2", "sc_threshold": "0"} if codec == "libx264" else {}
    with av.open(str(path), "w", format=container, options=container_options or {}) as output:
        stream = output.add_stream(codec, rate=25, options=options)
        stream.width, stream.height = size
        stream.pix_fmt = pixel_format
        for name, value in stream_attributes.items():
            setattr(stream.codec_context, name, value)
        if times_ms is not None:
            stream.codec_context.time_base = Fraction(1, 1000)
        audio = output.add_stream("aac", rate=8000, layout="mono") if with_audio else None
        for index, image in enumerate(pictures or (picture(number, size) for number in range(n_frames))):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts = index if times_ms is None else times_ms[index]
            frame.time_base = Fraction(1, 25 if times_ms is None else 1000)
            output.mux(stream.encode(frame))
        output.mux(stream.encode())
        if audio is not None:
            for sound in silence(seconds=n_frames / 25):
                output.mux(audio.encode(sound))
            output.mux(audio.encode())
    return path


def write_planes(
    path: Path, planes: Sequence[np.ndarray], *, pixel_format: str, matrix: int, colour_range: int
) -> Path:
    """A clip of one frame with given sample values, coded without loss.

    Args:
        path: Where to.
        planes: Y, U and V samples in their stored sizes.
        pixel_format: FFmpeg's name of the pixel format.
        matrix: Number of the colour matrix that the file states (AVColorSpace; 2 is not stated).
        colour_range: Number of the range that the file states (AVColorRange; 0 is not stated).
    """
    frame = av.VideoFrame(planes[0].shape[1], planes[0].shape[0], pixel_format)
    for plane, samples in zip(frame.planes, planes, strict=True):
        rows = np.frombuffer(plane, samples.dtype).reshape(plane.height, -1)
        rows[:, : plane.width] = samples
    frame.colorspace, frame.color_range = matrix, colour_range
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=25, options={"preset": "ultrafast", "qp": "0"})
        stream.width, stream.height, stream.pix_fmt = frame.width, frame.height, pixel_format
        stream.codec_context.colorspace, stream.codec_context.color_range = matrix, colour_range
        output.mux(stream.encode(frame))
        output.mux(stream.encode())
    return path


def silence(*, seconds: float, rate: int = 8000) -> Iterator[av.AudioFrame]:
    """Audio frames without sound."""
    for start in range(0, int(seconds * rate), 1024):
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
        yield frame


def write_audio(path: Path, *, seconds: float = 1) -> Path:
    """A file with sound and no picture."""
    with av.open(str(path), "w") as output:
        stream = output.add_stream("aac", rate=8000, layout="mono")
        for frame in silence(seconds=seconds):
            output.mux(stream.encode(frame))
        output.mux(stream.encode())
    return path


def copy_stream(source: Path, target: Path, *, start_s: float = 0, skip_packets: int = 0) -> Path:
    """Copy packets without encoding, as ``ffmpeg -ss start_s -i source -c copy target`` does.

    In MP4 and MOV files a start between key frames becomes an edit list that hides the frames before it.

    Args:
        source: File to copy from.
        target: File to write; its suffix says the container.
        start_s: Where the copy starts on screen.
        skip_packets: Leave out so many packets at the start, and with them the first key frame.
    """
    with av.open(str(source)) as original, av.open(str(target), "w") as output:
        stream = original.streams.video[0]
        copied = output.add_stream_from_template(stream)
        offset = round(start_s / stream.time_base)
        original.seek(offset, stream=stream)
        for number, packet in enumerate(original.demux(stream)):
            if packet.size and number >= skip_packets:
                packet.stream = copied
                packet.pts -= offset
                packet.dts = None if packet.dts is None else packet.dts - offset
                output.mux(packet)
    return target


def cut(source: Path, target: Path, *, fraction: float) -> Path:
    """The first part of a file, as an interrupted copy leaves it."""
    data = source.read_bytes()
    target.write_bytes(data[: int(len(data) * fraction)])
    return target


def flip_bytes(source: Path, target: Path, *, seed: int, n_bytes: int) -> Path:
    """A copy with damaged bytes in the media data, the first tenth of which stays whole."""
    data = bytearray(source.read_bytes())
    start, end = atom(bytes(data), b"mdat")
    rng = np.random.default_rng(seed)
    for position in rng.integers(start + (end - start) // 10, end, size=n_bytes):
        data[position] ^= int(rng.integers(1, 256))
    target.write_bytes(data)
    return target


def zero_packets(source: Path, target: Path, *, numbers: Iterable[int]) -> Path:
    """A copy in which the bytes of some packets (by their number in the file) are all 0."""
    data = bytearray(source.read_bytes())
    with av.open(str(source)) as container:
        positions = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]
    for number in numbers:
        position, size = positions[number]
        data[position : position + size] = bytes(size)
    target.write_bytes(data)
    return target


def atom(data: bytes, *path: bytes) -> tuple[int, int]:
    """First and last byte (exclusive) of the content of an MP4 box, e.g. ``b"moov", b"trak", b"tkhd"``."""
    start, end = 0, len(data)
    for kind in path:
        while start < end:
            length, name = struct.unpack(">I4s", data[start : start + 8])
            if name == kind:
                start, end = start + 8, start + length
                break
            start += length
        else:
            raise ValueError(f"no box {kind!r}")
    return start, end


# First two columns of the matrix of ISO/IEC 14496-12, section 8.3.2, as (a, b, c, d): the stored point (x, y)
# is shown at (a·x + c·y, b·x + d·y), y down.
CLOCKWISE_90 = (0, 1, -1, 0)
CLOCKWISE_180 = (-1, 0, 0, -1)
CLOCKWISE_270 = (0, -1, 1, 0)
MIRRORED = (-1, 0, 0, 1)
FLIPPED = (1, 0, 0, -1)
TRANSPOSED = (0, 1, 1, 0)
TRANSVERSED = (0, -1, -1, 0)


def set_display_matrix(source: Path, target: Path, matrix: Sequence[float]) -> Path:
    """A copy of an MP4 file whose track header asks players to turn the picture."""
    data = bytearray(source.read_bytes())
    start, _ = atom(bytes(data), b"moov", b"trak", b"tkhd")
    a, b, c, d = (round(value * 65536) for value in matrix)
    data[start + 40 : start + 76] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)  # version 0 header
    target.write_bytes(data)
    return target


def stored_from_upright(image: np.ndarray, matrix: Sequence[float]) -> np.ndarray:
    """Picture to store so that ``matrix`` shows ``image``: pixel by pixel, straight from the definition."""
    a, b, c, d = (int(value) for value in matrix)
    height, width = image.shape[:2]
    size = (height, width) if a == 0 else (width, height)
    stored = np.empty((size[1], size[0], *image.shape[2:]), image.dtype)
    y, x = np.mgrid[: size[1], : size[0]]
    shown_x, shown_y = a * x + c * y, b * x + d * y
    stored[y, x] = image[shown_y - shown_y.min(), shown_x - shown_x.min()]
    return stored


def to_rgb_reference(planes: Sequence[np.ndarray], *, kr: float, kb: float, full_range: bool) -> np.ndarray:
    """RGB of 4:4:4 planes after ITU-R BT.601/BT.709, in floating point, rounded."""
    y, u, v = (plane.astype(np.float64) for plane in planes)
    if full_range:
        y, u, v = y / 255, (u - 128) / 255, (v - 128) / 255
    else:
        y, u, v = (y - 16) / 219, (u - 128) / 224, (v - 128) / 224
    red, blue = y + 2 * (1 - kr) * v, y + 2 * (1 - kb) * u
    green = (y - kr * red - kb * blue) / (1 - kr - kb)
    return np.clip(np.rint(255 * np.stack([red, green, blue], axis=-1)), 0, 255).astype(np.uint8)


def write_sound_with_cover(path: Path) -> Path:
    """A sound file with a cover picture, which FFmpeg presents as a video stream."""
    with av.open(str(path), "w", format="mp4") as output:
        sound = output.add_stream("aac", rate=8000, layout="mono")
        cover = output.add_stream("png", rate=1)
        cover.width, cover.height, cover.pix_fmt = *SIZE, "rgb24"
        cover.disposition = av.stream.Disposition.attached_pic
        output.mux(cover.encode(av.VideoFrame.from_ndarray(picture(0), format="rgb24")))
        output.mux(cover.encode())
        for frame in silence(seconds=1):
            output.mux(sound.encode(frame))
        output.mux(sound.encode())
    return path
