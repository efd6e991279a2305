"""Answers of annotation tools, imported into ``votes.csv``.

All files are read and checked first; then the table of votes is replaced in one step, and the list of what
was imported after it. An import that is killed leaves the table as it was, or with all votes; done again it
adds nothing twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fgbench.annotation.answers import Answer, ClipAnswers, Reading
from fgbench.annotation.checks import AnswerCheck, RejectedAnswer
from fgbench.annotation.class_list import ClassList
from fgbench.annotation.clip_list import clip_files
from fgbench.annotation.imported_votes import (
    REJECTS,
    ImportedVotes,
    read_imported,
    write_imported,
    write_rejects,
)
from fgbench.annotation.people import refuse_spellings
from fgbench.annotation.project_file import Project, read_project, round_folder, rounds_of
from fgbench.annotation.tools import reader_of, tool_of
from fgbench.annotation.votes_table import CastVote, VoteKey, VotesTable
from fgbench.datasets._clip_files import ClipFiles
from fgbench.datasets._tree import ROUNDS
from fgbench.datasets._vote_rows import MAX_ROUNDS
from fgbench.errors import DatasetError
from fgbench.naming import first_few, key
from fgbench.storage import exclusive


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportPlan:
    """Settings of an import.

    Attributes:
        root: Root of the data set.
        files: Files of answers.
        tool: Tool that wrote them; ``None``: by their suffix.
        round: Round of answers whose file names none; ``None``: the latest that was exported, else 1.
        project: Folder of a round outside the data set; ``None``: none.
        classes: Classes of rounds that were not exported.
        columns: Column of votes to its name in tables.
        accounts: Account in the tool to name of the annotator.
        update: Whether answers that have changed replace their votes.
    """

    root: Path
    files: tuple[Path, ...]
    tool: str | None
    round: int | None
    project: Path | None
    classes: ClassList
    columns: Mapping[str, str]
    accounts: Mapping[str, str]
    update: bool


@dataclass(slots=True)
class _Round:
    """Answers of one round, as they are read."""

    folder: Path
    project: Project | None
    check: AnswerCheck
    votes: dict[VoteKey, tuple[CastVote, str]] = field(default_factory=dict)
    rejects: list[RejectedAnswer] = field(default_factory=list)
    twice: set[VoteKey] = field(default_factory=set)
    whole: set[str] = field(default_factory=set)


def import_answers(plan: ImportPlan) -> ImportedVotes:
    """Import answers.

    Raises:
        ArgumentError: If a tool or a column is none.
        DatasetError: If a file cannot be read or is of another project, or annotators have several spellings;
            nothing is changed.
        ResourceError: If a file cannot be written, or another process imports.
    """
    files = clip_files(plan.root)
    known = _projects(plan)
    rounds: dict[int, _Round] = {}
    frames = {task.clip: (task.fps, task.times_s) for _, project in known.values() for task in project.tasks}
    for path in plan.files:
        read = reader_of(plan.tool or tool_of(path))
        for clip in read(path, Reading(columns=plan.columns, frames=frames)):
            number = _round_of(clip, path, known, plan)
            if number not in rounds:
                rounds[number] = _open_round(number, plan, files, known)
            _take(rounds[number], clip)
    with exclusive(plan.root / ROUNDS):
        return _store(plan, files, dict(sorted(rounds.items())))


def _projects(plan: ImportPlan) -> dict[int, tuple[Path, Project]]:
    """Round to its folder and project; a folder that is named comes before one of the data set."""
    found = {}
    for folder in [*rounds_of(plan.root).values(), *([plan.project] if plan.project else [])]:
        project = read_project(folder)
        if project is None:
            raise DatasetError(
                f"{folder} holds no round", "name the folder that fgbench annotate export wrote"
            )
        found[project.round] = (folder, project)
    return found


def _round_of(
    clip: ClipAnswers, path: Path, known: Mapping[int, tuple[Path, Project]], plan: ImportPlan
) -> int:
    if clip.project is not None:
        for number, (_, project) in known.items():
            if project.project == clip.project and clip.round in (None, number):
                return number
        here = first_few([f"{project.project} (round {number})" for number, (_, project) in known.items()])
        raise DatasetError(
            f"{path} is an export of the project {clip.project[:60]!r}, round {clip.round}; rounds of "
            f"{plan.root}: {here or 'none'}",
            "import the export of one of these, or name the --data-root or --project folder that it is of",
        )
    number = clip.round or plan.round or max(known, default=1)
    if not 1 <= number <= MAX_ROUNDS:
        raise DatasetError(f"{path} has round {number}, expected 1 to {MAX_ROUNDS}", "correct the table")
    return number


def _open_round(
    number: int, plan: ImportPlan, files: ClipFiles, known: Mapping[int, tuple[Path, Project]]
) -> _Round:
    folder, project = known.get(number, (round_folder(plan.root, number), None))
    classes = plan.classes if project is None else ClassList(scheme=project.scheme, classes=project.classes)
    check = AnswerCheck(
        plan.root, files, round=number, classes=classes, project=project, accounts=plan.accounts
    )
    return _Round(folder, project, check)


def _take(one: _Round, clip: ClipAnswers) -> None:
    if clip.is_whole:
        one.whole.add(clip.clip)
    for answer in clip.answers:
        found = one.check.vote_of(clip.clip, answer)
        if isinstance(found, RejectedAnswer):
            one.rejects.append(found)
            continue
        before = one.votes.get(found.key)
        if before is None:
            one.votes[found.key] = (found, answer.source)
        elif not before[0].agrees(found):
            one.twice.add(found.key)
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


def _store(plan: ImportPlan, files: ClipFiles, rounds: Mapping[int, _Round]) -> ImportedVotes:
    table = VotesTable(plan.root, files)
    votes = [vote for one in rounds.values() for vote in _single(one)]
    refuse_spellings({*table.annotators, *(vote.annotator for vote in votes)})
    n_same = n_updated = n_added = 0
    changed: list[tuple[str, str]] = []
    for vote in votes:
        there = table.find(vote.key)
        if there is None:
            table.put(vote)
            n_added += 1
        elif there.agrees(vote):
            n_same += 1
        elif plan.update:
            table.put(vote)
            n_updated += 1
        else:
            changed.append((vote.clip, vote.annotator))
    withdrawn = {number: _withdrawn(one, table) for number, one in rounds.items()}
    for one in rounds.values():
        if one.rejects or (one.folder / REJECTS).exists():
            write_rejects(one.folder, one.rejects)
    if n_added or n_updated:
        table.write()
    for number, one in rounds.items():
        _remember(one, withdrawn[number])
    return ImportedVotes(
        table=table.path,
        rounds=tuple(rounds),
        n_added=n_added,
        n_same=n_same,
        n_updated=n_updated,
        changed=tuple(changed),
        withdrawn=tuple(pair for pairs in withdrawn.values() for pair in pairs),
        rejects=tuple(reject for one in rounds.values() for reject in one.rejects),
        missing=_missing(rounds.values(), table),
    )


def _single(one: _Round) -> list[CastVote]:
    """Votes of a round, ordered by clip and annotator; those of several different answers become rejects."""
    for wanted in sorted(one.twice):
        vote, source = one.votes.pop(wanted)
        one.rejects.append(_twice(vote, Answer(annotator=vote.annotator, label="", source=source)))
    one.rejects.sort(key=lambda reject: (reject.clip, reject.annotator, reject.reason, reject.source))
    return [one.votes[wanted][0] for wanted in sorted(one.votes)]


def _withdrawn(one: _Round, table: VotesTable) -> list[tuple[str, str]]:
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


def _remember(one: _Round, withdrawn: Sequence[tuple[str, str]]) -> None:
    """Write down which votes the tool has had, so that one which is deleted there is noticed."""
    if one.project is None:
        return
    before = read_imported(one.folder, one.project.project)
    kept = {clip: set(names) for clip, names in before.items() if clip not in one.whole}
    for clip, name in withdrawn:
        kept.setdefault(clip, set()).add(name)
    for vote, _ in one.votes.values():
        if vote.clip in one.whole:
            kept.setdefault(vote.clip, set()).add(vote.annotator)
    if kept or before:
        write_imported(one.folder, one.project.project, {clip: sorted(names) for clip, names in kept.items()})


def _missing(rounds: Iterable[_Round], table: VotesTable) -> dict[str, tuple[int, int]]:
    """Annotator to votes and clips dealt, in the rounds that were imported, where votes are missing."""
    dealt: dict[str, int] = {}
    voted: dict[str, int] = {}
    for one in rounds:
        if one.project is None:
            continue
        keys = [key(name) for name in one.project.annotators]
        for task in one.project.tasks:
            for number in task.annotators:
                name = one.project.annotators[number]
                dealt[name] = dealt.get(name, 0) + 1
                voted[name] = voted.get(name, 0) + table.has((task.clip, keys[number], one.project.round))
    return {name: (voted[name], count) for name, count in dealt.items() if voted[name] < count}
