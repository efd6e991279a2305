"""``fgbench.export_tasks``, ``import_votes``: clips for annotation tools, and their answers as votes."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fgbench.annotation.exported_round import ExportedTasks as ExportedTasks
from fgbench.annotation.imported_votes import ImportedVotes as ImportedVotes
from fgbench.api.arguments import (
    name_of,
    name_or_none,
    names_of,
    names_to_names,
    one_of,
    path_of,
    path_or_none,
    paths_of,
    switch,
    switch_or_none,
    whole,
)
from fgbench.api.progress import Shown, bars, shown_as
from fgbench.api.settings import changes_of
from fgbench.api.timelines import ImportedTimelines as ImportedTimelines
from fgbench.api.timelines import import_timelines

_VOTES_PER_CLIP = 5
"""Annotators of each clip in the paper (section III)."""


def export_tasks(
    data: str | os.PathLike[str],
    *,
    tool: str = "label-studio",
    round: int = 1,  # noqa: A002
    annotators: str | Sequence[str] | None = None,
    annotators_per_clip: int | None = None,
    gold: str | os.PathLike[str] | None = None,
    show: str | None = None,
    out: str | os.PathLike[str] | None = None,
    seed: int = 0,
    recipe: str | None = None,
    settings: Mapping[str, Any] | Sequence[str] | None = None,
    workdir: str | os.PathLike[str] | None = None,
    hide_names: bool | None = None,
    force: bool = False,
    progress: Shown = None,
) -> ExportedTasks:
    """Export a round of annotation: clips dealt to annotators, as a project of an annotation tool.

    The first round has all clips below ``videos/``, a later one those that the votes before did not settle. A
    round that is there already, of the same input, stays as it is. What is ``None`` in a later round is as in
    the round before.

    Args:
        data: Root of the data set.
        tool: ``"label-studio"``.
        round: Number of the round, from 1.
        annotators: Their names, or the path of a file with a name on each line.
        annotators_per_clip: How many vote on each clip; ``None``: 5.
        gold: Table of clips with known answers (clip, label); ``None``: ``gold.csv`` of the data set, if it
            is there.
        show: ``"clips"``, or ``"strips"``: frames of each clip on one picture; ``None``: clips.
        out: Folder to write; ``None``: ``annotation/round-N`` of the data set.
        seed: Seed of shares and order.
        recipe: Recipe of ``prepare`` that has the classes; ``None``: the 33 of the paper, in a later round
            those of the round before, else of the work folder.
        settings: Settings of that recipe to change, e.g. ``{"dataset.classes": ["happy", "sad"]}``.
        workdir: Work folder of the votes before, for a later round; ``None``: that of ``fgbench prepare``.
        hide_names: Whether annotators see neutral names in the place of those of the clips; ``None``: as in
            the round before, in the first no.
        force: Whether a round of other input, that has no votes yet, is replaced.
        progress: Whether bars are shown; ``None``: in terminals and notebooks; or a function that is called
            with a name, the number done, and the total.

    Raises:
        ConfigError: If an argument is none, or the round was exported of other input, or has votes.
        DatasetError: If there are no clips, or a table is not as expected.
        ManifestError: If a later round has no votes before it that were settled.
        ResourceError: If the folder cannot be written.
    """
    from fgbench.annotation.exporting import export_round
    from fgbench.annotation.gold_items import GOLD
    from fgbench.annotation.people import annotators_of
    from fgbench.annotation.project_file import MAX_ROUNDS, read_project, round_folder
    from fgbench.annotation.round_plan import SHOWS, RoundPlan
    from fgbench.annotation.tools import LABEL_STUDIO
    from fgbench.errors import ArgumentError
    from fgbench.workfolders.default_folders import workdir_for
    from fgbench.workfolders.layout import MANIFESTS

    root = path_of("data", data, example="'my-clips'")
    one_of("tool", tool, (LABEL_STUDIO,))
    number = whole("round", round, least=1)
    if number > MAX_ROUNDS:
        raise ArgumentError(f"{number}, expected 1 to {MAX_ROUNDS}", "e.g. 2", argument="round")
    before = read_project(round_folder(root, number - 1)) if number > 1 else None
    names = names_of("annotators", annotators, example="annotators=['anna', 'ben']")
    if names is not None and len(names) == 1:
        names = names[0].split(",")
    if names is None and before is None:
        raise ArgumentError(
            "not given, expected the names of the annotators",
            "e.g. anna,ben,cem,dora,emil, or a file with a name on each line",
            argument="annotators",
        )
    people = annotators_of(names) if names is not None else before.annotators if before else ()
    per_clip = before.per_clip if before else _VOTES_PER_CLIP
    if annotators_per_clip is not None:
        per_clip = whole("annotators_per_clip", annotators_per_clip, least=1)
    if per_clip > len(people):
        raise ArgumentError(
            f"{per_clip}, and {len(people)} are named",
            f"name more of them, or take {len(people)}",
            argument="annotators_per_clip",
        )
    known = path_or_none("gold", gold, example="gold='gold.csv'")
    if known is None and (root / GOLD).is_file():
        known = root / GOLD
    wanted = one_of("show", show, SHOWS) if show is not None else before.show if before else SHOWS[0]
    work = path_or_none("workdir", workdir, example="workdir='fgbench-data/my-clips/work'") or workdir_for(
        root
    )
    folder = path_or_none("out", out, example="out='round-1'")
    hidden = switch_or_none("hide_names", hide_names)
    changes = tuple(changes_of("settings", settings))
    is_as_before = before is not None and recipe is None and not changes
    plan = RoundPlan(
        root=root,
        out=round_folder(root, number) if folder is None else folder,
        tool=tool,
        round=number,
        annotators=people,
        per_clip=per_clip,
        classes=_classes(recipe, settings, before, work if number > 1 else None),
        gold=known,
        reannotate=work / MANIFESTS / "reannotate.csv" if number > 1 else None,
        show=wanted,
        seed=whole("seed", seed, least=0),
        hide_names=hidden if hidden is not None else before is not None and before.hide_names,
        recipe=before.recipe if before is not None and is_as_before else recipe,
        changes=before.changes if before is not None and is_as_before else changes,
    )
    with bars(shown_as(progress)) as update:
        done = export_round(plan, force=switch("force", force), progress=update)
    project = done.project
    dealt = dict.fromkeys(project.annotators, 0)
    for task in project.tasks:
        for one in task.annotators:
            dealt[project.annotators[one]] += 1
    return ExportedTasks(
        folder=plan.out,
        tool=tool,
        project=project.project,
        round=number,
        n_clips=len(project.tasks),
        n_gold=len(project.gold),
        per_clip=per_clip,
        n_dealt=dealt,
        is_new=done.is_new,
        notes=done.notes,
    )


def import_votes(
    files: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    data: str | os.PathLike[str],
    *,
    tool: str | None = None,
    round: int | None = None,  # noqa: A002
    columns: Mapping[str, str] | None = None,
    annotators: Mapping[str, str] | None = None,
    project: str | os.PathLike[str] | None = None,
    recipe: str | None = None,
    settings: Mapping[str, Any] | Sequence[str] | None = None,
    update: bool = False,
    label_tier: str = "label",
    key_frame_tier: str = "key_frame",
    confidence_tier: str = "confidence",
    media: str | os.PathLike[str] | None = None,
    cut: bool = False,
) -> ImportedVotes | ImportedTimelines:
    """Import answers of annotation tools into ``votes.csv`` of a data set.

    Answers that are no votes are rejected one by one. The same answers imported again add nothing. Intervals
    that ELAN and Praat mark in recordings become clips; those of one person alone are final labels, in
    ``annotations.csv``.

    Args:
        files: Exports of the tool.
        data: Root of the data set.
        tool: ``"label-studio"``, ``"csv"``, ``"elan"`` or ``"praat"``; ``None``: by the suffix of each file.
        round: Round of answers whose file names none; ``None``: the latest that was exported, else 1.
        columns: Column of votes (``clip``, ``annotator``, ``label``, ``confidence``, ``key_frame``, ...) to
            its name in a CSV table.
        annotators: Account in the tool to the name of the annotator.
        project: Folder of a round that was exported outside the data set.
        recipe: Recipe of ``prepare`` that has the classes, for a round that was not exported.
        settings: Settings of that recipe to change, e.g. ``{"dataset.classes": ["happy", "sad"]}``.
        update: Whether answers that have changed replace their votes.
        label_tier: ELAN, Praat: name of tiers of labels, before an ``@`` and the annotator.
        key_frame_tier: Name of tiers of key frames, likewise.
        confidence_tier: Name of tiers of confidences, likewise.
        media: Folder of recordings outside the data set; ``None``: that of each file.
        cut: Whether intervals that are a part of their recording are written as folders of pictures.

    Raises:
        ConfigError: If an argument is none.
        DatasetError: If a file cannot be read or is of another project, or two names of annotators may
            be one person; nothing is changed.
        DependencyError: If a package that reads the files is not installed.
        ResourceError: If the table cannot be written; it is then as before.
    """
    from fgbench.annotation.importing import ImportPlan, import_answers
    from fgbench.annotation.project_file import MAX_ROUNDS
    from fgbench.annotation.tools import is_timeline
    from fgbench.errors import ArgumentError

    paths = paths_of("files", files, example="'export.json'")
    if not paths:
        raise ArgumentError("names none, expected exports of the tool", "e.g. export.json", argument="files")
    tool = name_or_none("tool", tool, example="tool='label-studio'")
    renamed = names_to_names("columns", columns, example="columns={'clip': 'filename'}")
    folder = path_or_none("project", project, example="project='round-1'")
    is_update = switch("update", update)
    if is_timeline(tool, paths):
        for name, value in {"columns": renamed, "project": folder, "update": is_update}.items():
            if value:
                raise ArgumentError("is of no use for files of ELAN and Praat", "leave it out", argument=name)
        return import_timelines(
            paths,
            data,
            tool=tool,
            recipe=recipe,
            settings=settings,
            annotators=annotators,
            label_tier=label_tier,
            key_frame_tier=key_frame_tier,
            confidence_tier=confidence_tier,
            media=media,
            cut=cut,
            round=1 if round is None else round,
        )
    number = None if round is None else whole("round", round, least=1)
    if number is not None and number > MAX_ROUNDS:
        raise ArgumentError(f"{number}, expected 1 to {MAX_ROUNDS}", "e.g. 1", argument="round")
    plan = ImportPlan(
        root=path_of("data", data, example="'my-clips'"),
        files=tuple(paths),
        tool=tool,
        round=number,
        project=folder,
        classes=_classes(recipe, settings, None),
        columns=renamed,
        accounts=names_to_names("annotators", annotators, example="annotators={'3': 'anna'}"),
        update=is_update,
    )
    return import_answers(plan)


def _classes(recipe: str | None, settings: Any, before: Any, work: Path | None = None) -> Any:
    """Classes of a recipe with changes; where neither is given of the round before, else of a work folder."""
    from fgbench.annotation.class_list import ClassList, classes_of
    from fgbench.config import load_prepare, with_changes
    from fgbench.preparation.prepare import saved
    from fgbench.workfolders.folder import RUN_FILE

    changes = changes_of("settings", settings)
    if recipe is None and not changes:
        if before is not None:
            return ClassList(scheme=before.scheme, classes=before.classes)
        if work is not None and (work / RUN_FILE).is_file():
            return classes_of(saved(work)[0])
    name = "default" if recipe is None else name_of("recipe", recipe, example="recipe='default'")
    return classes_of(with_changes(load_prepare(name), changes))
