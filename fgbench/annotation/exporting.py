"""A round of annotation, exported for a tool: its clips dealt to the annotators, written as a folder.

The first round has all clips of the data set; a later one those that the votes before did not settle
(``manifests/reannotate.csv`` of the work folder; paper section III: the five annotate again).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fgbench.annotation import clip_list
from fgbench.annotation.clip_list import ListedClip
from fgbench.annotation.gold_items import read_gold
from fgbench.annotation.label_studio import folder as label_studio
from fgbench.annotation.project_file import PROJECT, Project, read_project, rounds_of, write_project
from fgbench.annotation.round_plan import RoundPlan, deal_round
from fgbench.annotation.telling_names import telling_note
from fgbench.annotation.votes_table import VotesTable
from fgbench.callbacks import Progress
from fgbench.datasets._clip_files import ClipFiles, NamedFile
from fgbench.datasets._tables import read_table
from fgbench.errors import ConfigError, DatasetError, ManifestError
from fgbench.files.hashing import digest_file
from fgbench.naming import counted
from fgbench.printable import text_of
from fgbench.storage import exclusive


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedRound:
    """A round that was exported.

    Attributes:
        project: What was written.
        is_new: Whether anything was written; otherwise it was there already.
        notes: Sentences for people.
    """

    project: Project
    is_new: bool
    notes: tuple[str, ...]


def export_round(plan: RoundPlan, *, force: bool, progress: Progress) -> ExportedRound:
    """Export a round; one that is there already, of the same input, is left as it is.

    Args:
        plan: Its settings.
        force: Whether a round of other input, that has no votes yet, is replaced.
        progress: Told the number of clips that are done.

    Raises:
        ConfigError: If the round was exported of other input, or has votes.
        DatasetError: If there are no clips, or a table is not as expected.
        ResourceError: If the folder cannot be written, or another process writes it.
    """
    files = clip_list.clip_files(plan.root)
    votes = VotesTable(plan.root, files)
    gold = {} if plan.gold is None else read_gold(plan.gold, files, plan.classes)
    wanted, mixed, notes = _chosen(plan, files, gold, votes)
    clips, left_out = clip_list.read_clips(plan.root, wanted, progress)
    if not clips:
        raise DatasetError(
            f"none of {counted(len(wanted), 'clip')} can be read, e.g. {left_out[0][0]}: {left_out[0][2]}",
            "look at the files in a player",
        )
    notes += [f"left out, {clip}: {reason}: {detail}" for clip, reason, detail in left_out[:_SHOWN]]
    if len(left_out) > _SHOWN:
        notes.append(f"left out in all: {counted(len(left_out), 'clip')} (project.json)")
    notes += label_studio.notes_on(clips, plan.show)
    if plan.hide_names:
        _check_hideable(clips, plan.show)
    else:
        notes += telling_note([clip.clip for clip in clips], plan.classes)
    project = deal_round(plan, clips, mixed, left_out)
    check_folder(plan.out)
    with exclusive(plan.out):
        before = read_project(plan.out)
        if before is not None and before.input == project.input and is_whole(plan.out, before):
            return ExportedRound(project=before, is_new=False, notes=tuple(notes))
        if before is not None and before.input == project.input:
            project = replace(project, project=before.project)
        elif before is not None:
            _refuse_other(plan, votes, force=force)
        names = label_studio.write(plan.out, project, plan.root, progress)
        project = replace(project, files={name: digest_file(plan.out / name) for name in sorted(names)})
        write_project(plan.out, project)
    return ExportedRound(project=project, is_new=True, notes=tuple(notes))


_SHOWN = 5


def _chosen(
    plan: RoundPlan, files: ClipFiles, gold: dict[str, str], votes: VotesTable
) -> tuple[list[NamedFile], list[str], list[str]]:
    """Files of the round, ids of the items with known answers among them, and sentences."""
    if plan.reannotate is None:
        return clip_list.list_all(files, plan.root), sorted(gold), []
    again = _reannotated(plan.reannotate, files)
    before = plan.round - 1
    if len(votes) and before not in votes.rounds() and before in rounds_of(plan.root):
        raise DatasetError(
            f"round {plan.round} would have the clips of round {before}, on which nobody has voted yet",
            f"import or pull the answers to round {before} and run fgbench prepare first",
        )
    voted = votes.clips_of(plan.round)
    fresh = sorted(clip for clip in gold if clip not in again and clip not in voted)
    asked = [clip for clip in gold if clip not in again and clip in voted]
    notes = []
    if asked:
        notes.append(
            f"{counted(len(asked), 'clip')} with known answers left out: somebody voted on them "
            "in an earlier round, and a later vote would count in its place"
        )
    named = {**again, **{clip: files.find(clip) for clip in fresh}}
    return [named[clip] for clip in sorted(named)], fresh, notes


def _reannotated(path: Path, files: ClipFiles) -> dict[str, NamedFile]:
    if not path.is_file():
        raise ManifestError(
            f"no file {path}: the clips of a later round are those that the votes before did not settle",
            "run fgbench prepare on the votes first, and name its work folder with --workdir",
        )
    clips = [text_of(row["clip"]) for row in read_table(path, ["clip"])]
    named = {file.clip_id: file for file in map(files.find, clips)}
    if not named:
        raise DatasetError(
            f"{path} names no clip: the votes settled all", "there is nothing to vote on again"
        )
    return named


def _check_hideable(clips: Sequence[ListedClip], show: str) -> None:
    """Refuse clips that the tool would have to be given under their own names.

    Raises:
        ConfigError: If there are any.
    """
    folders = [clip.path for clip in clips if not label_studio.is_single_file(clip)]
    if show == "clips" and folders:
        raise ConfigError(
            f"{counted(len(folders), 'clip')} of several pictures, e.g. {folders[0]}, whose name "
            "--hide-names cannot hide",
            "take --as strips too",
        )


def check_folder(folder: Path) -> None:
    """Refuse a folder that holds something else than a round.

    Raises:
        ConfigError: If it does; nothing in it is changed.
    """
    if folder.is_dir() and not (folder / PROJECT).exists():
        foreign = sorted(path.name for path in folder.iterdir() if path.name not in label_studio.OWN_NAMES)
        if foreign:
            raise ConfigError(
                f"{folder} holds {foreign[0]}, expected a new folder, an empty one, or that of the round",
                "name another folder with --out",
            )


def is_whole(folder: Path, project: Project) -> bool:
    """Return whether the files of a round are as they were written."""
    return all(
        (folder / name).is_file()
        and not (folder / name).is_symlink()
        and digest_file(folder / name) == digest
        for name, digest in project.files.items()
    )


def _refuse_other(plan: RoundPlan, votes: VotesTable, *, force: bool) -> None:
    number = votes.rounds().get(plan.round, 0)
    if number:
        raise ConfigError(
            f"round {plan.round} in {plan.out} was exported of other clips, classes, annotators or settings, "
            f"and has {counted(number, 'vote')} in {votes.path.name}: it is not replaced",
            f"give those of the first export (they are in {PROJECT}), or export round {plan.round + 1}",
        )
    if not force:
        raise ConfigError(
            f"round {plan.round} in {plan.out} was exported of other clips, classes, annotators or settings",
            f"give those of the first export (they are in {PROJECT}), or --force to replace it: answers to "
            "the old one are then refused",
        )
