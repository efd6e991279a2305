"""``fgbench annotate frames``: experts select frames near the key frames on pages, and what they selected."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fgbench.cli.command_lists import CommandList
from fgbench.cli.console import print_json, progress_bars, say_all
from fgbench.cli.options import Json
from fgbench.cli.workdirs import workdir_option
from fgbench.workfolders import default_folders

app = typer.Typer(
    name="annotate",
    cls=CommandList,
    help="Have people annotate clips and select frames.",
    no_args_is_help=True,
)


@app.command("frames")
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
    json: Json = False,
) -> None:
    """Write pages on which experts select the frames near the key frames, or import what they selected.

    One expert selects, another inspects the selection, as in the paper. The pages need no server: open
    index.html in a browser. Run fgbench prepare after an import: it takes the selected frames.
    """
    from fgbench.api.selecting import export_frames, import_selection

    if imported and out is not None:
        raise typer.BadParameter("--import writes no pages: leave one out", param_hint="--out")
    if replace and not imported:
        raise typer.BadParameter("it is of --import, which is not given", param_hint="--replace")
    if workdir is None:
        workdir = (
            default_folders.DEMO_WORKDIR if data_root is None else default_folders.workdir_for(data_root)
        )
    if imported:
        selection = import_selection(imported, workdir, data_root, replace=replace)
        print_json(selection.to_json()) if json else say_all(selection.lines())
        return
    with progress_bars(quiet=json) as progress:
        sheets = export_frames(workdir, out, progress=progress)
    print_json(sheets.to_json()) if json else say_all(sheets.lines())
