"""Intervals of several annotators on one recording: which are of one clip, what lies between two."""

import random
from itertools import pairwise
from pathlib import Path

import pytest

from fgbench.annotation.clips_in_time import MarkedClip, between, clip_of
from fgbench.annotation.marked_clips import MarkedSpan, marked_clips
from fgbench.annotation.recordings import Recording
from fgbench.annotation.timelines import Span

RECORDING = Recording(
    name="film", path=Path("film.mp4"), clip=None, times_s=tuple(n / 25 for n in range(500)), end_s=20.0
)


def clip(start, end):
    return MarkedClip(start_s=start, end_s=end, frames=RECORDING.frames(start, end))


def marked(spans, known=()):
    """``spans``: annotator, start and end; what comes of them, by clip."""
    labels = [MarkedSpan(annotator=who, span=Span(*ends, "anger"), source="x") for who, *ends in spans]
    clips, rejects = marked_clips(RECORDING, labels, [], [], str, known)
    return {(one.start_s, one.end_s): sorted(one.answers) for one in clips}, [one.reason for one in rejects]


@pytest.mark.parametrize("seed", range(5))
def test_five_who_mark_expressions_without_a_pause_vote_on_the_same_clips(seed):
    """Each end is set a little earlier or later by each; no vote is lost, and no frame is in two clips."""
    draw = random.Random(seed)
    cuts = [0.0, 1.1, 2.6, 3.2, 5.0, 5.9, 8.0]
    spans = []
    for who in "abcde":
        at = [round(cut + draw.uniform(-0.08, 0.08), 3) if cut else 0.0 for cut in cuts]
        spans += [(who, start, end) for start, end in pairwise(at)]
    found, rejects = marked(spans)
    assert rejects == []
    assert list(found.values()) == [list("abcde")] * 6
    ends = sorted(found)
    assert all(one[1] <= other[0] for one, other in pairwise(ends))
    assert marked(spans, known=ends) == (found, [])


def test_an_interval_that_reaches_far_into_another_overlaps_it():
    assert marked([("a", 0.0, 1.0), ("b", 0.7, 2.0)]) == ({(0.0, 1.0): ["a"]}, ["overlap"])
    assert marked([("a", 0.0, 1.0), ("b", 0.8, 2.0)]) == ({(0.0, 1.0): ["a"], (1.0, 2.0): ["b"]}, [])


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        ((1.0, 2.0), (1.0, 2.0)),
        ((0.9, 2.1), (1.0, 2.0)),
        ((0.7, 1.5), 0),
        ((1.5, 2.3), 1),
        ((1.9, 3.1), 1),
        ((0.85, 1.1), 0),
        ((1.85, 3.2), 1),
    ],
)
def test_what_of_an_interval_lies_between_two_clips(span, expected):
    """A clip is overlapped that lies in it, shares more than 0.2 s with it, or leaves less than half."""
    clips = [clip(0.0, 1.0), clip(2.0, 3.0)]
    found = between(clips, Span(*span, "x"))
    if isinstance(expected, int):
        assert found is clips[expected]
    else:
        assert found == Span(*expected, "x")


def test_an_interval_is_of_the_nearest_clip_and_of_none_that_it_hardly_shares():
    clips = [clip(0.0, 0.16), clip(0.16, 0.32)]
    assert clip_of(clips, Span(0.15, 0.31, "x")) is clips[1]
    assert clip_of(clips[:1], Span(0.16, 0.32, "x")) is None
    assert clip_of(clips[:1], Span(0.05, 0.2, "x")) is clips[0]


def test_ends_that_differ_by_the_tolerance_are_of_one_clip():
    """9.014 less 8.814 is a little more than 0.2 in floating point."""
    assert marked([("a", 8.814, 11.0), ("b", 9.014, 11.0)])[1] == []
    assert list(marked([("a", 8.814, 11.0), ("b", 9.014, 11.0)])[0].values()) == [["a", "b"]]
