"""Video decoding behind one small interface: open a file, get exact frames.

A *decoder* is a plugin ``fgbench/media/decoders/<name>.py`` with the functions ``open_reader(path, limits) ->
Reader`` and ``digest(path) -> str``. Pictures are read through it too: see :func:`decoder_for`.

Frame ``k`` is the k-th frame that a plain decode from the start of the file gives (presentation order,
edit lists applied), whatever the time stamps are; every decoder has to give the same frame for the same
index. Frames are upright, have square pixels, one size throughout a clip (that of its first frame)
and a standard dynamic range: the reader applies the rotation, the pixel aspect and the transfer curve that
the file states, and fits frames of another size into the first one's (``decoders/_canvas.py``, ``_tone.py``).

Coordinates are pixels of that frame; x to the right, y down, the centre of the top left pixel at
(0, 0). Colour is RGB.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from fgbench import plugins
from fgbench.errors import MediaError
from fgbench.files.regular_files import check_regular
from fgbench.media.frames import Frame as Frame
from fgbench.media.frames import Image as Image
from fgbench.media.frames import ImageFrame as ImageFrame
from fgbench.media.frames import check_box as check_box
from fgbench.media.kinds import kind_by_content, kind_of_name

DEFAULT_DECODER = "pyav"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits of decoding: a few bytes can claim a picture that fills the memory.

    Larger files are refused (reason ``too_large``) as soon as the header gives the size, before decoding.

    Attributes:
        max_picture_px: Pixels of a still picture, width times height.
        max_frame_px: Pixels of a frame of a video, as stored and after conversion to square pixels.
        max_seconds: Seconds for one video, from its opening until its last frame is requested;
            beyond them it is refused (reason ``too_slow``).
    """

    max_picture_px: int = 64_000_000
    max_frame_px: int = 36_000_000
    max_seconds: float = math.inf


DEFAULT_LIMITS = Limits()
"""Limits of a recipe without settings for them."""

