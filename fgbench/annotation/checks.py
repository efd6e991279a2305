"""Answers checked against the round that they are of: each becomes a vote, or a reject with its reason."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fgbench.annotation.answers import RESERVED, Answer
from fgbench.annotation.class_list import ClassList
from fgbench.annotation.project_file import ClipTask, Project
from fgbench.annotation.votes_table import CastVote
from fgbench.datasets._clip_files import ClipFiles
from fgbench.errors import DatasetError, MediaError
from fgbench.media.video import decoder_for, open_video
from fgbench.naming import has_controls, key, tidy
from fgbench.taxonomy import meant_by, normal_label


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedAnswer:
    """An answer that is no vote.

    Attributes:
        clip: Name of the clip.
        annotator: Name of the annotator, or the account.
        round: Round.
        reason: Short stable word.
        detail: What is wrong with it.
        source: Where it stands in its file.
    """

    clip: str
    annotator: str
    round: int
    reason: str
    detail: str
    source: str


class AnswerCheck:
    """Checks of the answers of one round.

    Args:
        root: Root of the data set.
        files: Its files.
        round: Number of the round.
        classes: Classes to choose from.
        project: What was dealt to whom; ``None`` where the round was not exported: everybody may then vote
            on every clip.
        accounts: Account in the tool to the name of the annotator.
    """

    def __init__(
        self,
        root: Path,
        files: ClipFiles,
        *,
        round: int,  # noqa: A002
        classes: ClassList,
        project: Project | None,
        accounts: Mapping[str, str],
    ) -> None:
        self._root, self._files, self._round = root, files, round
        self._classes, self._project = classes, project
        self._tasks: dict[str, ClipTask] = {task.clip: task for task in project.tasks} if project else {}
        self._accounts = {key(account): tidy(name) for account, name in accounts.items()}
        self._names = {key(name): name for name in project.annotators} if project else {}
        self._numbers = {name: number for number, name in enumerate(project.annotators)} if project else {}
        self._lengths: dict[str, int | None] = {}
        self._labels: dict[str, str | None] = {}
        self._people: dict[str, str | None] = {}
        self._address_of: dict[str, str] = {}

    def vote_of(self, clip: str, answer: Answer) -> CastVote | RejectedAnswer:
        """Return the vote of an answer, or why it is none.

        Raises:
            DatasetError: If two accounts may both be one annotator.
        """
        clip_id = clip if clip in self._tasks else self._files.find(clip).clip_id
        person = self._person(answer.annotator)
        problem = self._problem(clip, clip_id, person, answer)
        label = self._label(answer.label)
        if problem is None and label is None:
            meant = meant_by(answer.label, self._classes.label_set)
            detail = f"{answer.label[:60]!r} is none of the {len(self._classes.classes)} classes"
            problem = ("unknown_label", f"{detail}; {meant}" if meant else detail)
        if problem is not None:
            return RejectedAnswer(
                clip=clip_id,
                annotator=person or self._accounts.get(key(answer.annotator), answer.annotator),
                round=self._round,
                reason=problem[0],
                detail=problem[1],
                source=answer.source,
            )
        assert person is not None
        assert label is not None
        return CastVote(
            clip=clip_id,
            annotator=person,
            round=self._round,
            label=label,
            confidence=answer.confidence,
            key_frame=answer.key_frame,
            spent_s=answer.spent_s,
            cast_at=answer.cast_at,
        )

    def _problem(self, clip: str, clip_id: str, person: str | None, answer: Answer) -> tuple[str, str] | None:
        if self._project is not None and clip_id not in self._tasks:
            return "unknown_clip", f"round {self._round} has no clip {clip[:200]!r}"
        if self._project is None and (problem := self._files.find(clip).problem) is not None:
            return "unknown_clip", problem[1]
        if not tidy(answer.annotator):
            return "no_annotator", "the answer names nobody"
        if person is None:
            return (
                "unknown_annotator",
                f"{answer.annotator[:80]!r} is none of the round; --annotator ACCOUNT=NAME tells who it is",
            )
        if has_controls(person):
            return "bad_annotator", f"{person[:80]!r} is no name: it has a control character"
        if self._project is not None and self._numbers[person] not in self._tasks[clip_id].annotators:
            return "not_assigned", f"the clip was not dealt to {person}"
        if answer.problem is not None:
            return answer.problem
        if not answer.label:
            return "no_answer", "neither a class nor an answer in its place"
        frame, length = answer.key_frame, self._length(clip_id)
        if frame is not None and (frame < 0 or (length is not None and frame >= length)):
            last = "its end" if length is None else f"{length - 1}"
            return "key_frame_outside", f"key frame {frame}, the clip has 0 to {last}"
        confidence = answer.confidence
        if confidence is not None and not (math.isfinite(confidence) and 0 <= confidence <= 1):
            return "bad_answer", f"confidence is {confidence}, expected 0 to 1"
        return None

    def _person(self, account: str) -> str | None:
        if account not in self._people:
            self._people[account] = self._person_of(account)
        return self._people[account]

    def _person_of(self, account: str) -> str | None:
        """Name of an annotator: as given, else that of the account, else its address up to the @."""
        named = self._accounts.get(key(account), tidy(account))
        if self._project is None:
            return named or None
        whole, local = key(named), key(named.partition("@")[0])
        if whole in self._names:
            return self._names[whole]
        if local in self._names and key(account) not in self._accounts:
            self._check_address(self._names[local], account)
        short = {key(name.partition("@")[0]): name for name in self._project.annotators}
        is_one = len(short) == len(self._project.annotators)
        return self._names.get(local) or (short.get(local) if is_one and "@" not in named else None)

    def _check_address(self, name: str, account: str) -> None:
        """Refuse a second address whose part before the @ is the name of an annotator.

        Raises:
            DatasetError: If it is one.
        """
        other = self._address_of.setdefault(name, account)
        if key(other) != key(account):
            raise DatasetError(
                f"the accounts {other[:80]!r} and {account[:80]!r} may both be the annotator {name}",
                f"say whose the second is: --annotator {account}={name} for one person; with a name that is "
                "none of the round its answers are rejected",
            )

    def _label(self, label: str) -> str | None:
        if label not in self._labels:
            wanted = normal_label(label)
            self._labels[label] = wanted if wanted in RESERVED else self._classes.find(label)
        return self._labels[label]

    def _length(self, clip_id: str) -> int | None:
        if clip_id in self._tasks:
            return self._tasks[clip_id].n_frames
        if clip_id not in self._lengths:
            self._lengths[clip_id] = _length(self._root / self._files.find(clip_id).path)
        return self._lengths[clip_id]


def _length(path: Path) -> int | None:
    """Number of frames of a clip; ``None`` if it cannot be read, which ``prepare`` reports."""
    try:
        with open_video(path, decoder_for(path)) as reader:
            return reader.info.n_frames
    except MediaError:
        return None
