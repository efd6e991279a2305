"""Annotations of ELAN and Praat, imported as clips: ``annotations.csv``, or ``votes.csv`` of several people.

All files are read and checked first, then pictures of cut clips are written, then the tables. What cannot be
imported is rejected one by one; an import done again adds nothing twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from fgbench.annotation.clips_in_time import MarkedClip
from fgbench.annotation.cutting import cut_clip
from fgbench.annotation.elan import read_elan
from fgbench.annotation.imported_timelines import ImportedTimelines as ImportedTimelines
from fgbench.annotation.marked_clips import (
    CONFIDENCE,
    KEY_FRAME,
    LABEL,
    MarkedSpan,
    RejectedSpan,
    marked_clips,
    tier_role,
)
from fgbench.annotation.praat import read_praat
from fgbench.annotation.recordings import Recording, find_recording
from fgbench.annotation.timeline_tables import TimelineTables
from fgbench.annotation.timelines import Timeline
from fgbench.datasets._annotation_table import VIDEOS, VOTES
from fgbench.datasets._clip_files import ClipFiles
from fgbench.datasets._tree import ROUNDS
from fgbench.errors import DatasetError, MediaError
from fgbench.naming import key
from fgbench.printable import cell_of
from fgbench.storage import exclusive
from fgbench.taxonomy import reserved_answer

ELAN, PRAAT = "elan", "praat"
READERS: dict[str, Callable[[Path], Timeline]] = {ELAN: read_elan, PRAAT: read_praat}
"""Tool to the function that reads its files."""
SUFFIXES = {".eaf": ELAN, ".textgrid": PRAAT}
"""Suffix of a file, in lower case, to the tool that writes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelinePlan:
    """Settings of an import.

    Attributes:
        root: Root of the data set.
        files: Files of annotations.
        tool: Tool that wrote them; ``None``: by their suffix.
        find: Returns a label as the class tree spells it; ``None`` if it is none.
        label_tier: Name of tiers of labels, before an ``@``.
        key_frame_tier: Name of tiers of key frames, likewise.
        confidence_tier: Name of tiers of confidences, likewise.
        media: Folder of recordings outside the data set; ``None``: beside each file.
        cut: Whether intervals that are a part of their recording are cut out, as folders of pictures.
        round: Round of the votes.
        annotators: Name in the files to the name of the annotator.
    """

    root: Path
    files: tuple[Path, ...]
    find: Callable[[str], str | None]
    tool: str | None = None
    label_tier: str = LABEL
    key_frame_tier: str = KEY_FRAME
    confidence_tier: str = CONFIDENCE
    media: Path | None = None
    cut: bool = False
    round: int = 1
    annotators: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class _Marked:
    """A recording with what is marked in it, in all files."""

    recording: Recording
    labels: list[MarkedSpan] = field(default_factory=list)
    marks: list[MarkedSpan] = field(default_factory=list)
    confidences: list[MarkedSpan] = field(default_factory=list)

    def of(self, kind: str) -> list[MarkedSpan]:
        """Spans of the tiers of a kind."""
        return {LABEL: self.labels, KEY_FRAME: self.marks, CONFIDENCE: self.confidences}[kind]


def import_timelines(plan: TimelinePlan) -> ImportedTimelines:
    """Import annotations.

    Raises:
        DatasetError: If a file or a table cannot be read, or a file has no tier of labels; nothing is
            changed.
        DependencyError: If pympi is not installed.
        ResourceError: If a file cannot be written, or another process imports.
    """
    if not plan.root.is_dir():
        raise DatasetError(f"no folder {plan.root}", "name the folder of the data set")
    with exclusive(plan.root / ROUNDS):
        files = ClipFiles(plan.root, VIDEOS)
        rejects: list[RejectedSpan] = []
        of = _read_all(plan, files, rejects)
        everybody = {key(one.annotator) for marked in of.values() for one in marked.labels}
        is_voted = len(everybody) > 1 or (plan.root / VOTES).exists()
        tables = TimelineTables(plan.root, files, is_voted=is_voted, number=plan.round)
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


