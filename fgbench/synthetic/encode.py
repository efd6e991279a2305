"""H.264 files from YUV frames, the same bytes for the same frames on one machine."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Protocol

import av
import numpy as np
import numpy.typing as npt
from av.video.frame import PictureType

_KEY_INTERVAL_S = 1.0
_OPTIONS = {
    "preset": "ultrafast",
    "threads": "1",
    "x264-params": "deblock=0,0:colormatrix=smpte170m",
}
"""Fast settings of libx264: they limit the number of clips that can be drawn.

The colour matrix is that of OpenCV's conversion to YUV (BT.601, limited range)."""


class Sink(Protocol):
    """Takes frames one at a time."""

    def __call__(self, planes: npt.NDArray[np.uint8]) -> None:
        """Append a frame: uint8 (H * 3 / 2, W), planes Y, U, V of yuv420p one below the other."""


@contextmanager
def h264_file(
    path: Path, width: int, height: int, fps: int, *, fresh: Collection[int] = (), qp: int = 22
) -> Iterator[Sink]:
    """Open an MP4 file for writing; it is complete when the context ends.

    One thread, a key frame every second, index at the start of the file, no dates in it.

    Args:
        path: The file, ending in ``.mp4``.
        width: Even number of px.
        height: Even number of px.
        fps: Frames per second.
        fresh: Numbers of further frames that are coded, with all after them, without those before.
        qp: Quantiser: at 22 the loss is below the sensor's grain; larger ones lose more.
    """
    flags = {"movflags": "+faststart", "fflags": "+bitexact"}
    with av.open(str(path), "w", format="mp4", options=flags) as container:
        options = {**_OPTIONS, "qp": str(qp), "g": str(max(1, round(_KEY_INTERVAL_S * fps)))}
        if fresh:
            options["forced-idr"] = "1"
        stream = container.add_stream("libx264", rate=fps, options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.thread_count = 1
        stream.codec_context.flags |= av.codec.context.Flags.bitexact
        stream.codec_context.time_base = Fraction(1, fps)
        number = 0
        frame = av.VideoFrame(width, height, "yuv420p")

        def append(planes: npt.NDArray[np.uint8]) -> None:
            nonlocal number
            # The encoder keeps no picture after its packet is out: it has no look-ahead.
            _fill(frame, planes)
            frame.pts = number
            frame.pict_type = PictureType.I if number in fresh else PictureType.NONE
            number += 1
            for packet in stream.encode(frame):
                container.mux(packet)

        yield append
        for packet in stream.encode():
            container.mux(packet)


def _fill(frame: av.VideoFrame, planes: npt.NDArray[np.uint8]) -> None:
    height, width = frame.height, frame.width
    halves = planes[height:].reshape(2, height // 2, width // 2)
    for plane, part in zip(frame.planes, (planes[:height], *halves), strict=True):
        rows, columns = part.shape
        np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[:rows, :columns] = part
