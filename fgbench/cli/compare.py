"""``fgbench compare`` and ``fgbench leaderboard``: runs compared."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fgbench.cli import completion
from fgbench.cli.console import note, print_json, say, say_all
from fgbench.cli.options import Json
from fgbench.cli.workdirs import Workdir
from fgbench.workfolders import default_folders

if TYPE_CHECKING:
    from fgbench.api.tables import Table

Format = Annotated[str, typer.Option("--format", help="What is printed: md, csv, tex or html.")]
Out = Annotated[
    Path | None, typer.Option("--out", help="Folder to write files to as well.", show_default="none")
]


def compare(
    runs: Annotated[
        list[str] | None,
        typer.Argument(
            help="Experiments, experiment/fold/seed, or folders.",
            show_default="leaderboard",
            autocompletion=completion.run,
        ),
    ] = None,
    workdir: Workdir = default_folders.DEMO_WORKDIR,
    format_: Format = "md",
    out: Out = None,
    full: Annotated[bool, typer.Option("--full", help="Print the tables of the classes, too.")] = False,
    json: Json = False,
) -> None:
    """Compare runs with the first: differences with intervals, paired tests. Bare: the leaderboard."""
    from fgbench.api.comparisons import compare_runs
    from fgbench.api.reports import check_formats

    if not runs:
        leaderboard(workdir, format_, out, json)
        return
    check_formats([format_], text_alone=True)
    compared = compare_runs(runs, workdir)
    _files(compared.tables, format_, out)
    if json:
        print_json(compared.numbers)
        return
    _print(compared.tables if full else compared.of_all_classes, format_)
    if not full and format_ == "md":
        say("every class: the same command with --full")


def leaderboard(
    workdir: Workdir = default_folders.DEMO_WORKDIR,
    format_: Format = "md",
    out: Out = None,
    json: Json = False,
) -> None:
    """All runs of a work folder by their mean accuracy, with intervals."""
    from fgbench.api import tables
    from fgbench.api.reports import check_formats
    from fgbench.api.table_files import table_json

    check_formats([format_], text_alone=True)
    ranked = tables.leaderboard(workdir)
    _files(ranked, format_, out)
    if json:
        print_json([table_json(table) for table in ranked])
    else:
        _print(ranked, format_)


def _print(tables: Sequence[Table], name: str) -> None:
    from fgbench.api.table_files import table_text

    say_all(table_text(table, name) for table in tables)


def _files(tables: Sequence[Table], name: str, out: Path | None) -> None:
    from fgbench.api.table_files import write_tables

    if out is not None:
        for path in write_tables(tables, name, out):
            note(f"wrote {default_folders.for_messages(path)}")
