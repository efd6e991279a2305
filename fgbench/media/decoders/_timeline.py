"""Frames that a file shows and their times, from its packets without decoding them.

That is exact only where every packet is sure to become one frame; elsewhere :func:`build_timeline` returns
``None`` and the readers count decoded frames instead.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

Times = npt.NDArray[np.int64]

# Containers (as FFmpeg names them) that give every packet a presentation time and seek to key frames by it.
_TIMED_CONTAINERS = frozenset({"mov", "mp4", "matroska", "webm"})

# Largest difference of a frame's time from an even rate, in ticks of the time base: its time stamp,
# the first frame's and the rate itself are rounded. Where a tick is long, a quarter of a frame at most.
_ROUNDING_TICKS = 3
_ROUNDING_FRAMES = 0.25

# Codecs of which a packet in these containers is always one shown frame. Not VP8 (hidden frames are packets
# of their own) and not MPEG-4 part 2 (a packet that says "not coded" becomes no frame).
ONE_FRAME_PER_PACKET = frozenset({"h264", "hevc", "av1", "vp9", "mjpeg", "ffv1", "prores"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """Presentation times of all shown frames, in units of the stream's time base.

    Attributes:
        pts: Sorted times; frame ``k`` is shown at ``pts[k]``.
        last_duration: Duration of the last frame, 0 if unknown.
        key_pts: Sorted times of the key frames.
        key_indices: First frame that decodes from each key frame on; for a key frame hidden by an edit list,
            the first frame after it.
        has_edits: Whether an edit list hides frames.
        has_leading_frames: Whether frames follow their key frame in the file but precede it on screen (open
            group of pictures).
    """

    pts: Times
    last_duration: int
    key_pts: Times
    key_indices: Times
    has_edits: bool
    has_leading_frames: bool

    def index_of(self, pts: int | None) -> int | None:
        """Number of the frame shown at exactly this time, ``None`` if there is none."""
        if pts is None:
            return None
        index = int(np.searchsorted(self.pts, pts))
        return index if index < len(self.pts) and self.pts[index] == pts else None

    def key_before(self, index: int) -> int:
        """Position in ``key_pts`` of the last key frame from which frame ``index`` decodes."""
        return max(int(np.searchsorted(self.key_indices, index, side="right")) - 1, 0)


@dataclass(slots=True)
class PacketLog:
    """Properties of each packet, in file order: 18 bytes each.

    Attributes:
        pts: Presentation times; 0 where there is none.
        durations: Durations, 0 if unknown.
        keys: 1 for key frames.
        hidden: 1 for packets that are decoded but not shown (edit lists).
        n_untimed: Number of packets without a presentation time.
        n_damaged: Number of packets that the container reports as incomplete.
    """

    pts: array[int] = field(default_factory=lambda: array("q"))
    durations: array[int] = field(default_factory=lambda: array("q"))
    keys: bytearray = field(default_factory=bytearray)
    hidden: bytearray = field(default_factory=bytearray)
    n_untimed: int = 0
    n_damaged: int = 0

    def add(self, packet: Any) -> None:
        """Add a PyAV packet."""
        pts = packet.pts
        self.n_untimed += pts is None
        self.n_damaged += packet.is_corrupt
        self.pts.append(pts or 0)
        self.durations.append(packet.duration or 0)
        self.keys.append(packet.is_keyframe)
        self.hidden.append(packet.is_discard)

    def has_times(self, container: str) -> bool:
        """Return whether presentation times are usable; AVI stores only the order of decoding."""
        return not self.n_untimed and "avi" not in container.split(",")


def build_timeline(log: PacketLog, *, container: str, codec: str, n_declared: int) -> Timeline | None:
    """Timeline of a file, ``None`` if its packets do not determine exactly the frames that a decoder shows.

    Args:
        log: All packets of the stream.
        container: FFmpeg's names of the container format, separated by commas.
        codec: FFmpeg's name of the codec.
        n_declared: Number of frames in the file's header, 0 if it has none.
    """
    if log.n_untimed or log.n_damaged or not log.pts or n_declared not in (0, len(log.pts)):
        return None
    if codec not in ONE_FRAME_PER_PACKET or _TIMED_CONTAINERS.isdisjoint(container.split(",")):
        return None
    all_pts = np.array(log.pts, dtype=np.int64)
    is_key = np.frombuffer(log.keys, dtype=np.bool_)
    is_shown = ~np.frombuffer(log.hidden, dtype=np.bool_)
    last_key = np.maximum.accumulate(np.where(is_key, np.arange(len(all_pts)), 0))
    is_leading = is_shown & (all_pts < all_pts[last_key])
    shown_pts = np.sort(all_pts[is_shown])
    # Frames that need packets before the first key frame are dropped by some decoders and shown by others.
    starts_clean = is_key[0] and not is_leading[last_key == 0].any()
    if not starts_clean or not len(shown_pts) or (np.diff(shown_pts) == 0).any():
        return None
    last = int(np.flatnonzero(is_shown)[np.argmax(all_pts[is_shown])])
    key_pts = np.sort(all_pts[is_key])
    return Timeline(
        pts=shown_pts,
        last_duration=log.durations[last],
        key_pts=key_pts,
        key_indices=np.searchsorted(shown_pts, key_pts),
        has_edits=not is_shown.all(),
        has_leading_frames=bool(is_leading.any()),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """Number and times of the frames that a file shows.

    Attributes:
        n_frames: Number of frames.
        span: Time from the first frame to the end of the last, in units of the stream's time base.
        pts: Time of each frame in order, in the same units; ``None`` where one has none.
    """

    n_frames: int
    span: int
    pts: Times | None

    def uneven_s(self, fps: float, time_base_s: Fraction) -> npt.NDArray[np.float64] | None:
        """Times of all frames in seconds since the first one.

        ``None`` without times, and where they go back, as in recordings that were joined: they do not tell
        then how far frames are apart. Also where every frame has the time of an even rate, to the rounding
        of time stamps: there the rate gives the times more exactly.

        Args:
            fps: The rate.
            time_base_s: Unit of time stamps in seconds.
        """
        if self.pts is None or not len(self.pts) or (np.diff(self.pts) < 0).any():
            return None
        tick_s = float(time_base_s)
        times_s: npt.NDArray[np.float64] = (self.pts - self.pts[0]) * tick_s
        off_s = np.abs(times_s - np.arange(len(times_s)) / fps).max()
        return times_s if off_s > min(_ROUNDING_TICKS * tick_s, _ROUNDING_FRAMES / fps) else None


def shown_by(timeline: Timeline) -> Shown:
    """Number and times of the frames of a timeline."""
    n_frames, first, last = len(timeline.pts), int(timeline.pts[0]), int(timeline.pts[-1])
    span = time_span(n_frames, first, last, timeline.last_duration)
    return Shown(n_frames=n_frames, span=span, pts=timeline.pts)


def time_span(n_frames: int, first_pts: int, last_pts: int, last_duration: int) -> int:
    """Time from the first frame to the end of the last; an unknown last duration is taken as the mean."""
    if not last_duration and n_frames > 1:
        last_duration = round((last_pts - first_pts) / (n_frames - 1))
    return last_pts - first_pts + last_duration
