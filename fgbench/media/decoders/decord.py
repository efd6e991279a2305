"""Decoder ``decord``: the decord library (package ``decord2``), for comparison with work that used it.

Reads a video file. decord silently returns wrong frames in files with edit lists, open groups of
pictures, gradual refresh or fragments and in several containers. So a file is first examined with PyAV and
refused where decord's frame numbers or pictures are not certain; the others are read from the start, never
by seeking.

decord gives RGB only and does not report damage: the grey picture is computed from RGB, and ``is_corrupt`` is
always false.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import cv2
import decord
import numpy as np
import numpy.typing as npt

from fgbench.errors import MediaError
from fgbench.files.hashing import digest_file
from fgbench.files.text_paths import text_path
from fgbench.media.decoders._container import open_container, source_of
from fgbench.media.decoders._pictures import luma_weights
from fgbench.media.decoders._probe import Probe, first_picture, orientation_of, probe, timeline_for
from fgbench.media.decoders._timeline import Timeline
from fgbench.media.decoders._tone import tone_map_of
from fgbench.media.faults import clear_faults
from fgbench.media.video import DEFAULT_LIMITS, Image, Limits, VideoInfo, check_box, check_file, check_indices

# Formats that decord converts to the same RGB as PyAV; it loses precision in 10-bit 4:2:0, for example.
_PIXEL_FORMATS = frozenset(f"yuv{j}{sampling}p" for j in ("", "j") for sampling in (420, 422, 444)) | {"gbrp"}

_TIME_TOLERANCE_S = 1e-3


@dataclass(frozen=True, slots=True)
class DecordFrame:
    """One decoded frame; see :class:`fgbench.media.video.Frame`."""

    index: int
    time_s: float
    _rgb: Image
    _luma_weights: npt.NDArray[np.float64]

    @property
    def is_corrupt(self) -> bool:
        """Always false: decord does not report damage."""
        return False

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the upright frame in px."""
        return self._rgb.shape[1], self._rgb.shape[0]

    @property
    def resized_from(self) -> None:
        """Always ``None``: decord does not report it."""
        return None

    def gray(self) -> Image:
        """Luma of the whole upright frame, (H, W) uint8, computed back from RGB.

        It differs from the stored luma by rounding (up to 2 levels), and by more where RGB was clipped.
        """
        gray: Image = cv2.transform(self._rgb, self._luma_weights)
        return gray

    def rgb(self, box: tuple[int, int, int, int] | None = None) -> Image:
        """Pixels of a region of the upright frame as (h, w, 3) uint8 RGB, contiguous."""
        x0, y0, x1, y1 = check_box(box, self.size)
        return np.ascontiguousarray(self._rgb[y0:y1, x0:x1])


def open_reader(path: Path, limits: Limits = DEFAULT_LIMITS) -> DecordReader:
    """Open a video file; see :func:`fgbench.media.video.open_video`."""
    check_file(path)
    source = source_of(path, limits)
    with clear_faults(path):
        container, stream = open_container(source)
        with container:
            facts = probe(source, container, stream)
        if facts.n_missing_bytes:
            raise facts.truncated("its end")
        picture = first_picture(facts)
        if facts.lacks_frames:
            raise facts.truncated("its end")
        timeline = _certain_timeline(facts, picture)
        _check_times(_open(path), facts, timeline)
        return DecordReader(facts, timeline, picture)


def digest(path: Path) -> str:
    """SHA-256 (hex) of the file's bytes."""
    return digest_file(path)


