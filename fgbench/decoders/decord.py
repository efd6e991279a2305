"""Decoder ``decord``: the decord library (package ``decord2``), for comparison with work that used it.

Reads a video file. decord finds frames wrongly, without a word, in files with edit lists, open groups of
pictures, gradual refresh or fragments and in several containers. So a file is first examined with PyAV and
refused where decord's frame numbers or pictures are not certain; the others are read from the start, never
by seeking.

decord gives RGB only and does not tell damage: the grey picture is computed from RGB, and ``is_corrupt`` is
always false.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import decord
import numpy as np
import numpy.typing as npt

from fgbench.decoders._container import open_container
from fgbench.decoders._pictures import luma_weights
from fgbench.decoders._probe import Probe, probe
from fgbench.errors import MediaError
from fgbench.video import Image, VideoInfo, check_box, check_file, check_indices

# Formats that decord converts to the same RGB as PyAV; it loses precision in 10-bit 4:2:0, for one.
_PIXEL_FORMATS = frozenset(f"yuv{j}{sampling}p" for j in ("", "j") for sampling in (420, 422, 444)) | {"gbrp"}

_TIME_TOLERANCE_S = 1e-3  # decord keeps times as float32


@dataclass(frozen=True, slots=True)
class DecordFrame:
    """One decoded frame; see :class:`fgbench.video.Frame`."""

    index: int
    time_s: float
    _rgb: Image
    _luma_weights: npt.NDArray[np.float64]

    @property
    def is_corrupt(self) -> bool:
        """Always false: decord does not tell."""
        return False

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the upright frame in px."""
        return self._rgb.shape[1], self._rgb.shape[0]

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


def open_reader(path: Path) -> DecordReader:
    """Open a video file; see :func:`fgbench.video.open_video`."""
    check_file(path)
    container, stream = open_container(path)
    with container:
        facts = probe(path, container, stream)
    if facts.n_missing_bytes:
        raise facts.truncated(facts.info().n_frames)
    doubt = _doubt(facts)
    if doubt:
        raise _unsafe(path, doubt)
    return DecordReader(facts)


class DecordReader:
    """Reader on top of decord; see :class:`fgbench.video.Reader`."""

    def __init__(self, facts: Probe) -> None:
        self._info = facts.info()
        self._probe = facts
        self._luma_weights = luma_weights(facts.first)
        self._iteration = 0
        self._check_times(_open(facts.path))

    @property
    def info(self) -> VideoInfo:
        """What the file holds."""
        return self._info

    def frames(self, indices: Sequence[int] | None = None) -> Iterator[DecordFrame]:
        """Frames in order; see :meth:`fgbench.video.Reader.frames`."""
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
        assert self._probe.timeline is not None
        pts = self._probe.timeline.pts
        video = _open(self._probe.path)
        position = 0
        for index in wanted:
            if index >= self._info.n_frames:
                return
            if iteration != self._iteration:
                raise RuntimeError(
                    f"{self._probe.path}: the reader was closed or has begun another iteration"
                )
            try:
                for _ in range(index - position):  # skip_frames() would seek
                    video.next()
                pixels = video.next().asnumpy()
            except (decord.DECORDError, StopIteration) as error:
                raise MediaError(
                    f"decord fails before frame {index} of {self._probe.path}",
                    "use the decoder pyav",
                    reason="decoder_failed",
                ) from error
            position = index + 1
            yield DecordFrame(index, self._probe.time_s(index, int(pts[index])), pixels, self._luma_weights)

    def _check_times(self, video: Any) -> None:
        """Compare decord's list of frames with that of the packets."""
        assert self._probe.timeline is not None
        pts = self._probe.timeline.pts
        if len(video) != len(pts):
            raise _unsafe(self._probe.path, f"decord sees {len(video)} frames where {len(pts)} are shown")
        times_s = (pts - pts[0]) * float(self._probe.time_base_s)
        starts_s = video.get_frame_timestamp(range(len(video)))[:, 0].astype(np.float64)
        if np.abs(starts_s - starts_s[0] - times_s).max() > _TIME_TOLERANCE_S + np.spacing(
            np.float32(starts_s[-1])
        ):
            raise _unsafe(self._probe.path, "decord's time stamps differ from the file's")


def _open(path: Path) -> Any:
    decord.logging.set_level(decord.logging.QUIET)
    try:
        return decord.VideoReader(str(path), ctx=decord.cpu(0), num_threads=1)
    except (decord.DECORDError, RuntimeError) as error:
        raise MediaError(
            f"decord cannot open {path}", "use the decoder pyav", reason="decoder_failed"
        ) from error


def _doubt(facts: Probe) -> str:
    """Why decord's frames would not be certain, empty if they are."""
    if facts.timeline is None:
        return "its packets do not tell exactly which frames are shown"
    if facts.timeline.has_edits:
        return "it has an edit list that hides frames"
    if facts.timeline.has_leading_frames:
        return "it has open groups of pictures"
    if facts.orientation.mirrored:
        return "its picture is stored mirrored"
    if facts.first.format.name not in _PIXEL_FORMATS or facts.first.height % 2:
        return f"its pixel format is {facts.first.format.name} of {facts.first.height} rows"
    return ""


def _unsafe(path: Path, doubt: str) -> MediaError:
    return MediaError(
        f"decord would give wrong frames of {path}: {doubt}", "use the decoder pyav", reason="decoder_unsafe"
    )
