"""``fgbench.export_frames``, ``export_frame_tasks`` and ``import_selection``: experts select frames near the
key frames."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from fgbench.api.arguments import name_of, path_of, path_or_none, paths_of, switch
from fgbench.api.progress import Shown, bars, shown_as

if TYPE_CHECKING:
    from fgbench.annotation.selection.frame_sheets import FrameSheets
    from fgbench.annotation.selection.frame_tasks import FrameTasks
    from fgbench.annotation.selection.selection_table import ImportedSelection


def export_frames(
    workdir: str | os.PathLike[str],
    out: str | os.PathLike[str] | None = None,
    *,
    progress: Shown = None,
) -> FrameSheets:
    """Write the frames near the key frames as pictures, and pages on which experts select them, as ``fgbench
    annotate frames`` does (paper section III).

    Args:
        workdir: Prepared work folder; its recipe says how many frames are near a key frame.
        out: Folder to write: new, empty, or written by an earlier export; ``None``: ``frames`` beside the
            work folder.
        progress: Whether bars are shown; ``None``: in terminals and notebooks.

    Returns:
        The pages, and how many clips and frames they hold.

    Raises:
        ConfigError: If no clip has a class or a usable face near its key frame, or the folder holds something
            else, which is left alone.
        ManifestError: If manifests are missing or damaged.
        ResourceError: If the folder cannot be written.
    """
    from fgbench.annotation.selection.frame_sheets import export_frames as write_sheets

    folder = path_of("workdir", workdir, example="fgbench-data/my-clips/work")
    target = path_or_none("out", out, example="out='frames'")
    with bars(shown_as(progress)) as update:
        return write_sheets(folder, folder.parent / "frames" if target is None else target, progress=update)


def export_frame_tasks(
    workdir: str | os.PathLike[str],
    expert: str,
    out: str | os.PathLike[str] | None = None,
    *,
    data: str | os.PathLike[str] | None = None,
    inspect: bool = False,
    progress: Shown = None,
) -> FrameTasks:
    """Write the frames near the key frames as tasks for Label Studio, one for each clip (paper section III).

    :func:`fgbench.push_tasks` sends the folder to a server, :func:`fgbench.pull_selection` fetches what was
    selected.

    Args:
        workdir: Prepared work folder; its recipe says how many frames are near a key frame.
        expert: Name of the expert whose tasks they are.
        out: Folder to write; ``None``: ``annotation/frames-select`` or ``annotation/frames-inspect`` of the
            data set.
        data: Folder of the data set; ``None``: that of the work folder.
        inspect: Whether the frames are those that another expert selected, as ``selection.csv`` lists them.
        progress: Whether bars are shown; ``None``: in terminals and notebooks.

    Returns:
        The folder, and how many clips and frames it has.

    Raises:
        ArgumentError: If the expert inspects an own selection, or is no name.
        ConfigError: If there are no frames, no selection to inspect, or the folder holds something else,
            which is left alone.
        ManifestError: If manifests are missing or damaged.
        ResourceError: If the folder cannot be written.
    """
    from fgbench.annotation.people import annotators_of
    from fgbench.annotation.selection.frame_answers import frame_folder
    from fgbench.annotation.selection.frame_tasks import export_frame_tasks as write_tasks
    from fgbench.errors import ArgumentError
    from fgbench.workfolders.folder import read_origin

    folder = path_of("workdir", workdir, example="fgbench-data/my-clips/work")
    people = annotators_of([name_of("expert", expert, example="expert='ada'")])
    if len(people) != 1:
        raise ArgumentError(f"names {len(people)} people, expected one", "e.g. ada", argument="expert")
    target = path_or_none("out", out, example="out='frames'")
    root = path_or_none("data", data, example="data='my-clips'")
    is_inspection = switch("inspect", inspect)
    root = read_origin(folder)[1] if root is None else root
    with bars(shown_as(progress)) as update:
        return write_tasks(
            folder,
            root,
            frame_folder(root, 2 if is_inspection else 1) if target is None else target,
            expert=people[0],
            is_inspection=is_inspection,
            progress=update,
        )


def import_selection(
    tables: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    workdir: str | os.PathLike[str],
    data: str | os.PathLike[str] | None = None,
    *,
    replace: bool = False,
) -> ImportedSelection:
    """Check tables that experts wrote on the pages of :func:`fgbench.export_frames`, and put them beside the
    videos as ``selection.csv``; :func:`fgbench.prepare` then takes these frames.

    Rows that cannot be used are left out, each with a reason: unknown clips, frames that were not offered,
    duplicates, experts who inspect their own selection, names that begin like formulas.

    Args:
        tables: A table, or those of several pages (clip, frame, selected_by, inspected_by). Of inspected
            tables the frames count that were confirmed. Or one export of Label Studio (``.json``) of the
            tasks that :func:`fgbench.export_frame_tasks` wrote into the data set.
        workdir: Work folder that the pages were made from.
        data: Folder of the data set; ``None``: that of the work folder.
        replace: Whether a selection is replaced that has frames which the tables lack.

    Returns:
        The selection: its file, how many frames of how many clips, and the rows that were left out.

    Raises:
        ArgumentError: If no table is named.
        ConfigError: If the data set is of another layout, or a selection would lose frames.
        DatasetError: If a table cannot be read, some are inspected and some are not, or no row is left.
        ManifestError: If manifests are missing or damaged.
        ResourceError: If the selection cannot be written.
    """
    from fgbench.annotation.selection.selection_table import import_selection as written
    from fgbench.errors import ArgumentError
    from fgbench.workfolders.folder import read_origin

    several = [tables] if isinstance(tables, str | os.PathLike) else tables
    read = paths_of("tables", several, example="['selection.csv']")
    if not read:
        raise ArgumentError("no table, expected one that a page wrote", argument="tables")
    folder = path_of("workdir", workdir, example="fgbench-data/my-clips/work")
    root = path_or_none("data", data, example="data='my-clips'")
    root, is_replaced = read_origin(folder)[1] if root is None else root, switch("replace", replace)
    exports = [path for path in read if path.suffix.lower() == ".json"]
    if not exports:
        return written(read, root, folder, replace=is_replaced)
    if len(read) > 1:
        raise ArgumentError(
            "an export of Label Studio and other files, expected it alone",
            "import them in several calls",
            argument="tables",
        )
    from fgbench.annotation.selection.frame_answers import find_project, import_answers

    tasks, project = find_project(exports[0], root)
    return import_answers(exports[0], tasks, project, root, accounts={}, replace=is_replaced)