class DecordReader:
    """Reader on top of decord; see :class:`fgbench.media.video.Reader`."""

    def __init__(self, facts: Probe, timeline: Timeline, picture: av.VideoFrame) -> None:
        self._path = facts.path
        self._deadline = facts.source.deadline
        self._facts = facts
        self._shown = facts.shown(picture)
        self._info = facts.info(picture, self._shown)
        self._canvas = facts.canvas(picture)
        self._stored = picture.width, picture.height
        start_pts, *_ = pts = timeline.pts.tolist()
        self._times_s = [facts.time_s(index, pts=time, start_pts=start_pts) for index, time in enumerate(pts)]
        self._luma_weights = luma_weights(picture)
        self._iteration = 0

    @property
    def info(self) -> VideoInfo:
        """Properties of the file."""
        return self._info

    def uneven_times_s(self, indices: Sequence[int]) -> tuple[float, ...] | None:
        """Times of frames; see :meth:`fgbench.media.video.Reader.uneven_times_s`."""
        return self._facts.uneven_times_s(self._shown, self._info, indices)

    def frames(self, indices: Sequence[int] | None = None) -> Iterator[DecordFrame]:
        """Frames in order; see :meth:`fgbench.media.video.Reader.frames`."""
        wanted = range(self._info.n_frames) if indices is None else check_indices(indices)
        self._iteration += 1
        return self._read(wanted, self._iteration)

    def close(self) -> None:
        """Release the file."""
        self._iteration += 1

    def __enter__(self) -> DecordReader:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _read(self, wanted: Sequence[int], iteration: int) -> Iterator[DecordFrame]:
        video = _open(self._path)
        position = 0
        for index in wanted:
            if index >= self._info.n_frames:
                return
            if iteration != self._iteration:
                raise RuntimeError(f"{self._path}: the reader was closed or has begun another iteration")
            self._deadline.check()
            try:
                for _ in range(index - position):  # skip_frames() would seek
                    video.next()
                    self._deadline.check()
                with clear_faults(self._path):
                    pixels = self._on_canvas(video.next().asnumpy())
            except (decord.DECORDError, StopIteration) as error:
                raise MediaError(
                    f"decord fails before frame {index} of {self._path}",
                    "use the decoder pyav",
                    reason="decoder_failed",
                ) from error
            position = index + 1
            yield DecordFrame(index, self._times_s[index], pixels, self._luma_weights)

    def _on_canvas(self, upright: Image) -> Image:
        return upright if self._canvas.is_plain(self._stored) else self._canvas.placed(upright, self._stored)


def _open(path: Path) -> Any:
    decord.logging.set_level(decord.logging.QUIET)
    try:
        with text_path(path) as name:
            return decord.VideoReader(name, ctx=decord.cpu(0), num_threads=1)
    except (decord.DECORDError, RuntimeError) as error:
        raise MediaError(
            f"decord cannot open {path}", "use the decoder pyav", reason="decoder_failed"
        ) from error


def _certain_timeline(facts: Probe, picture: av.VideoFrame) -> Timeline:
    """Timeline of a file of which decord gives the right frames.

    Raises:
        MediaError: If its frames would not be certain (reason ``decoder_unsafe``).
    """
    timeline = timeline_for(facts, picture)
    if timeline is None:
        raise _unsafe(facts.path, "its packets do not tell exactly which frames are shown")
    if timeline.has_edits:
        raise _unsafe(facts.path, "it has an edit list that hides frames")
    if timeline.has_leading_frames:
        raise _unsafe(facts.path, "it has open groups of pictures")
    if orientation_of(picture).mirrored:
        raise _unsafe(facts.path, "its picture is stored mirrored")
    if tone_map_of(picture) is not None:
        raise _unsafe(facts.path, "it has a high dynamic range")
    if picture.format.name not in _PIXEL_FORMATS or picture.height % 2:
        raise _unsafe(facts.path, f"its pixel format is {picture.format.name} of {picture.height} rows")
    return timeline


def _check_times(video: Any, facts: Probe, timeline: Timeline) -> None:
    """Compare decord's list of frames with that of the packets."""
    if len(video) != len(timeline.pts):
        raise _unsafe(facts.path, f"decord sees {len(video)} frames where {len(timeline.pts)} are shown")
    times_s = (timeline.pts - timeline.pts[0]) * float(facts.time_base_s)
    starts_s = video.get_frame_timestamp(range(len(video)))[:, 0]
    tolerance_s = _TIME_TOLERANCE_S + 2 * np.spacing(np.abs(starts_s).max())  # decord's times are float32
    if np.abs(starts_s.astype(np.float64) - float(starts_s[0]) - times_s).max() > tolerance_s:
        raise _unsafe(facts.path, "decord's time stamps differ from the file's")


def _unsafe(path: Path, doubt: str) -> MediaError:
    return MediaError(
        f"decord would give wrong frames of {path}: {doubt}", "use the decoder pyav", reason="decoder_unsafe"
    )
