"""Answers to one round as they are read: votes, rejects, and what the tool does not have any more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fgbench.annotation.answers import Answer, ClipAnswers
from fgbench.annotation.checks import AnswerCheck, RejectedAnswer
from fgbench.annotation.imported_votes import read_imported, write_imported
from fgbench.annotation.project_file import Project
from fgbench.annotation.votes_table import CastVote, VoteKey, VotesTable
from fgbench.naming import key


@dataclass(slots=True)
class RoundAnswers:
    """Answers to one round.

    Attributes:
        folder: Folder of the round.
        project: What was dealt to whom; ``None`` where the round was not exported.
        check: Makes votes of answers.
        votes: Votes, each with where it stands in its file.
        rejects: Answers that are no votes.
        twice: Votes with several different answers.
        whole: Clips of which all answers were read.
        spellings: Other spellings of annotators, in further answers on the clip of a vote, to their number.
    """

    folder: Path
    project: Project | None
    check: AnswerCheck
    votes: dict[VoteKey, tuple[CastVote, str]] = field(default_factory=dict)
    rejects: list[RejectedAnswer] = field(default_factory=list)
    twice: set[VoteKey] = field(default_factory=set)
    whole: set[str] = field(default_factory=set)
    spellings: Counter[str] = field(default_factory=Counter)


def take(one: RoundAnswers, clip: ClipAnswers, own: str) -> None:
    """Add the answers on a clip.

    Args:
        one: What was read before.
        clip: The answers.
        own: The clip's own name, where the tool was given another.
    """
    if clip.is_whole:
        one.whole.add(own)
    for answer in clip.answers:
        found = one.check.vote_of(own, answer)
        if isinstance(found, RejectedAnswer):
            one.rejects.append(found)
            continue
        wanted = found.key
        before = one.votes.get(wanted)
        if before is None:
            one.votes[wanted] = (found, answer.source)
            continue
        if found.annotator != before[0].annotator:
            one.spellings[found.annotator] += 1
        if not before[0].agrees(found):
            one.twice.add(wanted)
            one.rejects.append(_twice(found, answer))


def _twice(vote: CastVote, answer: Answer) -> RejectedAnswer:
    return RejectedAnswer(
        clip=vote.clip,
        annotator=vote.annotator,
        round=vote.round,
        reason="several_answers",
        detail="the annotator answers the clip in several ways; delete all but one in the tool",
        source=answer.source,
    )


def single_votes(one: RoundAnswers) -> list[tuple[VoteKey, CastVote]]:
    """Votes of a round, ordered by clip and annotator; those of several different answers become rejects."""
    for wanted in sorted(one.twice):
        vote, source = one.votes.pop(wanted)
        one.rejects.append(_twice(vote, Answer(annotator=vote.annotator, label="", source=source)))
    one.rejects.sort(key=lambda reject: (reject.clip, reject.annotator, reject.reason, reject.source))
    return [(wanted, one.votes[wanted][0]) for wanted in sorted(one.votes)]


def withdrawn(one: RoundAnswers, table: VotesTable) -> list[tuple[str, str]]:
    """Clip and annotator of votes that were imported before, and are none any more in the tool."""
    if one.project is None:
        return []
    number = one.project.round
    before = read_imported(one.folder, one.project.project)
    return [
        (clip, name)
        for clip in sorted(one.whole & before.keys())
        for name in before[clip]
        if (wanted := (clip, key(name), number)) not in one.votes and table.has(wanted)
    ]


def remember(one: RoundAnswers, gone: Sequence[tuple[str, str]]) -> None:
    """Write down which votes the tool has had, so that one which is deleted there is noticed."""
    if one.project is None:
        return
    before = read_imported(one.folder, one.project.project)
    kept = {clip: set(names) for clip, names in before.items() if clip not in one.whole}
    for clip, name in gone:
        kept.setdefault(clip, set()).add(name)
    for vote, _ in one.votes.values():
        if vote.clip in one.whole:
            kept.setdefault(vote.clip, set()).add(vote.annotator)
    if kept or before:
        write_imported(one.folder, one.project.project, {clip: sorted(names) for clip, names in kept.items()})
