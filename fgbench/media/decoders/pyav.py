"""Decoder ``pyav`` (default): FFmpeg through PyAV, with exact frame numbers.

Reads a video file. On opening, one pass over the packets determines the frames and their times
(:mod:`fgbench.media.decoders._timeline`); frames are then found by their time stamp, with a seek to a
key frame where that saves work. If packets do not suffice, frames are counted while decoding from the start.

In a damaged file a frame that cannot be decoded keeps its number, so that its neighbours keep theirs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, count, takewhile
from pathlib import Path

import av
import numpy as np

from fgbench.files.hashing import digest_file
from fgbench.media.decoders._canvas import Canvas
from fgbench.media.decoders._container import Source, decode, open_container, packets, source_of
from fgbench.media.decoders._pictures import RgbConverter, luma
from fgbench.media.decoders._probe import first_picture, probe, timeline_for
from fgbench.media.decoders._timeline import Shown, Timeline
from fgbench.media.decoders._tone import tone_map_of
from fgbench.media.faults import clear_faults
from fgbench.media.video import DEFAULT_LIMITS, Image, Limits, VideoInfo, check_box, check_file, check_indices

# A seek pays when it saves decoding more frames than the decoder has already read ahead of the returned frame
# (2 to 4 in usual H.264 and HEVC streams).
_SEEK_SAVES_FRAMES = 8

# Number of key frames to start earlier if the frame is damaged when decoded from its own. A gradual
# refresh is marked like a key frame, but the picture is whole only up to two such marks later.
_KEYS_BACK = (0, 1, 3)


@dataclass(frozen=True, slots=True)
class _Decoded:
    """A frame from the decoder, its number and time, and whether it may show damage."""

    index: int
    time_s: float
    picture: av.VideoFrame
    is_damaged: bool


@dataclass(frozen=True, slots=True)
class PyavFrame:
    """One decoded frame; see :class:`fgbench.media.video.Frame`."""

    index: int
    time_s: float
    is_corrupt: bool
    _picture: av.VideoFrame
    _canvas: Canvas
    _path: Path
    _converter: RgbConverter

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the upright frame in px."""
        return self._canvas.size

    @property
    def resized_from(self) -> tuple[int, int] | None:
        """Upright size of a frame that differed from the clip's size and was fitted into it."""
        return self._canvas.resized_from(self._stored)

    def gray(self) -> Image:
        """Luma of the whole upright frame, (H, W) uint8, contiguous; a read-only view where possible."""
        with clear_faults(self._path):
            upright = luma(self._picture, self._canvas.orientation, tone_map_of(self._picture))
            return upright if self._is_plain else self._canvas.placed(upright, self._stored)

    def rgb(self, box: tuple[int, int, int, int] | None = None) -> Image:
        """Pixels of a region of the upright frame as (h, w, 3) uint8 RGB, contiguous."""
        x0, y0, x1, y1 = region = check_box(box, self.size)
        tone, orientation = tone_map_of(self._picture), self._canvas.orientation
        with clear_faults(self._path):
            if self._is_plain:
                return self._converter.rgb(self._picture, region, orientation, tone)
            whole = (0, 0, *orientation.size(*self._stored))
            upright = self._converter.rgb(self._picture, whole, orientation, tone)
            return np.ascontiguousarray(self._canvas.placed(upright, self._stored)[y0:y1, x0:x1])

    @property
    def _stored(self) -> tuple[int, int]:
        return self._picture.width, self._picture.height

    @property
    def _is_plain(self) -> bool:
        return self._canvas.is_plain(self._stored)


def open_reader(path: Path, limits: Limits = DEFAULT_LIMITS) -> PyavReader:
    """Open a video file; see :func:`fgbench.media.video.open_video`."""
    check_file(path)
    with clear_faults(path):
        return PyavReader(source_of(path, limits))


def digest(path: Path) -> str:
    """SHA-256 (hex) of the file's bytes."""
    return digest_file(path)