def _read_all(plan: TimelinePlan, files: ClipFiles, rejects: list[RejectedSpan]) -> dict[Path, _Marked]:
    """File of a recording to what is marked in it."""
    of: dict[Path, _Marked] = {}
    names = {LABEL: plan.label_tier, KEY_FRAME: plan.key_frame_tier, CONFIDENCE: plan.confidence_tier}
    for path in plan.files:
        timeline = _reader(path, plan.tool)(path)
        roles = [(tier, tier_role(tier, names)) for tier in timeline.tiers]
        if not any(role is not None and role[0] == LABEL for _, role in roles):
            listed = ", ".join(tier.name[:40] for tier in timeline.tiers[:8])
            raise DatasetError(
                f"{path} has no tier {plan.label_tier!r} of labels; its tiers: {listed or 'none'}",
                f"name the tier {plan.label_tier} or {plan.label_tier}@ANNOTATOR, or name another tier",
            )
        try:
            found = find_recording(timeline.media, plan.root, files, plan.media or path.parent)
        except MediaError as error:
            rejects.append(_of_file(path, error.reason, error.message))
            continue
        if isinstance(found, str):
            rejects.append(_of_file(path, "missing_file", found))
            continue
        marked = of.setdefault(found.path.resolve(), _Marked(found))
        for tier, role in roles:
            if role is None:
                continue
            source = f"{path.name}, {tier.name}"
            who = plan.annotators.get(role[1], role[1])
            spans = [MarkedSpan(annotator=who, span=span, source=source) for span in tier.spans]
            marked.of(role[0]).extend(spans)
            if tier.n_untimed:
                rejects.append(_of_file(path, "no_time", f"{tier.n_untimed} annotations of {tier.name}"))
    return of


def _reader(path: Path, tool: str | None) -> Callable[[Path], Timeline]:
    wanted = tool or SUFFIXES.get(path.suffix.lower())
    if wanted not in READERS:
        raise DatasetError(
            f"{path} is of no known tool", f"expected a file that ends in {' or '.join(SUFFIXES)}"
        )
    return READERS[wanted]


def _of_file(path: Path, reason: str, detail: str) -> RejectedSpan:
    return RejectedSpan(clip=path.stem, annotator="", reason=reason, detail=detail, source=path.name)


def _nameless(marked: _Marked) -> Iterable[RejectedSpan]:
    """Rejects of the intervals and marks of nobody, which are taken out."""
    loose = []
    for kind in (LABEL, KEY_FRAME, CONFIDENCE):
        loose += [one for one in marked.of(kind) if not one.annotator]
        marked.of(kind)[:] = [one for one in marked.of(kind) if one.annotator]
    return [
        RejectedSpan(
            clip=f"{marked.recording.name} {one.span.start_s:.3f} s",
            annotator="",
            reason="no_annotator",
            detail="votes need an annotator: set one for the tier, or call it TIER@ANNOTATOR",
            source=one.source,
        )
        for one in loose
    ]


def _take(
    plan: TimelinePlan,
    recording: Recording,
    clip: MarkedClip,
    tables: TimelineTables,
    rejects: list[RejectedSpan],
) -> int:
    """Add a clip to the tables, cut if need be; return the number of clips cut."""

    def reject(annotator: str, reason: str, detail: str) -> None:
        where = f"{recording.name} {clip.start_s:.3f} s"
        rejects.append(
            RejectedSpan(clip=where, annotator=annotator, reason=reason, detail=detail, source=recording.name)
        )

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
            cut_clip(recording, clip.frames, plan.root / VIDEOS / name)
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
            here = f"{answer.label!r}, {answer.key_frame}, {answer.confidence}"
            reject(
                answer.annotator,
                "other_answer",
                f"{tables.main.path.name} has {kept}, which stays; here it is {here}",
            )
    return 0 if is_whole else 1
