"""Sequences that rise from a neutral face to the peak of an expression, and clips that begin with one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from fgbench.datasets._folders import pictures, relative
from fgbench.errors import DatasetError
from fgbench.records import ClipEntry

PEAK_FRAMES = 3
"""Number of last frames of a sequence that show the peak."""


def peak_and_neutral(folder: Path, root: Path, *, name: str, label: str, subject: str) -> Iterator[ClipEntry]:
    """Two entries of a sequence: its last frames as the expression, its first as ``<name>-neutral``.

    Args:
        folder: Its pictures; a locked folder, or one with fewer than two pictures, gives a problem.
        root: Root of the data set.
        name: Id of the sequence.
        label: Its expression.
        subject: Subject that is shown.
    """
    path = relative(folder, root)
    try:
        n_frames = len(pictures(folder))
    except DatasetError as error:
        problem = ("unreadable", error.message)
        yield from lost_peak_and_neutral(name, path, label=label, subject=subject, problem=problem)
        return
    if n_frames < 2:
        problem = ("no_frames", f"{path} has {n_frames} pictures")
        yield from lost_peak_and_neutral(name, path, label=label, subject=subject, problem=problem)
        return
    yield ClipEntry(
        clip_id=name,
        path=path,
        label=label,
        key_frame=n_frames - 1,
        subject_id=subject,
        source_id=name,
        selected_frames=tuple(range(max(1, n_frames - PEAK_FRAMES), n_frames)),
    )
    yield first_frame(name, path, subject=subject)


def lost_peak_and_neutral(
    name: str, path: str, *, label: str, subject: str, problem: tuple[str, str]
) -> Iterator[ClipEntry]:
    """The two entries of an unusable sequence: they count among the tested ones.

    Args:
        name: Id of the sequence.
        path: Its path.
        label: Its expression.
        subject: Subject that is shown.
        problem: ``(reason, detail)``.
    """
    yield ClipEntry(clip_id=name, path=path, label=label, subject_id=subject, source_id=name, problem=problem)
    yield replace(first_frame(name, path, subject=subject), problem=problem)


def first_frame(name: str, path: str, *, subject: str | None) -> ClipEntry:
    """The first frame of a sequence or clip as a separate entry ``<name>-neutral``.

    Args:
        name: Id of the sequence.
        path: Its path.
        subject: Subject that is shown; ``None`` if unknown.
    """
    return ClipEntry(
        clip_id=f"{name}-neutral",
        path=path,
        label="neutral",
        key_frame=0,
        subject_id=subject,
        source_id=name,
        selected_frames=(0,),
        stills_only=True,
    )
