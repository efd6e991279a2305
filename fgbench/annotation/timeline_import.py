"""Annotations of ELAN and Praat, imported as clips: ``annotations.csv``, or ``votes.csv`` of several people.

All files are read and checked first, then pictures of cut clips are written, then the tables. What cannot be
imported is rejected one by one; an import done again adds nothing twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial

from fgbench.annotation.asked_people import check_people
from fgbench.annotation.clips_in_time import MarkedClip
from fgbench.annotation.cutting import cut_clip
from fgbench.annotation.imported_timelines import ImportedTimelines as ImportedTimelines
from fgbench.annotation.marked_clips import (
    CONFIDENCE,
    KEY_FRAME,
    LABEL,
    MarkedSpan,
    RejectedSpan,
    marked_clips,
)
from fgbench.annotation.marked_recordings import MarkedRecording, read_recordings
from fgbench.annotation.recordings import Recording
from fgbench.annotation.timeline_plan import TimelinePlan as TimelinePlan
from fgbench.annotation.timeline_tables import TimelineTables
from fgbench.datasets._annotation_table import VIDEOS, VOTES
from fgbench.datasets._clip_files import ClipFiles
from fgbench.datasets._tree import ROUNDS
from fgbench.errors import DatasetError, MediaError
from fgbench.naming import has_controls, key
from fgbench.printable import cell_of
from fgbench.storage import exclusive
from fgbench.taxonomy import reserved_answer


def import_timelines(plan: TimelinePlan) -> ImportedTimelines:
    """Import annotations.

    Raises:
        DatasetError: If a file or a table cannot be read, a file has no tier of labels, or two names may be
            of one annotator; nothing is changed.
        DependencyError: If pympi is not installed.
        ResourceError: If a file cannot be written, or another process imports.
    """
    if not plan.root.is_dir():
        raise DatasetError(f"no folder {plan.root}", "name the folder of the data set")
    with exclusive(plan.root / ROUNDS):
        files = ClipFiles(plan.root, VIDEOS)
        rejects: list[RejectedSpan] = []
        of = read_recordings(plan, files, rejects)
        cast = Counter(one.annotator for marked in of.values() for one in marked.labels)
        is_voted = len(set(map(key, cast))) > 1 or (plan.root / VOTES).exists()
        tables = TimelineTables(plan.root, files, is_voted=is_voted, number=plan.round)
        check_people(tables.annotators, Counter({who: n for who, n in cast.items() if who}), plan.root)
        n_cut = 0
        for path in sorted(of):
            marked = of[path]
            known = tables.ends_of(marked.recording)
            if is_voted:
                rejects += _nameless(marked)
            find = partial(_answer, plan.find) if is_voted else plan.find
            clips, refused = marked_clips(
                marked.recording, marked.labels, marked.marks, marked.confidences, find, known
            )
            rejects += refused
            for clip in clips:
                n_cut += _take(plan, marked.recording, clip, tables, rejects)
        tables.write()
    return ImportedTimelines(
        table=tables.main.path,
        n_added=tables.main.n_new,
        n_same=tables.n_same,
        n_cut=n_cut,
        rejects=tuple(sorted(rejects, key=lambda one: (one.source, one.clip, one.annotator, one.reason))),
    )


def _answer(find: Callable[[str], str | None], label: str) -> str | None:
    """A reserved answer, or a class; ``None`` if a label is neither."""
    return reserved_answer(label) or find(label)


def _nameless(marked: MarkedRecording) -> Iterable[RejectedSpan]:
    """Rejects of the intervals and marks of nobody, or of what is no name, which are taken out."""
    loose = []
    for kind in (LABEL, KEY_FRAME, CONFIDENCE):
        loose += [one for one in marked.of(kind) if not _is_named(one)]
        marked.of(kind)[:] = [one for one in marked.of(kind) if _is_named(one)]
    return [
        RejectedSpan(
            clip=f"{marked.recording.name} {one.span.start_s:.3f} s",
            annotator=one.annotator,
            reason="bad_annotator" if one.annotator else "no_annotator",
            detail="the name of the annotator has a control character"
            if one.annotator
            else "votes need an annotator: set one for the tier, or call it TIER@ANNOTATOR",
            source=one.source,
        )
        for one in loose
    ]


def _is_named(one: MarkedSpan) -> bool:
    return bool(one.annotator) and not has_controls(one.annotator)


def _take(
    plan: TimelinePlan,
    recording: Recording,
    clip: MarkedClip,
    tables: TimelineTables,
    rejects: list[RejectedSpan],
) -> int:
    """Add a clip to the tables, cut if need be; return the number of clips written."""

    def reject(annotator: str, reason: str, detail: str) -> None:
        where = f"{recording.name} {clip.start_s:.3f} s"
        rejects.append(
            RejectedSpan(clip=where, annotator=annotator, reason=reason, detail=detail, source=recording.name)
        )

    is_new = False
    is_whole = len(clip.frames) == len(recording.times_s) and recording.clip is not None
    if is_whole:
        assert recording.clip is not None
        name = recording.clip.removeprefix(f"{VIDEOS}/")
    else:
        name = f"{recording.name}/{round(clip.start_s * 1000):08d}-{round(clip.end_s * 1000):08d}"
        if not plan.cut:
            shown = f"frames {clip.frames[0]} to {clip.frames[-1]} of {len(recording.times_s)}"
            reject("", "part_of_recording", f"{shown}: a clip is a whole file; have it cut with --cut")
            return 0
        try:
            is_new = cut_clip(recording, clip.frames, plan.root / VIDEOS / name)
        except MediaError as error:
            reject("", error.reason, error.message)
            return 0
    name = name if cell_of(name) == name else f"./{name}"  # a spreadsheet would take it for a formula
    for answer in clip.answers.values():
        there = tables.add(name, recording.name, answer, None if is_whole else recording.rate(clip.frames))
        if there is not None:
            kept = ", ".join(
                f"{column.replace('_', ' ')} {there.get(column, '')[:60]!r}"
                for column in ("label", "key_frame", "confidence")
            )
            more = (
                ""
                if tables.is_voted
                else "; of several annotators, files are imported together, and their answers are votes"
            )
            here = f"{answer.label!r}, {answer.key_frame}, {answer.confidence}"
            reject(
                answer.annotator,
                "other_answer",
                f"{tables.main.path.name} has {kept}, which stays; here it is {here}{more}",
            )
    return int(is_new)
