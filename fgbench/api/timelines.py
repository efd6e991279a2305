"""``import_votes`` of annotations along the time of recordings: files of ELAN and Praat."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fgbench.annotation.timeline_import import ImportedTimelines as ImportedTimelines
from fgbench.api.arguments import (
    name_of,
    name_or_none,
    names_to_names,
    path_of,
    path_or_none,
    paths_of,
    switch,
    whole,
)
from fgbench.api.settings import changes_of


def import_timelines(
    files: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    data: str | os.PathLike[str],
    *,
    tool: str | None = None,
    recipe: str | None = None,
    settings: Mapping[str, Any] | Sequence[str] | None = None,
    annotators: Mapping[str, str] | None = None,
    label_tier: str = "label",
    key_frame_tier: str = "key_frame",
    confidence_tier: str = "confidence",
    media: str | os.PathLike[str] | None = None,
    cut: bool = False,
    round: int = 1,  # noqa: A002
) -> ImportedTimelines:
    """Import intervals of recordings as clips with their labels and key frames.

    Labels of one person go to ``annotations.csv``, those of several, or where there is one, to ``votes.csv``.
    What cannot be imported is rejected one by one; the same files imported again add nothing.

    Args:
        files: Files of ELAN (``.eaf``) or Praat (``.TextGrid``).
        data: Root of the data set.
        tool: ``"elan"`` or ``"praat"``; ``None``: by the suffix of each file.
        recipe: Recipe of ``prepare`` that has the classes; ``None``: the 33 of the paper.
        settings: Settings of that recipe to change.
        annotators: Name in the files to the name of the annotator.
        label_tier: Name of tiers of labels, before an ``@`` and the annotator.
        key_frame_tier: Name of tiers of key frames, likewise.
        confidence_tier: Name of tiers of confidences, likewise.
        media: Folder of recordings outside the data set; ``None``: that of each file.
        cut: Whether intervals that are a part of their recording are written as folders of pictures.
        round: Round of the votes.

    Raises:
        ConfigError: If an argument is none.
        DatasetError: If a file cannot be read, or has no tier of labels; nothing is changed.
        DependencyError: If pympi is not installed.
        ResourceError: If a file cannot be written.
    """
    from fgbench.annotation.marked_recordings import READERS
    from fgbench.annotation.timeline_import import import_timelines as imported
    from fgbench.annotation.timeline_plan import TimelinePlan
    from fgbench.datasets._vote_rows import MAX_ROUNDS
    from fgbench.errors import ArgumentError

    wanted = name_or_none("tool", tool, example="tool='elan'")
    if wanted is not None and wanted not in READERS:
        raise ArgumentError(f"{wanted!r}, expected one of {', '.join(READERS)}", "e.g. elan", argument="tool")
    number = whole("round", round, least=1)
    if number > MAX_ROUNDS:
        raise ArgumentError(f"{number}, expected 1 to {MAX_ROUNDS}", "e.g. 1", argument="round")
    return imported(
        TimelinePlan(
            root=path_of("data", data, example="'my-clips'"),
            files=tuple(paths_of("files", files, example="'film.eaf'")),
            find=_finder(recipe, changes_of("settings", settings)),
            tool=wanted,
            label_tier=name_of("label_tier", label_tier, example="label_tier='emotion'"),
            key_frame_tier=name_of("key_frame_tier", key_frame_tier, example="key_frame_tier='apex'"),
            confidence_tier=name_of("confidence_tier", confidence_tier, example="confidence_tier='sure'"),
            annotators=names_to_names("annotators", annotators, example="annotators={'P1': 'anna'}"),
            media=path_or_none("media", media, example="media='recordings'"),
            cut=switch("cut", cut),
            round=number,
        )
    )


def _finder(recipe: str | None, changes: Sequence[str]) -> Callable[[str], str | None]:
    """Function from a label to its spelling in the classes of a recipe, ``None`` for labels that it lacks."""
    from fgbench.catalogue.classes import choose_classes
    from fgbench.config import load_prepare, with_changes
    from fgbench.taxonomy import UnknownLabelError

    name = "default" if recipe is None else name_of("recipe", recipe, example="recipe='default'")
    chosen = choose_classes(with_changes(load_prepare(name), changes).dataset, ())

    def find(label: str) -> str | None:
        try:
            found = chosen.label_set.find(label)
        except UnknownLabelError:
            return None
        return found if not chosen.labels or found in chosen.labels else None

    return find
