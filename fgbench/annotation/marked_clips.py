"""Intervals that annotators marked in a recording, as clips: one clip for those that agree on its ends.

An interval of a tier of labels is an answer of its annotator. Intervals of several annotators are of one clip
as :mod:`fgbench.annotation.clips_in_time` has it; the clip has the ends of the first. A mark of a tier of key
frames, or of confidences, belongs to the interval of the same annotator around it; where it is an interval
itself, its middle counts. All of this is not stated in the paper.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from fgbench.annotation.clips_in_time import SAME_S, MarkedAnswer, MarkedClip, between, clip_of, start_of
from fgbench.annotation.recordings import Recording
from fgbench.annotation.timelines import Span, Tier
from fgbench.datasets._tables import decimal_number
from fgbench.naming import key, tidy

LABEL, KEY_FRAME, CONFIDENCE = "label", "key_frame", "confidence"
"""Kinds of tiers that are read, and their usual names."""


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


def tier_role(tier: Tier, names: Mapping[str, str]) -> tuple[str, str] | None:
    """Kind of a tier and its annotator; ``None`` for other tiers.

    The name of a tier is that of its kind, or has the annotator after an ``@``: ``label@anna``. An annotator
    whom the file names for the tier comes first.

    Args:
        tier: The tier.
        names: :data:`LABEL`, :data:`KEY_FRAME` and :data:`CONFIDENCE` to the name of tiers of this kind.
    """
    name, _, who = tier.name.partition("@")
    kind = {key(wanted): kind for kind, wanted in names.items()}.get(key(name))
    return None if kind is None else (kind, tidy(tier.annotator or who))


def marked_clips(
    recording: Recording,
    labels: Sequence[MarkedSpan],
    marks: Sequence[MarkedSpan],
    confidences: Sequence[MarkedSpan],
    find: Callable[[str], str | None],
    known: Sequence[tuple[float, float]] = (),
) -> tuple[list[MarkedClip], list[RejectedSpan]]:
    """Return the clips of a recording in their order, and what could not be used.

    Args:
        recording: The recording.
        labels: Intervals with labels.
        marks: Marks of key frames.
        confidences: Marks with confidences: ``0.8``, ``80 %`` or ``4/5``.
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

    marks_of, sure_of = _by_annotator(marks), _by_annotator(confidences)
    used: set[int] = set()
    for one in sorted(labels, key=lambda one: (one.span.start_s, one.span.end_s, key(one.annotator))):
        span, who = one.span, key(one.annotator)
        inside, sure = _inside(span, marks_of.get(who, [])), _inside(span, sure_of.get(who, []))
        used |= {id(mark) for mark in (*inside, *sure)}
        label, clip = find(span.text), clip_of(clips, span)
        room = between(clips, span) if clip is None else span
        fault = (
            _fault_of_span(recording, span)
            or (("unknown_label", f"{span.text[:60]!r} is no class") if label is None else None)
            or _fault_among(room, clip, span, who)
            or (_fault_of_span(recording, room) if isinstance(room, Span) else None)
            or _fault_of_marks(inside, sure)
        )
        if fault is not None:
            reject(one, *fault)
            continue
        assert label is not None
        if clip is None:
            assert isinstance(room, Span)
            clip = MarkedClip(
                start_s=max(0.0, room.start_s),
                end_s=min(room.end_s, recording.end_s),
                frames=recording.frames(room.start_s, room.end_s),
            )
            insort(clips, clip, key=start_of)
        frame = recording.frame_at(inside[0].span.middle_s) - clip.frames.start if inside else None
        if frame is not None and not 0 <= frame < len(clip.frames):
            ends = f"{clip.start_s:.3f} to {clip.end_s:.3f} s"
            reject(inside[0], "key_frame_outside", f"the clip is that from {ends}")
            frame = None
        confidence = _confidence(sure[0].span.text) if sure else None
        clip.answers[who] = MarkedAnswer(
            annotator=one.annotator, label=label, key_frame=frame, confidence=confidence
        )
    for kind, what, all_marks in (
        (KEY_FRAME, "key frame", marks),
        (CONFIDENCE, "confidence", confidences),
    ):
        for mark in all_marks:
            if id(mark) not in used:
                reject(mark, f"{kind}_outside", f"the {what} lies in no interval of its annotator")
    return [clip for clip in clips if clip.answers], rejects


def _fault_of_span(recording: Recording, span: Span) -> tuple[str, str] | None:
    """Reason and detail if an interval is none of the recording."""
    if span.end_s <= span.start_s or not recording.frames(span.start_s, span.end_s):
        return "no_frames", f"the interval to {span.end_s:.3f} s holds no frame of the recording"
    if span.start_s < -SAME_S:
        return "before_recording", f"the interval begins {-span.start_s:.3f} s before the recording"
    late_s = span.end_s - recording.end_s
    if late_s > SAME_S:
        return (
            "after_recording",
            f"the interval ends {late_s:.3f} s after the recording, which has {recording.end_s:.3f} s: "
            "shorten it, or look whether it is of this recording",
        )
    return None


def _fault_among(
    room: Span | MarkedClip, clip: MarkedClip | None, span: Span, who: str
) -> tuple[str, str] | None:
    """Reason and detail if an interval is not one clip beside the others."""
    if isinstance(room, MarkedClip):
        ends = f"{room.start_s:.3f} to {room.end_s:.3f} s"
        return "overlap", f"the interval to {span.end_s:.3f} s overlaps that from {ends}"
    if clip is not None and who in clip.answers:
        return "overlap", "the annotator has marked the clip before"
    return None


def _fault_of_marks(marks: Sequence[MarkedSpan], sure: Sequence[MarkedSpan]) -> tuple[str, str] | None:
    """Reason and detail if the marks in an interval are not those of one answer."""
    if len(marks) > 1:
        return "several_key_frames", f"{len(marks)} key frames are marked in the interval"
    if len(sure) > 1:
        return "several_confidences", f"{len(sure)} confidences are marked in the interval"
    if sure and _confidence(text := sure[0].span.text) is None:
        return "bad_confidence", f"confidence is {text[:60]!r}, expected 0 to 1, as 0.8, 80 % or 4/5"
    return None


def _confidence(text: str) -> float | None:
    """Confidence as it was written, 0 to 1; ``None`` for any other text."""
    plain = text.replace(",", ".").replace(" ", "")
    part, _, whole = plain.removesuffix("%").partition("/")
    value, of = decimal_number(part), decimal_number(whole) if whole else 1.0
    if value is None or not of or (whole and plain.endswith("%")):
        return None
    value = value / 100 if plain.endswith("%") else value / of
    return value if 0 <= value <= 1 else None


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
