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

import av

from fgbench.decoders._container import decode, open_container, packets
from fgbench.decoders._orientation import Orientation
from fgbench.decoders._pictures import RgbConverter, luma
from fgbench.decoders._probe import probe
from fgbench.decoders._timeline import Timeline
from fgbench.video import Image, VideoInfo, check_box, check_file, check_indices

# A seek pays when it saves decoding more frames than the decoder has already read ahead of the frame it gave
# (2 to 4 in usual H.264 and HEVC streams).
_SEEK_SAVES_FRAMES = 8


@dataclass(frozen=True, slots=True)
class PyavFrame:
    """One decoded frame; see :class:`fgbench.video.Frame`."""

    index: int
    time_s: float
    _frame: av.VideoFrame
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
        self._container, self._stream = open_container(path)
        try:
            self._probe = probe(path, self._container, self._stream)
        except BaseException:
            self._container.close()
            raise
        self._converter = RgbConverter()
        self._info: VideoInfo | None = None
        self._iteration = 0

    @property
    def info(self) -> VideoInfo:
        """What the file holds. Where packets do not tell the number of frames, all are decoded to count."""
        if self._info is None:
            self._info = self._probe.info()
        return self._info

    def frames(self, indices: Sequence[int] | None = None) -> Iterator[PyavFrame]:
        """Frames in order; see :meth:`fgbench.video.Reader.frames`."""
        wanted = count() if indices is None else iter(check_indices(indices))
        timeline = self._probe.timeline
        found = self._counted(wanted) if timeline is None else self._timed(wanted, timeline)
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

    def _while_current(
        self, found: Iterator[tuple[int, av.VideoFrame]], iteration: int
    ) -> Iterator[PyavFrame]:
        """Frames until another iteration moves the file's only reading position."""
        while iteration == self._iteration:
            item = next(found, None)
            if item is None:
                return
            index, frame = item
            time_s = self._probe.time_s(index, frame.pts)
            yield PyavFrame(index, time_s, frame, self._probe.orientation, self._converter)
        raise RuntimeError(f"{self._path}: the reader was closed or has begun another iteration")

    def _timed(self, wanted: Iterator[int], timeline: Timeline) -> Iterator[tuple[int, av.VideoFrame]]:
        """Wanted frames by their time stamps."""
        numbered: Iterator[tuple[int, av.VideoFrame]] = iter(())
        index, frame = -_SEEK_SAVES_FRAMES - 1, None
        for target in takewhile(lambda target: target < len(timeline.pts), wanted):
            key = timeline.key_before(target)
            if timeline.key_indices[key] > index + _SEEK_SAVES_FRAMES:
                numbered = self._numbered(timeline, key)
                index, frame = _first_from(numbered, target)
                if key and (index != target or frame is None or frame.is_corrupt):
                    # A gradual refresh is marked like a key frame, but the picture is whole only some frames
                    # later: start one key frame earlier.
                    numbered = self._numbered(timeline, key - 1)
                    index, frame = _first_from(numbered, target)
            elif index < target:
                index, frame = _first_from(numbered, target)
            if frame is None:
                return
            if index == target:
                yield index, frame

    def _numbered(self, timeline: Timeline, key: int) -> Iterator[tuple[int, av.VideoFrame]]:
        """Frames with their numbers, from a key frame or an earlier one on."""
        last = -1
        for frame in self._decoded_from(int(timeline.key_pts[key])):
            index = timeline.index_of(frame.pts)
            if index is not None and index > last:
                last = index
                yield index, frame

    def _decoded_from(self, key_pts: int) -> Iterator[av.VideoFrame]:
        """Frames from the key frame with this time stamp, or from an earlier one, on."""
        try:
            self._container.seek(key_pts, stream=self._stream)
        except av.FFmpegError:
            return self._decoded_from_start()
        following = packets(self._container, self._stream)
        first = next(following, None)
        if first is None or not first.is_keyframe or first.pts is None or first.pts > key_pts:
            return self._decoded_from_start()
        return decode(self._stream, chain([first], following))

    def _decoded_from_start(self) -> Iterator[av.VideoFrame]:
        """All frames; the file is opened anew, since not every format can seek to its start."""
        self._container.close()
        self._container, self._stream = open_container(self._path)
        return decode(self._stream, packets(self._container, self._stream))

    def _counted(self, wanted: Iterator[int]) -> Iterator[tuple[int, av.VideoFrame]]:
        """Wanted frames by counting from the start."""
        target = next(wanted, None)
        if target is None:
            return
        for index, frame in enumerate(self._decoded_from_start()):
            if index == target:
                yield index, frame
                target = next(wanted, None)
                if target is None:
                    return
        if self._probe.n_missing_bytes:
            raise self._probe.truncated(target)


def _first_from(
    numbered: Iterator[tuple[int, av.VideoFrame]], target: int
) -> tuple[int, av.VideoFrame | None]:
    """First frame whose number is at least ``target``; no frame if the file ends before."""
    return next((item for item in numbered if item[0] >= target), (target, None))