NO_LIMITS = Limits(max_picture_px=1 << 62, max_frame_px=1 << 62)
"""For files that were opened within the limits of a recipe before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoInfo:
    """Properties of a video file.

    Attributes:
        container: Short name of the container format, e.g. ``"mov,mp4,m4a,3gp,3g2,mj2"``.
        codec: Name of the video codec, e.g. ``"h264"``.
        pixel_format: FFmpeg's name of the pixel format, e.g. ``"yuv420p"``.
        width: Width of the upright frame in square px (rotation and pixel aspect applied).
        height: Height of the upright frame in square px, likewise.
        rotation_deg: Clockwise rotation in degrees that is applied to the stored picture (0, 90, 180, 270).
        fps: Average frame rate in frames per second; ``None`` for pictures, which have none.
        n_frames: Number of frames of a plain decode from the start.
        duration_s: Duration of the video stream in seconds, from its first frame to the end of its last;
            ``None`` for pictures.
        mirrored: Whether the stored picture is mirrored left to right before that rotation.
        pixel_aspect: Width over height of a stored pixel, before the rotation; it is applied, so that frames
            have square pixels. 1 if the file has none, or an invalid one.
        tone_mapped: Whether the video has a high dynamic range (PQ, HLG), and frames are converted to SDR.
        is_truncated: Whether the file is known to lack its end; ``n_frames`` counts the remaining frames.
        n_announced: Number of frames that such a file announces; ``None`` if it does not.
    """

    container: str
    codec: str
    pixel_format: str
    width: int
    height: int
    rotation_deg: int
    fps: float | None
    n_frames: int
    duration_s: float | None
    mirrored: bool = False
    pixel_aspect: float = 1.0
    tone_mapped: bool = False
    is_truncated: bool = False
    n_announced: int | None = None


class Reader(Protocol):
    """An open video file."""

    @property
    def info(self) -> VideoInfo:
        """Properties of the file.

        Raises:
            MediaError: See :func:`open_video`.
        """

    def uneven_times_s(self, indices: Sequence[int]) -> tuple[float, ...] | None:
        """Presentation times of frames in seconds since the first frame, where the rate varies.

        Args:
            indices: Frame numbers, each at least 0 and less than ``info.n_frames``.

        Returns:
            A time for each index; ``None`` where there are no times (pictures, AVI files), and where all
            frames of the file come evenly at ``info.fps``, but for the rounding of time stamps.

        Raises:
            IndexError: If there is no such frame.
            MediaError: See :func:`open_video`.
        """

    def frames(self, indices: Sequence[int] | None = None) -> Iterator[Frame]:
        """Frames in order, one at a time; memory does not grow with the length of the file.

        A reader has one reading position: a new call ends the iteration of the call before.

        Args:
            indices: Strictly increasing frame numbers; ``None`` is every frame. An index that turns out
                not to be decodable is left out: compare ``Frame.index`` with the requested number.

        Raises:
            ValueError: If the indices are not strictly increasing and at least 0.
            MediaError: If the file lacks its end (reason ``truncated``) and with it a requested frame,
                or if decord fails (``decoder_failed``); the frames before have been given. If the clip
                is to be given up: see :data:`fgbench.media.faults.GIVEN_UP`. See also :func:`open_video`.
            RuntimeError: If the reader was closed or began another iteration meanwhile.
        """

    def close(self) -> None:
        """Release the file."""

    def __enter__(self) -> Reader: ...

    def __exit__(self, *exc: object) -> None: ...


def open_video(
    path: Path | str, decoder: str = DEFAULT_DECODER, *, limits: Limits = DEFAULT_LIMITS
) -> Reader:
    """Open a video file.

    Args:
        path: The file.
        decoder: Name of a plugin in ``fgbench/decoders``; see :func:`decoder_for`.
        limits: Limits of decoding.

    Raises:
        MediaError: If the file is missing (reason ``missing_file``), not a regular file
            (``not_a_file``), empty (``empty_file``), larger than the limits (``too_large``), not done in time
            (``too_slow``), not a video (``unreadable``), lacks an end without which it cannot be opened
            (``truncated``), has no video stream (``no_video_stream``), needs more memory than there is
            (``out_of_memory``) or is one that the decoder is known to get wrong (``decoder_unsafe``). That it
            has no frame (``no_frames``), is turned by an angle that is no multiple of 90 degrees
            (``unsupported_rotation``) or exceeds one of the limits may be noticed only when the reader's
            ``info`` or frames are requested.
        ConfigError: If there is no such decoder.
    """
    module = plugins.load("decoders", decoder)
    reader: Reader = module.open_reader(Path(path), limits)
    return reader


def decoder_for(path: Path, wanted: str = DEFAULT_DECODER) -> str:
    """Choose the decoder of a path: a folder or a picture, a row of a table of pixels, or a video.

    The first bytes of a file decide, whatever its name; the name decides where they do not suffice. A GIF or
    PNG of several frames is a video; other animated pictures are none.

    Args:
        path: As in :class:`fgbench.records.ClipEntry`, below the root of the data set.
        wanted: Decoder of videos.
    """
    if path.is_dir():
        return "pictures"
    if path.parent.suffix.lower() == ".csv" and path.parent.is_file():
        return "pixel_rows"
    try:
        kind = kind_by_content(path)
    except MediaError:  # raised when the file is opened
        kind = None
    if kind not in ("picture", "video"):
        kind = kind_of_name(path.name)
    return "pictures" if kind == "picture" else wanted


def media_digest(path: Path, decoder: str) -> str:
    """SHA-256 (hex) of the data that a decoder reads at a path: a file, the pictures of a folder, or a row.

    Raises:
        OSError: If it cannot be read.
        ConfigError: If there is no such decoder.
    """
    return str(plugins.load("decoders", decoder).digest(path))


def check_file(path: Path) -> None:
    """Refuse a file that no decoder can open.

    Args:
        path: Path of a video file.

    Raises:
        MediaError: If there is no such file (reason ``missing_file``), it has no bytes (``empty_file``) or is
            a folder, a pipe, a socket or a device (``not_a_file``).
    """
    if check_regular(path).st_size == 0:
        raise MediaError(f"{path} is empty (0 bytes)", "copy or download the file again", reason="empty_file")


def check_indices(indices: Sequence[int]) -> Sequence[int]:
    """Check frame numbers and return them.

    Raises:
        ValueError: If they are not strictly increasing and at least 0.
    """
    previous = -1
    for index in indices:
        if index <= previous:
            raise ValueError(f"frame number {index} after {previous}, expected strictly increasing from 0")
        previous = index
    return indices


def frame_rate(n_frames: int, duration_s: float, *, declared_fps: float, tick_s: float) -> float:
    """Average frame rate in frames per second.

    Args:
        n_frames: Number of frames.
        duration_s: From the first frame to the end of the last.
        declared_fps: Rate in the file's header; taken where the time stamps agree with it, because
            these are rounded.
        tick_s: Resolution of the time stamps.
    """
    if abs(n_frames / declared_fps - duration_s) <= 2 * tick_s:
        return declared_fps
    return n_frames / duration_s
