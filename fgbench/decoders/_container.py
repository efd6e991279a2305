"""Opening a file with PyAV, and packets and frames that survive damage.

Reads a video file; both decoders use it, since decord cannot tell what makes a file unsafe for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import av

from fgbench.decoders._truncation import missing_bytes
from fgbench.errors import MediaError

# Demuxer errors in a row after which the rest of the file is given up. A cut MP4 file gives one error for
# each missing sample; this bounds the time spent on them.
_MAX_ERRORS_IN_A_ROW = 1000


def open_container(path: Path) -> tuple[Any, Any]:
    """Open a file and choose its video stream.

    Returns:
        Container and stream of PyAV. The stream decodes in one thread: workers are processes.

    Raises:
        MediaError: If FFmpeg cannot open it (reason ``unreadable``, or ``truncated`` where the file is known
            to be incomplete) or there is no moving picture in it (``no_video_stream``).
    """
    try:
        # The prefix and the whitelist keep play lists and odd file names from opening anything else.
        container = av.open(f"file:{path}", options={"protocol_whitelist": "file"}, metadata_errors="replace")
    except (av.FFmpegError, OSError) as error:
        raise _cannot_open(path, error) from error
    stream = _video_stream(container)
    if stream is None:
        container.close()
        raise MediaError(
            f"{path} has no video stream", "check that the right file was listed", reason="no_video_stream"
        )
    stream.thread_type = "NONE"
    stream.codec_context.thread_count = 1
    return container, stream


def _cannot_open(path: Path, error: Exception) -> MediaError:
    n_missing = missing_bytes(path)
    if n_missing:
        return MediaError(
            f"{path} breaks off: at least {n_missing} bytes are missing at its end and it cannot be opened",
            "copy or download the file again",
            reason="truncated",
        )
    detail = getattr(error, "strerror", None) or error
    return MediaError(
        f"{path} is not a video file that FFmpeg can open ({detail})",
        "check the file with a player; convert it or take it off the list",
        reason="unreadable",
    )


def _video_stream(container: Any) -> Any | None:
    """Stream that FFmpeg prefers, cover pictures left aside; ``None`` if there is none."""
    cover = av.stream.Disposition.attached_pic
    moving = [
        stream
        for stream in container.streams.video
        if not stream.disposition & cover and stream.codec_context is not None
    ]
    best = container.streams.best("video")
    return next(
        (stream for stream in moving if best is not None and stream.index == best.index), None
    ) or next(iter(moving), None)


def packets(container: Any, stream: Any) -> Iterator[Any]:
    """Packets of a stream from where the container stands, going on after damaged places."""
    errors = 0
    while errors < _MAX_ERRORS_IN_A_ROW:
        try:
            for packet in container.demux(stream):
                errors = 0
                if packet.size:  # an empty packet would tell the decoder that the stream ends
                    yield packet
            return
        except av.FFmpegError:
            errors += 1


def decode(stream: Any, packets: Iterable[Any]) -> Iterator[Any]:
    """Frames in presentation order; a packet that cannot be decoded is left out."""
    for packet in packets:
        yield from _decoded(stream, packet)
    yield from _decoded(stream, None)


def _decoded(stream: Any, packet: Any | None) -> list[Any]:
    try:
        frames: list[Any] = stream.codec_context.decode(packet)
    except av.FFmpegError:
        return []
    return frames