class PyavReader:
    """Reader on top of PyAV; see :class:`fgbench.media.video.Reader`."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._path = source.path
        self._container, self._stream = open_container(source)
        try:
            self._probe = probe(source, self._container, self._stream)
        except BaseException:
            self._container.close()
            raise
        self._converter = RgbConverter()
        self._first: av.VideoFrame | None = None
        self._canvas: Canvas | None = None
        self._shown: Shown | None = None
        self._info: VideoInfo | None = None
        self._iteration = 0

    @property
    def info(self) -> VideoInfo:
        """Properties of the file. If packets do not give the number of frames, all are decoded."""
        if self._info is None:
            with clear_faults(self._path):
                self._info = self._probe.info(self._first_picture(), self._all_shown())
        return self._info

    def uneven_times_s(self, indices: Sequence[int]) -> tuple[float, ...] | None:
        """Times of frames; see :meth:`fgbench.media.video.Reader.uneven_times_s`."""
        info = self.info
        return self._probe.uneven_times_s(self._all_shown(), info, indices)

    def frames(self, indices: Sequence[int] | None = None) -> Iterator[PyavFrame]:
        """Frames in order; see :meth:`fgbench.media.video.Reader.frames`."""
        wanted = count() if indices is None else iter(check_indices(indices))
        timeline = self._probe.timeline
        decoded = self._counted(wanted) if timeline is None else self._timed(wanted, timeline)
        self._iteration += 1
        return self._while_current(decoded, self._iteration)

    def close(self) -> None:
        """Release the file."""
        self._iteration += 1
        self._container.close()

    def __enter__(self) -> PyavReader:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _while_current(self, decoded: Iterator[_Decoded], iteration: int) -> Iterator[PyavFrame]:
        """Frames until another iteration moves the file's only reading position."""
        while iteration == self._iteration:
            with clear_faults(self._path):
                self._source.deadline.check()
                item = next(decoded, None)
                if item is None:
                    return
                if self._canvas is None:
                    if item.index == 0:
                        self._first = item.picture
                    self._canvas = self._probe.canvas(self._first_picture())
            yield PyavFrame(
                item.index,
                item.time_s,
                item.is_damaged,
                item.picture,
                self._canvas,
                self._path,
                self._converter,
            )
        raise RuntimeError(f"{self._path}: the reader was closed or has begun another iteration")

    def _first_picture(self) -> av.VideoFrame:
        """First frame of the file, which determines the clip's size."""
        if self._first is None:
            self._first = first_picture(self._probe)
        return self._first

    def _all_shown(self) -> Shown:
        """Number and times of the frames, computed once: 8 bytes each."""
        if self._shown is None:
            self._shown = self._probe.shown(self._first_picture())
        return self._shown

    def _timed(self, wanted: Iterator[int], timeline: Timeline) -> Iterator[_Decoded]:
        """Wanted frames by their time stamps."""
        numbered: Iterator[_Decoded] = iter(())
        frame: _Decoded | None = None
        for target in takewhile(lambda target: target < len(timeline.pts), wanted):
            key = timeline.key_before(target)
            if frame is None or timeline.key_indices[key] > frame.index + _SEEK_SAVES_FRAMES:
                for back in _KEYS_BACK:
                    numbered = self._numbered(timeline, max(key - back, 0))
                    frame = _first_from(numbered, target)
                    if key <= back or (frame and frame.index == target and not frame.is_damaged):
                        break
            elif frame.index < target:
                frame = _first_from(numbered, target)
            if frame is None:
                self._first_picture()  # raises if the file has none at all
                return
            if timeline_for(self._probe, frame.picture) is None:
                yield from self._counted(chain([target], wanted))
                return
            if frame.index == target:
                yield frame

    def _numbered(self, timeline: Timeline, key: int) -> Iterator[_Decoded]:
        """Frames from a key frame or an earlier one on; after a lost frame they may show damage."""
        last, has_lost = -1, False
        for picture, is_damaged in self._decoded_from(int(timeline.key_pts[key])):
            index = timeline.index_of(picture.pts)
            if index is None or index <= last:
                continue
            has_lost = not picture.key_frame and (has_lost or last not in (-1, index - 1))
            last = index
            time_s = self._probe.time_s(index, pts=picture.pts, start_pts=int(timeline.pts[0]))
            yield _Decoded(index, time_s, picture, is_damaged or has_lost)

    def _decoded_from(self, key_pts: int) -> Iterator[tuple[av.VideoFrame, bool]]:
        """Frames from the key frame with this time stamp, or from an earlier one, on."""
        try:
            self._container.seek(key_pts, stream=self._stream)
        except av.FFmpegError:
            return self._decoded_from_start()
        following = packets(self._container, self._stream, self._source)
        first = next(following, None)
        if first is None or not first.is_keyframe or first.pts is None or first.pts > key_pts:
            return self._decoded_from_start()
        return decode(self._stream, chain([first], following), self._source)

    def _decoded_from_start(self) -> Iterator[tuple[av.VideoFrame, bool]]:
        """All frames; the file is opened anew, since not every format can seek to its start."""
        self._container.close()
        self._container, self._stream = open_container(self._source)
        return decode(self._stream, packets(self._container, self._stream, self._source), self._source)

    def _counted(self, wanted: Iterator[int]) -> Iterator[_Decoded]:
        """Wanted frames by counting from the start."""
        target = next(wanted, None)
        if target is None:
            return
        start_pts, index = None, -1
        for index, (picture, is_damaged) in enumerate(self._decoded_from_start()):
            start_pts = picture.pts if index == 0 else start_pts
            if index == target:
                time_s = self._probe.time_s(index, pts=picture.pts, start_pts=start_pts)
                yield _Decoded(index, time_s, picture, is_damaged)
                target = next(wanted, None)
                if target is None:
                    return
        if index < 0:
            raise self._probe.no_frames()
        if self._probe.is_truncated:
            raise self._probe.truncated(f"frame {target}")


def _first_from(numbered: Iterator[_Decoded], target: int) -> _Decoded | None:
    """First frame whose number is at least ``target``; ``None`` if the file ends before."""
    return next((item for item in numbered if item.index >= target), None)
