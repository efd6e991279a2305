"""Recordings with what is marked in them, read from files of ELAN and Praat.

Several files may be of one recording, as of several annotators.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fgbench.annotation.elan import read_elan
from fgbench.annotation.marked_clips import (
    CONFIDENCE,
    KEY_FRAME,
    LABEL,
    MarkedSpan,
    RejectedSpan,
    tier_role,
)
from fgbench.annotation.praat import read_praat
from fgbench.annotation.recordings import Recording, find_recording
from fgbench.annotation.timeline_plan import TimelinePlan
from fgbench.annotation.timelines import Medium, Timeline
from fgbench.datasets._clip_files import ClipFiles
from fgbench.errors import DatasetError, MediaError
from fgbench.media.kinds import suffix
from fgbench.naming import counted, key, tidy

ELAN, PRAAT = "elan", "praat"
READERS: dict[str, Callable[[Path], Timeline]] = {ELAN: read_elan, PRAAT: read_praat}
"""Tool to the function that reads its files."""
SUFFIXES = {".eaf": ELAN, ".textgrid": PRAAT}
"""Suffix of a file, in lower case, to the tool that writes it."""
_BEFORE_NAME = "-_@. "
"""Characters before the name of the annotator at the end of the name of a file."""


@dataclass(slots=True)
class MarkedRecording:
    """A recording with what is marked in it, in all files."""

    recording: Recording
    labels: list[MarkedSpan] = field(default_factory=list)
    marks: list[MarkedSpan] = field(default_factory=list)
    confidences: list[MarkedSpan] = field(default_factory=list)

    def of(self, kind: str) -> list[MarkedSpan]:
        """Spans of the tiers of a kind."""
        return {LABEL: self.labels, KEY_FRAME: self.marks, CONFIDENCE: self.confidences}[kind]


def read_recordings(
    plan: TimelinePlan, files: ClipFiles, rejects: list[RejectedSpan]
) -> dict[Path, MarkedRecording]:
    """Read all files; return the file of each recording to what is marked in it.

    Args:
        plan: Settings of the import.
        files: Files of the data set.
        rejects: What cannot be used is added to it.

    Raises:
        DatasetError: If a file cannot be read, or has no tier of labels.
        DependencyError: If pympi is not installed.
    """
    of: dict[Path, MarkedRecording] = {}
    names = {LABEL: plan.label_tier, KEY_FRAME: plan.key_frame_tier, CONFIDENCE: plan.confidence_tier}
    for path in plan.files:
        timeline = _reader(path, plan.tool)(path)
        of_file = tidy(path.stem.partition("@")[2])
        roles = [
            (tier, role[0], role[1] or of_file)
            for tier in timeline.tiers
            if (role := tier_role(tier, names)) is not None
        ]
        if not any(kind == LABEL for _, kind, _ in roles):
            listed = ", ".join(tier.name[:40] for tier in timeline.tiers[:8])
            raise DatasetError(
                f"{path} has no tier {plan.label_tier!r} of labels; its tiers: {listed or 'none'}",
                f"name the tier {plan.label_tier} or {plan.label_tier}@ANNOTATOR, or name another tier",
            )
        media = _media(timeline, [who for _, _, who in roles])
        try:
            found = find_recording(media, plan.root, files, plan.media or path.parent)
        except MediaError as error:
            rejects.append(_of_file(path, error.reason, error.message))
            continue
        if isinstance(found, str):
            rejects.append(_of_file(path, "missing_file", found))
            continue
        recording, origin_s = found
        marked = of.setdefault(recording.path.resolve(), MarkedRecording(recording))
        for tier, kind, named in roles:
            who = plan.annotators.get(named, named)
            marked.of(kind).extend(
                MarkedSpan(annotator=who, span=span.later(origin_s), source=f"{path.name}, {tier.name}")
                for span in tier.spans
            )
            if tier.n_untimed:
                detail = f"{counted(tier.n_untimed, 'annotation')} of {tier.name} without a time"
                rejects.append(_of_file(path, "no_time", detail))
            elif kind == LABEL and not tier.spans:
                rejects.append(
                    _of_file(path, "no_labels", f"nothing is written in the tier {tier.name}", who)
                )
    return of


def _media(timeline: Timeline, annotators: Sequence[str]) -> list[Medium]:
    """Recordings of a file; for one that names none also its own name without that of an annotator.

    ``film1-anna`` is of ``film1`` if a tier of it is of Anna.
    """
    media = list(timeline.media)
    if len(media) == 1 and not suffix(name := media[0].name):
        for who in dict.fromkeys(filter(None, annotators)):
            start, end = name[: -len(who)], name[-len(who) :]
            if key(end) == key(who) and start[-1:] and start[-1] in _BEFORE_NAME:
                media.append(Medium(name=start.rstrip(_BEFORE_NAME)))
    return media


def _reader(path: Path, tool: str | None) -> Callable[[Path], Timeline]:
    wanted = tool or SUFFIXES.get(path.suffix.lower())
    if wanted not in READERS:
        raise DatasetError(
            f"{path} is of no known tool", f"expected a file that ends in {' or '.join(SUFFIXES)}"
        )
    return READERS[wanted]


def _of_file(path: Path, reason: str, detail: str, annotator: str = "") -> RejectedSpan:
    return RejectedSpan(clip=path.stem, annotator=annotator, reason=reason, detail=detail, source=path.name)
