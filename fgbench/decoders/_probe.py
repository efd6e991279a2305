"""What one pass over a file's packets and its first frame tell of it; both decoders start with this."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from fgbench.decoders import _container
from fgbench.decoders._orientation import UPRIGHT, Orientation, from_display_matrix
from fgbench.decoders._timeline import PacketLog, Timeline, build_timeline, time_span
from fgbench.decoders._truncation import missing_bytes
from fgbench.errors import MediaError
from fgbench.video import VideoInfo, frame_rate

_DEFAULT_FPS = 25.0  # FFmpeg's own value for streams that do not say


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """Facts of a video file.

    Attributes:
        path: The file.
        container: FFmpeg's names of the container format, separated by commas.
        codec: FFmpeg's name of the codec.
        first: First frame, a PyAV frame.
        orientation: How stored pictures become upright.
        timeline: Times of all frames; ``None`` if the packets do not tell and frames have to be counted.
        has_times: Whether the time stamps of frames can be used; AVI files, say, have none.
        time_base_s: Unit of time stamps in seconds.
        declared_fps: Frame rate after the file's header, or as FFmpeg guesses it from the first frames.
        n_missing_bytes: Number of bytes that the file is known to lack at its end.
    """

    path: Path
    container: str
    codec: str
    first: Any
    orientation: Orientation
    timeline: Timeline | None
    has_times: bool
    time_base_s: Fraction
    declared_fps: float
    n_missing_bytes: int

    def time_s(self, index: int, pts: int | None) -> float:
        """Time of a frame in seconds since the first frame, from its number and its time stamp."""
        if self.has_times and pts is not None:
            return float((pts - self.first.pts) * self.time_base_s)
        return index / self.declared_fps

    def info(self) -> VideoInfo:
        """The facts as callers see them. Without a timeline the whole file is decoded to count its frames."""
        if self.timeline is not None:
            n_frames = len(self.timeline.pts)
            first_pts, last_pts = int(self.timeline.pts[0]), int(self.timeline.pts[-1])
            span = time_span(n_frames, first_pts, last_pts, self.timeline.last_duration)
        else:
            n_frames, span = _count_frames(self.path)
        duration_s = float(span * self.time_base_s) if self.has_times else 0.0
        duration_s = duration_s or n_frames / self.declared_fps
        width, height = self.orientation.size(self.first.width, self.first.height)
        return VideoInfo(
            container=self.container,
            codec=self.codec,
            pixel_format=self.first.format.name,
            width=width,
            height=height,
            rotation_deg=self.orientation.rotation_deg,
            mirrored=self.orientation.mirrored,
            fps=frame_rate(
                n_frames, duration_s, declared_fps=self.declared_fps, tick_s=float(self.time_base_s)
            ),
            n_frames=n_frames,
            duration_s=duration_s,
            is_truncated=self.n_missing_bytes > 0,
        )

    def truncated(self, index: int) -> MediaError:
        """Error for a frame that lies behind the point where the file breaks off."""
        return _truncated(self.path, self.n_missing_bytes, f"frame {index}")


def probe(path: Path, container: Any, stream: Any) -> Probe:
    """Read all packets of a freshly opened file, and decode its first frame.

    Args:
        path: The file.
        container: The file as PyAV has just opened it; it is left at its end.
        stream: The video stream.

    Raises:
        MediaError: If no frame can be decoded (reason ``no_frames``) or the picture is turned by an angle
            that is no multiple of 90 degrees (``unsupported_rotation``).
    """
    n_missing_bytes = missing_bytes(path)
    log, alone = _scan(container, stream)
    first = _first_frame(path) if alone is None else alone
    timeline = None
    if first is not None and not first.interlaced_frame and not n_missing_bytes:
        # Of interlaced video two packets may make one frame.
        timeline = build_timeline(
            log,
            container=container.format.name,
            codec=stream.codec_context.name,
            n_declared=stream.frames,
        )
    if timeline is None and alone is not None:
        first = _first_frame(path)  # the picture in the first packet need not be the first one shown
    if first is None and n_missing_bytes:
        raise _truncated(path, n_missing_bytes, "its first frame")
    if first is None:
        raise MediaError(
            f"{path} has a video stream, but no frame of it can be decoded",
            "check the file with a player; convert it or take it off the list",
            reason="no_frames",
        )
    rate = stream.average_rate or stream.guessed_rate
    return Probe(
        path=path,
        container=container.format.name,
        codec=stream.codec_context.name,
        first=first,
        orientation=_orientation(first),
        timeline=timeline,
        has_times=log.has_times(container.format.name) and first.pts is not None,
        time_base_s=Fraction(stream.time_base.numerator, stream.time_base.denominator),
        declared_fps=float(rate) if rate else _DEFAULT_FPS,
        n_missing_bytes=n_missing_bytes,
    )


def _truncated(path: Path, n_missing_bytes: int, lost: str) -> MediaError:
    return MediaError(
        f"{path} breaks off before {lost}: at least {n_missing_bytes} bytes are missing at its end",
        "copy or download the file again",
        reason="truncated",
    )


def _scan(container: Any, stream: Any) -> tuple[PacketLog, Any | None]:
    """All packets, and the picture in the first of them if that can be decoded alone."""
    log = PacketLog()

    def logged() -> Iterator[Any]:
        for packet in _container.packets(container, stream):
            log.add(packet)
            yield packet

    packets = logged()
    picture, _ = next(_container.decode(stream, islice(packets, 1)), (None, False))
    for _ in packets:
        pass
    return log, picture


def _first_frame(path: Path) -> Any | None:
    container, stream = _container.open_container(path)
    with container:
        return next(_container.decode(stream, _container.packets(container, stream)), (None, False))[0]


def _orientation(frame: Any) -> Orientation:
    matrix = frame.side_data.get("DISPLAYMATRIX")
    return UPRIGHT if matrix is None else from_display_matrix(np.frombuffer(matrix, np.int32).tolist())


def _count_frames(path: Path) -> tuple[int, int]:
    """Number of frames of a full decode, and the time that they take in units of the time base."""
    container, stream = _container.open_container(path)
    times: list[int] = []
    n_frames, last_duration = 0, 0
    with container:
        for frame, _ in _container.decode(stream, _container.packets(container, stream)):
            n_frames += 1
            if frame.pts is not None:
                times = [*times[:1], frame.pts]
                last_duration = frame.duration or 0
    return n_frames, time_span(n_frames, times[0], times[-1], last_duration) if times else 0
