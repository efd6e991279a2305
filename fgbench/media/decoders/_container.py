"""Packets and frames of a file opened with PyAV, despite damage.

Reads a video file; both decoders use it, since decord does not report what makes a file unsafe for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import av
from av.video.frame import PictureType

from fgbench.errors import MediaError
from fgbench.media.decoders._truncation import missing_bytes
from fgbench.media.faults import Deadline, check_frame_px
from fgbench.media.video import Limits

# Demuxer errors in a row after which the rest of the file is given up. A cut MP4 file gives one error for
# each missing sample; this bounds the time spent on them.
_MAX_ERRORS_IN_A_ROW = 1000

# Formats of text files that name other files; a digest of the list would not describe the pictures.
_PLAY_LISTS = frozenset({"concat", "dash", "hls"})

_MOST_PIXELS = 2**31 - 1  # largest value that FFmpeg's option takes

_B = PictureType.B.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A file, and limits on the cost of reading it.

    Attributes:
        path: The file.
        limits: Largest size of its frames.
        deadline: Time by which reading has to be done.
    """

    path: Path
    limits: Limits
    deadline: Deadline


def source_of(path: Path, limits: Limits) -> Source:
    """Source for a file, whose time is counted from now."""
    return Source(path=path, limits=limits, deadline=Deadline(path, limits.max_seconds))


def open_container(source: Source) -> tuple[Any, Any]:
    """Open a file and choose its video stream.

    Returns:
        Container and stream of PyAV. The stream decodes in one thread: workers are processes. It refuses to
        decode frames that are larger than the limits; if the header announces such, it is not opened.

    Raises:
        MediaError: If FFmpeg cannot open it (reason ``unreadable``, or ``truncated`` where the file is known
            to be incomplete), there is no moving picture in it (``no_video_stream``) or its frames are too
            large (``too_large``).
    """
    path = source.path
    try:
        # The prefix and the whitelist keep play lists and odd file names from opening anything else.
        container = av.open(f"file:{path}", options={"protocol_whitelist": "file"}, metadata_errors="replace")
    except (av.FFmpegError, OSError) as error:
        raise _cannot_open(path, error) from error
    if container.format.name in _PLAY_LISTS:
        container.close()
        raise MediaError(
            f"{path} is a list of other files, expected a video file",
            "list the video files themselves",
            reason="unreadable",
        )
    stream = _video_stream(container)
    if stream is None:
        container.close()
        raise MediaError(
            f"{path} has no video stream", "check that the right file was listed", reason="no_video_stream"
        )
    context, max_px = stream.codec_context, source.limits.max_frame_px
    try:
        check_frame_px(path, (context.width, context.height), max_frame_px=max_px)
    except MediaError:
        container.close()
        raise
    stream.thread_type = "NONE"
    context.thread_count = 1
    options = {"max_pixels": str(min(max_px, _MOST_PIXELS))}
    if context.name == "hevc":
        # Without this, FFmpeg's HEVC decoder does not report damage; it shows the same frames.
        options["err_detect"] = "explode"
    context.options = options
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
    """Stream that FFmpeg prefers, except cover pictures; ``None`` if there is none."""
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


def packets(container: Any, stream: Any, source: Source) -> Iterator[Any]:
    """Packets of a stream from the container's position, continuing after damage.

    Raises:
        MediaError: If there is no time left (reason ``too_slow``).
    """
    errors = 0
    while errors < _MAX_ERRORS_IN_A_ROW:
        try:
            for packet in container.demux(stream):
                errors = 0
                source.deadline.check()
                if packet.size:  # an empty packet would signal the end of the stream to the decoder
                    yield packet
            return
        except av.FFmpegError:
            errors += 1


def decode(stream: Any, packets: Iterable[Any], source: Source) -> Iterator[tuple[Any, bool]]:
    """Frames in presentation order, each with a flag whether it may show damage.

    A packet that cannot be decoded is left out. Frames that follow it in the file count as damaged, and those
    that are shown after a frame in which the decoder reports errors, up to the next key frame; errors in a
    B-frame count for that frame only, since other frames are rarely predicted from it.

    Raises:
        MediaError: If the frames grow beyond the limits midway (reason ``too_large``).
    """
    suspects: set[int | None] = set()  # time stamps of the packets after one that cannot be decoded
    is_broken = is_tainted = False
    key_pts = None
    for packet in chain(packets, (None,)):
        if packet is not None and packet.is_keyframe:
            is_broken, key_pts = False, packet.pts
        try:
            frames = stream.codec_context.decode(packet)
        except av.FFmpegError:
            frames = []
            context = stream.codec_context  # has the size that it refused
            check_frame_px(
                source.path, (context.width, context.height), max_frame_px=source.limits.max_frame_px
            )
            # Frames shown before their key frame (open group) are not references of later ones.
            is_broken = is_broken or packet is None or not _precedes(packet.pts, key_pts)
        if is_broken and packet is not None:
            suspects.add(packet.pts)
        for frame in frames:
            is_tainted = (is_tainted and not frame.key_frame) or (frame.is_corrupt and frame.pict_type != _B)
            yield frame, is_tainted or frame.is_corrupt or frame.pts in suspects
            suspects.discard(frame.pts)


def _precedes(pts: int | None, key_pts: int | None) -> bool:
    return pts is not None and key_pts is not None and pts < key_pts
