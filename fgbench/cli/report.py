"""``fgbench report``: tables and figures of the paper for a work folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fgbench.cli import completion
from fgbench.cli.console import note_all, say, say_all, wrong_use
from fgbench.cli.embedded import prepare_embedded
from fgbench.cli.next_steps import say_next
from fgbench.cli.workdirs import workdir_option
from fgbench.workfolders import default_folders

_FOR_PAPER = "paper"


def report(
    table: Annotated[
        str | None,
        typer.Option("--table", help="Number or name of a table, e.g. I.", autocompletion=completion.table),
    ] = None,
    figure: Annotated[
        str | None,
        typer.Option(
            "--figure",
            help="Number or name of a figure, e.g. 3 or attention.",
            autocompletion=completion.figure,
        ),
    ] = None,
    run: Annotated[
        str | None,
        typer.Option(
            "--run",
            help="A run: its scores, calibration, coverage, confusions.",
            show_default="none",
            autocompletion=completion.run,
        ),
    ] = None,
    votes: Annotated[
        bool,
        typer.Option("--votes", help="Agreement of annotators: by round, class, annotator and pair."),
    ] = False,
    pair: Annotated[
        tuple[str, str] | None,
        typer.Option(
            "--pair",
            metavar="NAME NAME",
            help="With --votes: two annotators, and the classes that they confuse.",
            show_default="all annotators",
        ),
    ] = None,
    html: Annotated[bool, typer.Option("--html", help="One page of it all, for a browser.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="Every table and figure there is.")] = False,
    workdirs: Annotated[
        list[Path] | None,
        workdir_option("Work folder; may be repeated for tables III and IV, which show a data set each."),
    ] = None,
    formats: Annotated[
        list[str] | None,
        typer.Option(
            "--format",
            help="md, tex, csv, html; figures also png, pdf, svg; may be repeated.",
            show_default="md, figures also png; for a paper tex, figures also pdf; with --all: "
            "tables all that are text, figures all",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="Folder of the files; with --html the file.",
            show_default="reports/ in the (first) work folder",
        ),
    ] = None,
    for_: Annotated[
        str | None,
        typer.Option(
            "--for",
            metavar="paper",
            help="paper: figures 3.5 or 7.16 inches wide with letters of 8 points and no title; no commands.",
            show_default="a screen",
        ),
    ] = None,
    without_paper: Annotated[
        bool, typer.Option("--without-paper", help="Our numbers alone, none of the paper's.")
    ] = False,
    full: Annotated[
        bool,
        typer.Option("--full", help="Print the tables, also where none is named; with --votes all rows."),
    ] = False,
) -> None:
    """Write tables and figures, and print those that are named. Bare: everything that there are runs for.

    With --all in all formats that suit, with an index that tells what is blank and how to fill it.
    """
    from fgbench.api.next_commands import after_report
    from fgbench.api.reports import check_formats
    from fgbench.api.reports import report as written
    from fgbench.api.table_files import table_text
    from fgbench.api.work_folders import refuse_absent

    check_formats(formats)
    if for_ not in (None, _FOR_PAPER):
        raise typer.BadParameter(f"{for_!r}, expected {_FOR_PAPER}", param_hint="--for")
    refuse_absent(workdirs or ())
    folders = workdirs or [default_folders.DEMO_WORKDIR]
    if pair is not None and not votes:
        raise typer.BadParameter("is of --votes, which is not given", param_hint="--pair")
    if votes:
        if len(folders) > 1 or everything or html or not (table is figure is run is None):
            raise typer.BadParameter("stands alone, for one work folder", param_hint="--votes")
        _show_votes(folders[0], out, formats, for_paper=for_ is not None, full=full, pair=pair)
        return
    if run is not None:
        _show_sheet(run, folders[0], out, formats, for_paper=for_ is not None, with_paper=not without_paper)
        return
    if html:
        if len(folders) > 1:
            raise typer.BadParameter("the page is of one work folder", param_hint="--workdir")
        _show_page(folders[0], out)
        return
    for folder in folders:
        prepare_embedded(folder)
    with wrong_use():
        made = written(
            folders,
            table=table,
            figure=figure,
            everything=everything,
            formats=formats,
            out=out,
            for_paper=for_ is not None,
            with_paper=not without_paper,
        )
    is_whole = everything or (table is None and figure is None)
    if full or not is_whole:
        for item in made.items:
            if item.table is not None:
                say(table_text(item.table))
                note_all(f"wrote {path}" for path in item.paths)
    else:
        say_all(made.lines())
    note_all(f"wrote {path}" for path in made.index)
    if is_whole:
        say_next(["report"], lambda: after_report(folders[0], has_classes=made.has_classes))
    made.require()


def _show_sheet(
    run: str, workdir: Path, out: Path | None, formats: list[str] | None, *, for_paper: bool, with_paper: bool
) -> None:
    """Write the tables and figures of one run, and print the tables that fit a terminal."""
    from fgbench.api.sheets import sheet
    from fgbench.api.table_files import table_text

    made = sheet(run, workdir, out=out, formats=formats, for_paper=for_paper, with_paper=with_paper)
    say_all(table_text(table) for table in made.tables)
    note_all(f"wrote {default_folders.for_messages(path)}" for path in made.paths)


def _show_votes(
    workdir: Path,
    out: Path | None,
    formats: list[str] | None,
    *,
    for_paper: bool,
    full: bool,
    pair: tuple[str, str] | None,
) -> None:
    """Write the tables and the figure on votes, and print the tables, long ones cut unless in full."""
    from fgbench.api.agreements import report_votes
    from fgbench.api.table_files import table_text

    with wrong_use():
        made = report_votes(workdir, out=out, formats=formats, for_paper=for_paper, pair=pair)
    say_all(table_text(table) for table in (made.tables if full else made.short))
    note_all(f"wrote {default_folders.for_messages(path)}" for path in made.paths)


def _show_page(workdir: Path, out: Path | None) -> None:
    """Write the page and print its path."""
    from fgbench.api.pages import page

    prepare_embedded(workdir)
    say_all(page(workdir, out).lines())
