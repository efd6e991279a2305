"""Decoder ``pyav`` (default): FFmpeg through PyAV, with exact frame numbers.

Reads a video file. On opening, one pass over the packets tells which frames there are and when they are
shown (:mod:`fgbench.decoders._timeline`); frames are then found by their time stamp, with a seek to a key
frame where that saves work. Where packets do not tell, frames are counted while decoding from the start.

In a damaged file a frame that cannot be decoded keeps its number, so that its neighbours keep theirs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, count, takewhile
from pathlib import Path
from typing import Any

import av
import numpy as np

from fgbench.decoders import _container
from fgbench.decoders._orientation import UPRIGHT, Orientation, from_display_matrix
from fgbench.decoders._pictures import RgbConverter, luma
from fgbench.decoders._timeline import PacketLog, Timeline, build_timeline
from fgbench.decoders._truncation import missing_bytes
from fgbench.errors import MediaError
from fgbench.video import Image, VideoInfo, check_box, check_file, check_indices, frame_rate

# A seek pays when it saves decoding more frames than the decoder has already read ahead of the frame it gave
# (2 to 4 in usual H.264 and HEVC streams).
_SEEK_SAVES_FRAMES = 8


@dataclass(frozen=True, slots=True)
class PyavFrame:
    """One decoded frame; see :class:`fgbench.video.Frame`."""

    index: int
    time_s: float
    _frame: Any
    _orientation: Orientation
    _converter: RgbConverter

    @property
    def is_corrupt(self) -> bool:
        """Whether the decoder had to conceal errors in this frame."""
        return bool(self._frame.is_corrupt)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the upright frame in px."""
        return self._orientation.size(self._frame.width, self._frame.height)

    def gray(self) -> Image:
        """Luma of the whole upright frame, (H, W) uint8, as stored; a read-only view where that can be."""
        return luma(self._frame, self._orientation)

    def rgb(self, box: tuple[int, int, int, int] | None = None) -> Image:
        """Pixels of a region of the upright frame as (h, w, 3) uint8 RGB, contiguous."""
        box = check_box(box, self.size)
        return self._converter.rgb(self._frame, box, self._orientation)


def open_reader(path: Path) -> PyavReader:
    """Open a video file; see :func:`fgbench.video.open_video`."""
    check_file(path)
    return PyavReader(path)


