"""Answers of annotators as annotation tools give them, before they are checked.

A tool is a module with ``read_answers(path, reading) -> Iterator[ClipAnswers]``, listed in
:mod:`fgbench.annotation.tools`. It raises :class:`fgbench.errors.DatasetError` for a file that it cannot read
as a whole; what is wrong with one answer is its :attr:`Answer.problem`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

UNSURE = "unsure"
"""Reserved answer: the annotator cannot decide."""
NOT_USABLE = "not_usable"
"""Reserved answer: the clip cannot be annotated, e.g. it shows no face."""
RESERVED = (UNSURE, NOT_USABLE)
"""Answers that are cast, and count for no class."""


@dataclass(slots=True, kw_only=True, unsafe_hash=True)  # never changed; frozen ones take twice the time
class Answer:
    """One annotator's answer on one clip.

    Attributes:
        annotator: Name as the tool has it.
        label: Class or reserved answer as the tool has it; empty if none was given.
        confidence: 0 to 1; ``None`` if not given.
        key_frame: Frame of the climax, from 0; ``None`` if not given.
        spent_s: Seconds that the annotator spent; ``None`` if unknown.
        cast_at: UTC time of the last change, ``YYYY-MM-DDThh:mm:ssZ``; empty if unknown.
        source: Where the answer stands in the file, for messages.
        problem: ``(reason, detail)`` if the answer cannot be taken as a vote.
    """

    annotator: str
    label: str
    confidence: float | None = None
    key_frame: int | None = None
    spent_s: float | None = None
    cast_at: str = ""
    source: str = ""
    problem: tuple[str, str] | None = None


@dataclass(slots=True, kw_only=True, unsafe_hash=True)  # never changed; frozen ones take twice the time
class ClipAnswers:
    """Answers on one clip.

    Attributes:
        clip: Name of the clip.
        answers: The answers.
        project: Id of the project that the tool got the clip from; ``None`` if the file names none.
        round: Round of the answers; ``None`` if the file names none.
        is_whole: Whether these are all answers that the tool has on the clip, so that an answer which was
            imported before, and is absent, has been deleted in the tool.
    """

    clip: str
    answers: tuple[Answer, ...]
    project: str | None = None
    round: int | None = None
    is_whole: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Settings of the reading of a file.

    Attributes:
        columns: Column that fgbench reads (``clip``, ``annotator``, ``label``, ...) to its name in the file,
            for tables.
        frames: Clip to its frames per second and the times of its frames, where they come unevenly, for
            tools that mark times.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    frames: Mapping[str, tuple[float | None, tuple[float, ...] | None]] = field(default_factory=dict)
