"""Answers of annotation tools, imported into ``votes.csv``.

All files are read and checked first; then the table of votes is replaced in one step, and the list of what
was imported after it. An import that is killed leaves the table as it was, or with all votes; done again it
adds nothing twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from fgbench.annotation.answers import ClipAnswers, Reading
from fgbench.annotation.asked_people import check_people
from fgbench.annotation.checks import AnswerCheck
from fgbench.annotation.class_list import ClassList
from fgbench.annotation.clip_list import clip_files
from fgbench.annotation.imported_votes import REJECTS, ImportedVotes, write_rejects
from fgbench.annotation.project_file import MAX_ROUNDS, Project, read_project, round_folder, rounds_of
from fgbench.annotation.round_answers import RoundAnswers, remember, single_votes, take, withdrawn
from fgbench.annotation.tools import reader_of, tool_of
from fgbench.annotation.votes_table import VotesTable
from fgbench.catalogue.pseudonyms import ensure_salt
from fgbench.datasets._clip_files import ClipFiles
from fgbench.datasets._tree import ROUNDS
from fgbench.errors import ArgumentError, DatasetError
from fgbench.files.file_errors import readable
from fgbench.garbage_collection import collector_paused
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


def import_answers(plan: ImportPlan) -> ImportedVotes:
    """Import answers.

    Raises:
        ArgumentError: If a tool or a column is none, or a file names another round.
        DatasetError: If a file cannot be read or is of another project, or two names of annotators may
            be one person; nothing is changed.
        ResourceError: If a file cannot be written, or another process imports.
    """
    files = clip_files(plan.root)
    known = _projects(plan)
    rounds: dict[int, RoundAnswers] = {}
    frames = {
        project.shown_name(task.clip): (task.fps, task.times_s)
        for _, project in known.values()
        for task in project.tasks
    }
    clip_of = {
        number: {project.shown_name(task.clip): task.clip for task in project.tasks}
        for number, (_, project) in known.items()
        if project.hide_names
    }
    with collector_paused():  # answers and votes hold no cycles, and there may be millions
        for path in plan.files:
            with readable(path):
                is_there = path.exists()
            if not is_there:
                raise DatasetError(f"no file {path}", "name the export of the annotation tool")
            read = reader_of(plan.tool or tool_of(path))
            round_of: dict[tuple[str | None, int | None], int] = {}
            for clip in read(path, Reading(columns=plan.columns, frames=frames)):
                named = (clip.project, clip.round)
                if named not in round_of:
                    round_of[named] = _round_of(clip, path, known, plan)
                number = round_of[named]
                if number not in rounds:
                    rounds[number] = _open_round(number, plan, files, known)
                take(rounds[number], clip, clip_of.get(number, {}).get(clip.clip, clip.clip))
        if not rounds:
            raise DatasetError(
                f"{first_few(list(map(str, plan.files)))} holds no answer, expected a row or a task for each",
                "export it anew, with all tasks and columns",
            )
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
    if clip.round is not None and plan.round is not None and clip.round != plan.round:
        raise ArgumentError(
            f"{plan.round}, but {path} names round {clip.round} itself",
            "leave it out: it is the round of answers whose file names none",
            argument="round",
        )
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
    latest = max(known, default=1)
    number = next((given for given in (clip.round, plan.round) if given is not None), latest)
    if not 1 <= number <= MAX_ROUNDS:
        raise DatasetError(f"{path} has round {number}, expected 1 to {MAX_ROUNDS}", "correct the table")
    return number


def _open_round(
    number: int, plan: ImportPlan, files: ClipFiles, known: Mapping[int, tuple[Path, Project]]
) -> RoundAnswers:
    folder, project = known.get(number, (round_folder(plan.root, number), None))
    classes = plan.classes if project is None else ClassList(scheme=project.scheme, classes=project.classes)
    check = AnswerCheck(
        plan.root, files, round=number, classes=classes, project=project, accounts=plan.accounts
    )
    return RoundAnswers(folder, project, check)


def _store(plan: ImportPlan, files: ClipFiles, rounds: Mapping[int, RoundAnswers]) -> ImportedVotes:
    table = VotesTable(plan.root, files)
    cast = Counter([vote.annotator for one in rounds.values() for vote, _ in one.votes.values()])
    for one in rounds.values():
        cast.update(one.spellings)
    check_people(table.annotators, cast, plan.root)
    votes = [vote for one in rounds.values() for vote in single_votes(one)]
    n_same = n_updated = n_added = 0
    changed: list[tuple[str, str]] = []
    for wanted, vote in votes:
        there = table.find(wanted)
        if there is None:
            table.put(wanted, vote)
            n_added += 1
        elif there.agrees(vote):
            n_same += 1
        elif plan.update:
            table.put(wanted, vote)
            n_updated += 1
        else:
            changed.append((vote.clip, vote.annotator))
    gone = {number: withdrawn(one, table) for number, one in rounds.items()}
    for one in rounds.values():
        if one.rejects or (one.folder / REJECTS).exists():
            write_rejects(one.folder, one.rejects)
    if n_added or n_updated:
        if not table.path.exists():  # the first votes: nothing was made with other pseudonyms
            ensure_salt(plan.root)
        table.write()
    for number, one in rounds.items():
        remember(one, gone[number])
    return ImportedVotes(
        table=table.path,
        rounds=tuple(rounds),
        n_added=n_added,
        n_same=n_same,
        n_updated=n_updated,
        changed=tuple(changed),
        withdrawn=tuple(pair for pairs in gone.values() for pair in pairs),
        rejects=tuple(reject for one in rounds.values() for reject in one.rejects),
        missing=_missing(rounds.values(), table),
    )


def _missing(rounds: Iterable[RoundAnswers], table: VotesTable) -> dict[str, tuple[int, int]]:
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
