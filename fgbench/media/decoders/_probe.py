"""Facts from one pass over a file's packets; both decoders start with it."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from fgbench.errors import MediaError
from fgbench.media.decoders import _container
from fgbench.media.decoders._canvas import Canvas, square_size, usable_aspect
from fgbench.media.decoders._container import Source
from fgbench.media.decoders._orientation import UPRIGHT, Orientation, from_display_matrix
from fgbench.media.decoders._side_data import display_matrix
from fgbench.media.decoders._timeline import (
    ONE_FRAME_PER_PACKET,
    PacketLog,
    Shown,
    Timeline,
    build_timeline,
    shown_by,
    time_span,
)
from fgbench.media.decoders._tone import tone_map_of
from fgbench.media.decoders._truncation import announced_frames, lacks_frames, missing_bytes
from fgbench.media.faults import check_frame_px
from fgbench.media.video import VideoInfo, frame_rate

_DEFAULT_FPS = 25.0  # FFmpeg's own value for streams without a rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """Facts of a video file from its packets.

    Attributes:
        source: The file.
        container: FFmpeg's names of the container format, separated by commas.
        codec: FFmpeg's name of the codec.
        timeline: Times of all frames; ``None`` if packets do not give them and frames have to be counted.
        has_times: Whether the time stamps of frames are usable; AVI files, for example, have none.
        time_base_s: Unit of time stamps in seconds.
        declared_fps: Frame rate from the file's header, or FFmpeg's guess from the first frames.
        pixel_aspect: Width over height of a stored pixel; 1 if the file has none, or an invalid one.
        n_missing_bytes: Number of bytes known to be missing at the end of the file.
        n_announced: Number of frames that the file announces, ``None`` if it does not.
        lacks_frames: Whether it holds clearly fewer packets than announced.
    """

    source: Source
    container: str
    codec: str
    timeline: Timeline | None
    has_times: bool
    time_base_s: Fraction
    declared_fps: float
    pixel_aspect: Fraction
    n_missing_bytes: int
    n_announced: int | None
    lacks_frames: bool

    @property
    def path(self) -> Path:
        """The file."""
        return self.source.path

    @property
    def is_truncated(self) -> bool:
        """Whether the file is known to lack its end."""
        return self.n_missing_bytes > 0 or self.lacks_frames

    def canvas(self, picture: av.VideoFrame) -> Canvas:
        """The coordinate frame of the clip.

        Args:
            picture: The first frame.

        Raises:
            MediaError: If it is turned by an angle that is no multiple of 90 degrees (reason
                ``unsupported_rotation``), or too large when made of square pixels (``too_large``).
        """
        orientation = orientation_of(picture)
        size = orientation.size(*square_size((picture.width, picture.height), self.pixel_aspect))
        check_frame_px(self.path, size, max_frame_px=self.source.limits.max_frame_px)
        return Canvas(size=size, pixel_aspect=self.pixel_aspect, orientation=orientation)

    def time_s(self, index: int, *, pts: int | None, start_pts: int | None) -> float:
        """Time of a frame in seconds since the first one.

        Args:
            index: Number of the frame.
            pts: Its time stamp.
            start_pts: Time stamp of the first frame.
        """
        if self.has_times and pts is not None and start_pts is not None:
            return float((pts - start_pts) * self.time_base_s)
        return index / self.declared_fps

    def shown(self, picture: av.VideoFrame) -> Shown:
        """Number and times of the frames. Without a timeline the whole file is decoded to count them.

        Args:
            picture: The first frame.
        """
        timeline = timeline_for(self, picture)
        return _count_frames(self.source) if timeline is None else shown_by(timeline)

    def uneven_times_s(
        self, shown: Shown, info: VideoInfo, indices: Sequence[int]
    ) -> tuple[float, ...] | None:
        """Times of frames; see :meth:`fgbench.media.video.Reader.uneven_times_s`."""
        if not self.has_times or info.fps is None:
            return None
        times_s = shown.uneven_s(info.fps, self.time_base_s)
        return None if times_s is None else tuple(float(times_s[index]) for index in indices)

    def info(self, picture: av.VideoFrame, shown: Shown) -> VideoInfo:
        """Video information for callers.

        Args:
            picture: The first frame.
            shown: Result of :meth:`shown` for it.
        """
        n_frames = shown.n_frames
        duration_s = float(shown.span * self.time_base_s) if self.has_times else 0.0
        duration_s = duration_s or n_frames / self.declared_fps
        tick_s = float(self.time_base_s)
        canvas = self.canvas(picture)
        return VideoInfo(
            container=self.container,
            codec=self.codec,
            pixel_format=picture.format.name,
            width=canvas.size[0],
            height=canvas.size[1],
            rotation_deg=canvas.orientation.rotation_deg,
            mirrored=canvas.orientation.mirrored,
            pixel_aspect=float(self.pixel_aspect),
            tone_mapped=tone_map_of(picture) is not None,
            fps=frame_rate(n_frames, duration_s, declared_fps=self.declared_fps, tick_s=tick_s),
            n_frames=n_frames,
            duration_s=duration_s,
            is_truncated=self.is_truncated,
            n_announced=self.n_announced if self.is_truncated else None,
        )

    def truncated(self, lost: str) -> MediaError:
        """Error for frames behind the point where the file breaks off."""
        missing = (
            f"at least {self.n_missing_bytes} bytes are missing at its end"
            if self.n_missing_bytes
            else f"it announces {self.n_announced} frames and holds fewer"
        )
        return MediaError(
            f"{self.path} breaks off before {lost}: {missing}",
            "copy or download the file again",
            reason="truncated",
        )

    def no_frames(self) -> MediaError:
        """Error for a file of which no frame can be decoded."""
        if self.n_missing_bytes:
            return self.truncated("its first frame")
        return MediaError(
            f"{self.path} has a video stream, but no frame of it can be decoded",
            "check the file with a player; convert it or take it off the list",
            reason="no_frames",
        )


def probe(source: Source, container: Any, stream: Any) -> Probe:
    """Read all packets of a freshly opened file.

    Args:
        source: The file.
        container: The file as PyAV has just opened it; it is left at its end.
        stream: The video stream.
    """
    log = PacketLog()
    n_blank = 0  # packets of zeros at the end: an interrupted download in a file of the full length
    n_announced = announced_frames(container.format.name, stream)
    for packet in _container.packets(container, stream, source):
        log.add(packet)
        n_blank = 0 if np.frombuffer(packet, np.uint8).any() else n_blank + 1
    n_missing_bytes = missing_bytes(source.path)
    formats, codec = container.format.name, stream.codec_context.name
    if codec not in ONE_FRAME_PER_PACKET:
        n_blank = 0  # zeros may be a black picture
    is_short = lacks_frames(n_announced, len(log.pts) - n_blank)
    timeline = build_timeline(log, container=formats, codec=codec, n_declared=stream.frames)
    rate = stream.average_rate or stream.guessed_rate
    return Probe(
        source=source,
        container=formats,
        codec=codec,
        timeline=None if n_missing_bytes or is_short else timeline,
        has_times=log.has_times(formats),
        time_base_s=Fraction(stream.time_base.numerator, stream.time_base.denominator),
        declared_fps=float(rate) if rate else _DEFAULT_FPS,
        pixel_aspect=usable_aspect(stream.sample_aspect_ratio),
        n_missing_bytes=n_missing_bytes,
        n_announced=n_announced,
        lacks_frames=is_short,
    )


def timeline_for(facts: Probe, picture: av.VideoFrame) -> Timeline | None:
    """Timeline of a file if a frame confirms it: two packets may make one interlaced frame."""
    return None if picture.interlaced_frame else facts.timeline


def orientation_of(picture: av.VideoFrame) -> Orientation:
    """Orientation of the pictures of the file; every frame carries the file's display matrix.

    Raises:
        MediaError: If that is a rotation by an angle that is no multiple of 90 degrees
            (reason ``unsupported_rotation``).
    """
    matrix = display_matrix(picture)
    return UPRIGHT if matrix is None else from_display_matrix(matrix)


def first_picture(facts: Probe) -> av.VideoFrame:
    """First frame of a plain decode.

    Raises:
        MediaError: If there is none (reason ``no_frames``, or ``truncated``).
    """
    source = facts.source
    container, stream = _container.open_container(source)
    with container:
        following = _container.packets(container, stream, source)
        for picture, _ in _container.decode(stream, following, source):
            return picture
    raise facts.no_frames()


def _count_frames(source: Source) -> Shown:
    """Decode the whole file to count its frames and collect their times."""
    container, stream = _container.open_container(source)
    times: array[int] = array("q")
    n_frames, last_duration = 0, 0
    with container:
        following = _container.packets(container, stream, source)
        for frame, _ in _container.decode(stream, following, source):
            n_frames += 1
            if frame.pts is not None:
                times.append(frame.pts)
                last_duration = frame.duration or 0
    return Shown(
        n_frames=n_frames,
        span=time_span(n_frames, times[0], times[-1], last_duration) if times else 0,
        pts=np.array(times, dtype=np.int64) if len(times) == n_frames else None,
    )
