"""Video decoding behind one small interface: open a file, get exact frames.

A *decoder* is a plugin ``fgbench/decoders/<name>.py`` with one function ``open_reader(path) -> Reader``.
Frame ``k`` is the k-th frame that a plain decode from the start of the file gives (presentation order,
edit lists applied), whatever the time stamps are; every decoder has to give the same frame for the same
index. Rotation stored in the file is applied by the reader: what callers see is upright.

Coordinates are pixels of the upright frame; x to the right, y down, the centre of the top left pixel at
(0, 0). Colour is RGB.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from fgbench import plugins

DEFAULT_DECODER = "pyav"

Image = npt.NDArray[np.uint8]
"""uint8 image: (H, W) luma or (H, W, 3) RGB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoInfo:
    """What a probe tells of a video file.

    Attributes:
        container: Short name of the container format, e.g. ``"mov,mp4,m4a,3gp,3g2,mj2"``.
        codec: Name of the video codec, e.g. ``"h264"``.
        pixel_format: FFmpeg's name of the pixel format, e.g. ``"yuv420p"``.
        width: Width of the upright frame in px (rotation applied).
        height: Height of the upright frame in px (rotation applied).
        rotation_deg: Clockwise rotation in degrees that is applied to the stored picture (0, 90, 180, 270).
        fps: Average frame rate in frames per second.
        n_frames: Number of frames that a plain decode from the start gives.
        duration_s: Duration of the video stream in seconds.
    """

    container: str
    codec: str
    pixel_format: str
    width: int
    height: int
    rotation_deg: int
    fps: float
    n_frames: int
    duration_s: float


class Frame(Protocol):
    """One decoded frame. Colours are converted only when asked for."""

    @property
    def index(self) -> int:
        """Number of the frame, from 0, in presentation order."""

    @property
    def time_s(self) -> float:
        """Presentation time in seconds, from the stream's start."""

    @property
    def is_corrupt(self) -> bool:
        """Whether the decoder had to conceal errors in this frame."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the upright frame in px."""

    def gray(self) -> Image:
        """Luma of the whole upright frame, (H, W) uint8, as stored (no change of range)."""

    def rgb(self, box: tuple[int, int, int, int] | None = None) -> Image:
        """Pixels of the upright frame as (h, w, 3) uint8 RGB, contiguous.

        Args:
            box: ``(x0, y0, x1, y1)``, half open, inside the frame; ``None`` is the whole frame.
        """


class Reader(Protocol):
    """An open video file."""

    @property
    def info(self) -> VideoInfo:
        """What the file holds."""

    def frames(self, indices: Sequence[int] | None = None) -> Iterator[Frame]:
        """Frames in order, one at a time; memory does not grow with the length of the file.

        Args:
            indices: Strictly increasing frame numbers; ``None`` is every frame. An index that turns out
                not to be decodable is left out: compare ``Frame.index`` with what was asked for.

        Raises:
            MediaError: If the file breaks off in a way that leaves nothing more to decode; frames that were
                decoded before that have been given.
        """

    def close(self) -> None:
        """Release the file."""

    def __enter__(self) -> Reader: ...

    def __exit__(self, *exc: object) -> None: ...


def open_video(path: Path | str, decoder: str = DEFAULT_DECODER) -> Reader:
    """Open a video file.

    Args:
        path: The file.
        decoder: Name of a plugin in ``fgbench/decoders``: ``"pyav"`` or ``"decord"``.

    Raises:
        MediaError: If the file is missing (reason ``missing_file``), empty (``empty_file``), not a video
            (``unreadable``), or has no video stream (``no_video_stream``) or no frame (``no_frames``).
        ConfigError: If there is no such decoder.
    """
    module = plugins.load("decoders", decoder)
    reader: Reader = module.open_reader(Path(path))
    return reader