class PyavReader:
    """Reader on top of PyAV; see :class:`fgbench.video.Reader`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._n_missing_bytes = missing_bytes(path)
        self._container, self._stream = _container.open_container(path)
        self._converter = RgbConverter()
        self._iteration = 0
        self._info: VideoInfo | None = None
        try:
            log, first = _scan(self._container, self._stream)
            if first is None:
                raise MediaError(
                    f"{path} has a video stream, but no frame of it can be decoded",
                    "check the file with a player; convert it or take it off the list",
                    reason="no_frames",
                )
            self._first = first
            self._orientation = _orientation(first)
            self._timeline = self._trusted_timeline(log)
        except BaseException:
            self._container.close()
            raise

    @property
    def info(self) -> VideoInfo:
        """What the file holds. Where packets do not tell the number of frames, all are decoded to count."""
        if self._info is None:
            self._info = self._describe()
        return self._info

    def frames(self, indices: Sequence[int] | None = None) -> Iterator[PyavFrame]:
        """Frames in order; see :meth:`fgbench.video.Reader.frames`."""
        wanted = count() if indices is None else iter(check_indices(indices))
        found = self._counted(wanted) if self._timeline is None else self._timed(wanted, self._timeline)
        self._iteration += 1
        return self._while_current(found, self._iteration)

    def close(self) -> None:
        """Release the file."""
        self._iteration += 1
        self._container.close()

    def __enter__(self) -> PyavReader:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _while_current(self, found: Iterator[PyavFrame], iteration: int) -> Iterator[PyavFrame]:
        """Frames until another iteration moves the file's only reading position."""
        while True:
            if iteration != self._iteration:
                raise RuntimeError(f"{self._path}: the reader was closed or has begun another iteration")
            frame = next(found, None)
            if frame is None:
                return
            yield frame

    def _timed(self, wanted: Iterator[int], timeline: Timeline) -> Iterator[PyavFrame]:
        """Wanted frames by their time stamps."""
        numbered: Iterator[tuple[int, Any]] | None = None
        index, frame = -1, None
        for target in takewhile(lambda target: target < len(timeline.pts), wanted):
            key = timeline.key_before(target)
            if numbered is None or timeline.key_indices[key] > index + _SEEK_SAVES_FRAMES:
                numbered = self._numbered(timeline, key)
                index, frame = _first_from(numbered, target)
                if key and (frame is None or index != target or frame.is_corrupt):
                    # A gradual refresh is marked like a key frame, but the picture is whole only some frames
                    # later: start one key frame earlier.
                    numbered = self._numbered(timeline, key - 1)
                    index, frame = _first_from(numbered, target)
            elif index < target:
                index, frame = _first_from(numbered, target)
            if frame is None:
                return
            if index == target:
                yield self._frame(index, frame, timeline.pts[0])

    def _numbered(self, timeline: Timeline, key: int) -> Iterator[tuple[int, Any]]:
        """Frames with their numbers, from a key frame or an earlier one on."""
        last = -1
        for frame in _container.decode(self._stream, self._packets_from(int(timeline.key_pts[key]))):
            index = timeline.index_of(frame.pts)
            if index is not None and index > last:
                last = index
                yield index, frame

    def _packets_from(self, key_pts: int) -> Iterator[Any]:
        """Packets from the key frame with this time stamp, or from an earlier one, on."""
        try:
            self._container.seek(key_pts, stream=self._stream)
        except av.FFmpegError:
            return self._packets_from_start()
        packets = _container.packets(self._container, self._stream)
        first = next(packets, None)
        if first is None or not first.is_keyframe or first.pts is None or first.pts > key_pts:
            return self._packets_from_start()
        return chain([first], packets)

    def _packets_from_start(self) -> Iterator[Any]:
        """All packets; the file is opened anew, since not every format can seek to its start."""
        self._container.close()
        self._container, self._stream = _container.open_container(self._path)
        return _container.packets(self._container, self._stream)

    def _counted(self, wanted: Iterator[int]) -> Iterator[PyavFrame]:
        """Wanted frames by counting from the start."""
        target = next(wanted, None)
        if target is None:
            return
        packets = self._packets_from_start()
        for index, frame in enumerate(_container.decode(self._stream, packets)):
            if index == target:
                yield self._frame(index, frame, self._first.pts)
                target = next(wanted, None)
                if target is None:
                    return
        if self._n_missing_bytes:
            raise MediaError(
                f"{self._path} breaks off before frame {target}: at least {self._n_missing_bytes} bytes are "
                "missing at its end",
                "copy or download the file again",
                reason="truncated",
            )

    def _frame(self, index: int, frame: Any, start_pts: int | None) -> PyavFrame:
        timed = frame.pts is not None and start_pts is not None
        time_s = float((frame.pts - start_pts) * self._stream.time_base) if timed else index / self._rate
        return PyavFrame(index, time_s, frame, self._orientation, self._converter)

    @property
    def _rate(self) -> float:
        """Frame rate that the file's header gives or FFmpeg guesses from the first frames."""
        return float(self._stream.average_rate or self._stream.guessed_rate)

    def _trusted_timeline(self, log: PacketLog) -> Timeline | None:
        if self._n_missing_bytes or self._first.interlaced_frame:  # two packets may make one interlaced frame
            return None
        return build_timeline(
            log,
            container=self._container.format.name,
            codec=self._stream.codec_context.name,
            n_declared=self._stream.frames,
        )

    def _describe(self) -> VideoInfo:
        time_base = self._stream.time_base
        if self._timeline is None:
            n_frames, span = _count_frames(self._path)
        else:
            n_frames, span = len(self._timeline.pts), self._timeline.end_pts - int(self._timeline.pts[0])
        declared_fps = self._rate
        duration_s = float(span * time_base) or n_frames / declared_fps
        width, height = self._orientation.size(self._first.width, self._first.height)
        return VideoInfo(
            container=self._container.format.name,
            codec=self._stream.codec_context.name,
            pixel_format=self._first.format.name,
            width=width,
            height=height,
            rotation_deg=self._orientation.rotation_deg,
            mirrored=self._orientation.mirrored,
            fps=frame_rate(n_frames, duration_s, declared_fps=declared_fps, tick_s=float(time_base)),
            n_frames=n_frames,
            duration_s=duration_s,
            is_truncated=self._n_missing_bytes > 0,
        )


def _scan(container: Any, stream: Any) -> tuple[PacketLog, Any | None]:
    """One pass over a fresh container: all packets, and the first frame."""
    log = PacketLog()

    def logged() -> Iterator[Any]:
        for packet in _container.packets(container, stream):
            log.add(packet)
            yield packet

    packets = logged()
    first = next(_container.decode(stream, packets), None)
    for _ in packets:
        pass
    return log, first


def _orientation(frame: Any) -> Orientation:
    matrix = frame.side_data.get("DISPLAYMATRIX")
    return UPRIGHT if matrix is None else from_display_matrix(np.frombuffer(matrix, np.int32).tolist())


def _first_from(numbered: Iterator[tuple[int, Any]], target: int) -> tuple[int, Any | None]:
    """First frame whose number is at least ``target``; no frame if the file ends before."""
    return next((item for item in numbered if item[0] >= target), (target, None))


def _count_frames(path: Path) -> tuple[int, int]:
    """Number of frames of a full decode, and the time from the first to the end of the last, in time base."""
    container, stream = _container.open_container(path)
    n_frames, start, end = 0, None, None
    with container:
        for frame in _container.decode(stream, _container.packets(container, stream)):
            n_frames += 1
            if frame.pts is not None:
                start = frame.pts if start is None else start
                end = frame.pts + (frame.duration or 0)
    return n_frames, 0 if start is None or end is None else end - start
