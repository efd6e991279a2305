"""Clips of a recording side by side: which of them an interval is of, and what of it lies between them.

Two annotators never set an end at the same instant. Intervals are of one clip if each end differs by at most
:data:`SAME_S`; and where an interval reaches that little into the next clip, as it does where one expression
follows the other without a pause, it ends where that begins, so that no frame is in two clips. Not stated in
the paper.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

from fgbench.annotation.timelines import Span

SAME_S = 0.2
"""Seconds by which the ends of intervals of one clip may differ."""
_ROUNDING_S = 0.001
"""Ends of clips that tables have already are whole milliseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkedAnswer:
    """Answer of an annotator on a clip.

    Attributes:
        annotator: Name; empty if the file names none.
        label: The label as the class tree spells it.
        key_frame: Key frame from the clip's first frame; ``None`` if not given.
        confidence: 0 to 1; ``None`` if not given.
    """

    annotator: str
    label: str
    key_frame: int | None
    confidence: float | None


@dataclass(slots=True, kw_only=True)
class MarkedClip:
    """A clip of a recording.

    Attributes:
        start_s: Its beginning in seconds of the recording.
        end_s: Its end.
        frames: Its frames in the recording.
        answers: Key of the annotator's name to the answer.
    """

    start_s: float
    end_s: float
    frames: range
    answers: dict[str, MarkedAnswer] = field(default_factory=dict)


def start_of(clip: MarkedClip) -> float:
    """Beginning of a clip, by which clips are ordered."""
    return clip.start_s


def clip_of(clips: Sequence[MarkedClip], span: Span) -> MarkedClip | None:
    """The clip with the ends of an interval, but for :data:`SAME_S`: of several the nearest.

    A clip that shares less than half of the shorter of the two is another one: expressions may be shorter
    than the tolerance.

    Args:
        clips: Clips in their order, which do not overlap.
        span: The interval.
    """
    most = SAME_S + _ROUNDING_S
    first = bisect_left(clips, span.start_s - most, key=start_of)
    last = bisect_right(clips, span.start_s + most, key=start_of)
    near = [
        clip
        for clip in clips[first:last]
        if abs(clip.end_s - span.end_s) <= most
        and 2 * _shared(clip, span) >= min(clip.end_s - clip.start_s, span.end_s - span.start_s)
    ]
    return min(near, key=lambda clip: _distance(clip, span), default=None)


def between(clips: Sequence[MarkedClip], span: Span) -> Span | MarkedClip:
    """The part of an interval that lies between the clips around it, or the clip that it overlaps.

    It overlaps one that lies in it, one of which it has more than :data:`SAME_S`, and all if half of it or
    more is in others.

    Args:
        clips: Clips in their order, which do not overlap.
        span: The interval.
    """
    start_s, end_s = span.start_s, span.end_s
    last = bisect_left(clips, span.end_s, key=start_of)
    first = bisect_right(clips, span.start_s, key=lambda clip: clip.end_s)
    across = clips[first:last]
    for clip in across:
        if _shared(clip, span) > SAME_S + _ROUNDING_S or (clip.start_s >= start_s and clip.end_s <= end_s):
            return clip
        if clip.start_s <= span.start_s:
            start_s = clip.end_s
        else:
            end_s = clip.start_s
    if across and 2 * (end_s - start_s) <= span.end_s - span.start_s:
        return across[-1]
    return Span(start_s, end_s, span.text)


def _shared(clip: MarkedClip, span: Span) -> float:
    """Seconds that a clip and an interval have in common; below 0 between those that have none."""
    return min(clip.end_s, span.end_s) - max(clip.start_s, span.start_s)


def _distance(clip: MarkedClip, span: Span) -> float:
    return abs(clip.start_s - span.start_s) + abs(clip.end_s - span.end_s)
