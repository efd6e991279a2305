"""Intervals that annotators marked in a recording, as clips: one clip for those that agree on its ends.

An interval of a tier of labels is an answer of its annotator. Intervals of several annotators are of one clip
if each end differs by at most :data:`SAME_S` from that of the first of them; the clip has the ends of the
first. A mark of a tier of key frames belongs to the interval of the same annotator around it; where it is an
interval itself, its middle counts. All of this is not stated in the paper.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from fgbench.annotation.recordings import Recording
from fgbench.annotation.timelines import Span, Tier
from fgbench.naming import key, tidy

SAME_S = 0.2
"""Seconds by which the ends of intervals of one clip may differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedSpan:
    """An interval or a mark that is not imported.

    Attributes:
        clip: Name of the recording, with the time where there is one.
        annotator: Name of the annotator; empty if unknown.
        reason: Short stable word.
        detail: What is wrong.
        source: File and tier.
    """

    clip: str
    annotator: str
    reason: str
    detail: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkedSpan:
    """An interval or a mark with its annotator.

    Attributes:
        annotator: Name; empty if the file names none.
        span: The interval or mark.
        source: File and tier.
    """

    annotator: str
    span: Span
    source: str


@dataclass(slots=True, kw_only=True)
class MarkedClip:
    """A clip of a recording.

    Attributes:
        start_s: Its beginning in seconds of the recording.
        end_s: Its end.
        frames: Its frames in the recording.
        answers: Key of the annotator's name to ``(name, label, key frame from the clip's first frame)``.
    """

    start_s: float
    end_s: float
    frames: range
    answers: dict[str, tuple[str, str, int | None]] = field(default_factory=dict)


def tier_role(tier: Tier, label_tier: str, key_frame_tier: str) -> tuple[str, str] | None:
    """Kind of a tier, ``"label"`` or ``"key_frame"``, and its annotator; ``None`` for other tiers.

    The name of a tier is that of its kind, or has the annotator after an ``@``: ``label@anna``. An annotator
    whom the file names for the tier comes first.
    """
    name, _, who = tier.name.partition("@")
    kinds = {key(label_tier): "label", key(key_frame_tier): "key_frame"}
    kind = kinds.get(key(name))
    return None if kind is None else (kind, tidy(tier.annotator or who))


def marked_clips(
    recording: Recording,
    labels: Sequence[MarkedSpan],
    marks: Sequence[MarkedSpan],
    find: Callable[[str], str | None],
    known: Sequence[tuple[float, float]] = (),
) -> tuple[list[MarkedClip], list[RejectedSpan]]:
    """Return the clips of a recording in their order, and what could not be used.

    Args:
        recording: The recording.
        labels: Intervals with labels.
        marks: Marks of key frames.
        find: Returns a label as the class tree spells it; ``None`` if it is none.
        known: Ends in seconds of clips that tables have already.
    """
    clips = [
        MarkedClip(start_s=start, end_s=end, frames=recording.frames(start, end))
        for start, end in sorted(known)
    ]
    rejects: list[RejectedSpan] = []

    def reject(one: MarkedSpan, reason: str, detail: str) -> None:
        where = f"{recording.name} {one.span.start_s:.3f} s"
        rejects.append(
            RejectedSpan(clip=where, annotator=one.annotator, reason=reason, detail=detail, source=one.source)
        )

    marks_of = _by_annotator(marks)
    used: set[int] = set()
    for one in sorted(labels, key=lambda one: (one.span.start_s, one.span.end_s, key(one.annotator))):
        span = one.span
        inside = _inside(span, marks_of.get(key(one.annotator), []))
        used |= {id(mark) for mark in inside}
        label = find(span.text)
        frames = recording.frames(span.start_s, span.end_s)
        clip, across = _of_clip(clips, span), _across(clips, span)
        if span.end_s <= span.start_s or not frames:
            reject(one, "no_frames", f"the interval to {span.end_s:.3f} s holds no frame of the recording")
        elif span.start_s < -SAME_S:
            reject(one, "before_recording", f"the interval begins {-span.start_s:.3f} s before the recording")
        elif label is None:
            reject(one, "unknown_label", f"{span.text[:60]!r} is no class")
        elif clip is None and across is not None:
            ends = f"{across.start_s:.3f} to {across.end_s:.3f} s"
            reject(one, "overlap", f"the interval to {span.end_s:.3f} s overlaps that from {ends}")
        elif clip is not None and key(one.annotator) in clip.answers:
            reject(one, "overlap", "the annotator has marked the clip before")
        elif len(inside) > 1:
            reject(one, "several_key_frames", f"{len(inside)} key frames are marked in the interval")
        else:
            if clip is None:
                clip = MarkedClip(start_s=max(0.0, span.start_s), end_s=span.end_s, frames=frames)
                insort(clips, clip, key=_start)
            frame = recording.frame_at(inside[0].span.middle_s) - clip.frames.start if inside else None
            if frame is not None and not 0 <= frame < len(clip.frames):
                ends = f"{clip.start_s:.3f} to {clip.end_s:.3f} s"
                reject(inside[0], "key_frame_outside", f"the clip is that from {ends}")
                frame = None
            clip.answers[key(one.annotator)] = (one.annotator, label, frame)
    for mark in marks:
        if id(mark) not in used:
            reject(mark, "key_frame_outside", "the key frame lies in no interval of its annotator")
    return [clip for clip in clips if clip.answers], rejects


def _start(clip: MarkedClip) -> float:
    return clip.start_s


def _of_clip(clips: Sequence[MarkedClip], span: Span) -> MarkedClip | None:
    """The first clip with the ends of an interval, but for :data:`SAME_S`."""
    first = bisect_left(clips, span.start_s - SAME_S, key=_start)
    last = bisect_right(clips, span.start_s + SAME_S, key=_start)
    return next((clip for clip in clips[first:last] if abs(clip.end_s - span.end_s) <= SAME_S), None)


def _across(clips: Sequence[MarkedClip], span: Span) -> MarkedClip | None:
    """The last clip that overlaps an interval; clips do not overlap each other."""
    before = bisect_left(clips, span.end_s, key=_start)
    return clips[before - 1] if before and clips[before - 1].end_s > span.start_s else None


def _by_annotator(marks: Sequence[MarkedSpan]) -> dict[str, list[MarkedSpan]]:
    """Key of an annotator's name to their marks, ordered by time."""
    of: dict[str, list[MarkedSpan]] = {}
    for mark in sorted(marks, key=_middle):
        of.setdefault(key(mark.annotator), []).append(mark)
    return of


def _middle(mark: MarkedSpan) -> float:
    return mark.span.middle_s


def _inside(span: Span, marks: Sequence[MarkedSpan]) -> Sequence[MarkedSpan]:
    """Marks in an interval, its end left out."""
    first = bisect_left(marks, span.start_s, key=_middle)
    return marks[first : max(first, bisect_left(marks, span.end_s, key=_middle))]
