"""``fgbench annotate frames``: experts select frames near the key frames on pages, and what they selected."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fgbench.cli.console import print_json, progress_bars, say_all, wrong_use
from fgbench.cli.next_steps import say_next
from fgbench.cli.options import Json
from fgbench.cli.workdirs import workdir_option
from fgbench.workfolders import default_folders


def frames(
    workdir: Annotated[
        Path | None, workdir_option("Work folder.", "that of --data-root, else ./fgbench-data/demo/work")
    ] = None,
    data_root: Annotated[
        Path | None,
        typer.Option("--data-root", help="Folder of the data set.", show_default="that of the work folder"),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="Folder to write: new, empty, or an earlier export.",
            show_default="frames beside the work folder",
        ),
    ] = None,
    imported: Annotated[
        list[Path] | None,
        typer.Option(
            "--import",
            metavar="TABLE",
            help="Table that a page wrote, to check and put beside the videos; once for each.",
            show_default="none: write the pages",
        ),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace a selection that has frames which the tables lack.")
    ] = False,
    tool: Annotated[
        str | None,
        typer.Option(
            "--tool",
            help="label-studio: tasks for a server in place of pages.",
            show_default="pages",
        ),
    ] = None,
    expert: Annotated[
        str | None,
        typer.Option("--expert", help="With --tool: name of who selects or inspects.", show_default="none"),
    ] = None,
    inspect: Annotated[
        bool, typer.Option("--inspect", help="With --tool: the frames that another expert selected.")
    ] = False,
    json: Json = False,
) -> None:
    """Write pages on which experts select the frames near the key frames, or import what they selected.

    One expert selects, another inspects the selection, as in the paper. The pages need no server: open
    index.html in a browser. With --tool label-studio they are tasks instead, which fgbench annotate push and
    pull take to a server and back. Run fgbench prepare after an import: it takes the selected frames.
    """
    from fgbench.api.next_commands import after_frames
    from fgbench.api.selecting import export_frames

    if imported and tool is not None:
        raise typer.BadParameter("--import writes no tasks: leave one out", param_hint="--tool")
    if imported and out is not None:
        raise typer.BadParameter("--import writes no pages: leave one out", param_hint="--out")
    if replace and not imported:
        raise typer.BadParameter("it is of --import, which is not given", param_hint="--replace")
    if imported:
        take_selection(imported, workdir, data_root, replace=replace, json=json)
        return
    if workdir is None:
        workdir = _workdir_of(data_root)
    if tool is not None:
        _write_tasks(workdir, data_root, out, tool, expert, inspect=inspect, json=json)
        return
    if expert is not None or inspect:
        raise typer.BadParameter("it is of --tool label-studio, which is not given", param_hint="--expert")
    with progress_bars(quiet=json) as progress:
        sheets = export_frames(workdir, out, progress=progress)
    if json:
        print_json(sheets.to_json())
        return
    say_all(sheets.lines())
    say_next(["annotate"], lambda: after_frames(workdir))


def _write_tasks(
    workdir: Path,
    data_root: Path | None,
    out: Path | None,
    tool: str,
    expert: str | None,
    *,
    inspect: bool,
    json: bool,
) -> None:
    """Write tasks for one expert."""
    from fgbench.api.next_commands import after_frame_tasks
    from fgbench.api.selecting import export_frame_tasks

    if tool != "label-studio":
        raise typer.BadParameter(f"{tool!r}, expected label-studio", param_hint="--tool")
    if expert is None:
        raise typer.BadParameter(
            "not given, expected the name of who selects or inspects, e.g. ada", param_hint="--expert"
        )
    with progress_bars(quiet=json) as progress, wrong_use(expert="--expert"):
        tasks = export_frame_tasks(workdir, expert, out, data=data_root, inspect=inspect, progress=progress)
    if json:
        print_json(tasks.to_json())
        return
    say_all(tasks.lines())
    say_next(["annotate"], lambda: after_frame_tasks(data_root, tasks.folder))


def take_selection(
    tables: list[Path], workdir: Path | None, data_root: Path | None, *, replace: bool = False, json: bool
) -> None:
    """Import tables of selected frames, and print what became of them."""
    from fgbench.api.next_commands import after_clips
    from fgbench.api.selecting import import_selection

    workdir = _workdir_of(data_root) if workdir is None else workdir
    selection = import_selection(tables, workdir, data_root, replace=replace)
    if json:
        print_json(selection.to_json())
        return
    say_all(selection.lines())
    say_next(["annotate"], lambda: after_clips(selection.path.parent))


def _workdir_of(data_root: Path | None) -> Path:
    """Default work folder of a data set; of none, that of the embedded one."""
    if data_root in (None, default_folders.DEMO_ROOT):
        return default_folders.DEMO_WORKDIR
    assert data_root is not None
    return default_folders.workdir_for(data_root)
