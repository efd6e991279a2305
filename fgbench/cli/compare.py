"""``fgbench compare``, ``fgbench leaderboard`` and ``fgbench report --run``: runs compared, or one shown."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fgbench.cli import completion
from fgbench.cli.console import note, print_json, say
from fgbench.cli.options import Json
from fgbench.cli.workdirs import Workdir
from fgbench.workfolders import default_folders

if TYPE_CHECKING:
    from fgbench.reports.rendering.files import Look
    from fgbench.reports.rendering.table import Table

Format = Annotated[str, typer.Option("--format", help="What is printed: md, csv, tex or html.")]
Out = Annotated[
    Path | None, typer.Option("--out", help="Folder to write files to as well.", show_default="none")
]

_OF_ALL_CLASSES = 2
"""Tables of a comparison that are of all classes together: the runs, and their differences."""


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
    from fgbench.reports.comparison.compared import compare as compared
    from fgbench.reports.comparison.contenders import find_contender
    from fgbench.reports.comparison.tables import comparison_json, comparison_tables

    if not runs:
        leaderboard(workdir, format_, out, json)
        return
    _check(format_)
    comparison = compared([find_contender(run, workdir) for run in runs])
    tables = comparison_tables(comparison)
    _files(tables, format_, out)
    if json:
        print_json(comparison_json(comparison))
        return
    _print(tables if full else tables[:_OF_ALL_CLASSES], format_)
    if not full and format_ == "md":
        say("every class: the same command with --full")


def leaderboard(
    workdir: Workdir = default_folders.DEMO_WORKDIR,
    format_: Format = "md",
    out: Out = None,
    json: Json = False,
) -> None:
    """All runs of a work folder by their mean accuracy, with intervals."""
    from fgbench.reports.comparison.leaderboard import leaderboard as ranked

    _check(format_)
    tables = ranked(workdir)
    _files(tables, format_, out)
    if json:
        print_json([_plain(table) for table in tables])
    else:
        _print(tables, format_)


def show_sheet(run: str, workdir: Path, out: Path | None, formats: list[str] | None, look: Look) -> None:
    """Write the tables and figures of one run, and print the tables that fit a terminal."""
    from fgbench.reports.comparison.contenders import find_contender
    from fgbench.reports.rendering.render import markdown
    from fgbench.reports.run.files import printed_tables, write_sheet
    from fgbench.workfolders.folder import check_results

    one = find_contender(run, workdir)
    if out is None:
        check_results(one.workdir)
    for table in printed_tables(one):
        say(markdown(table))
    for path in write_sheet(one, out or one.workdir / "reports", formats, look=look, own=out is None):
        note(f"wrote {default_folders.for_messages(path)}")


def _check(name: str) -> None:
    from fgbench.errors import ConfigError
    from fgbench.reports.rendering.files import TEXT_FORMATS

    if name not in TEXT_FORMATS:
        raise ConfigError(f"unknown format {name!r}", f"known formats: {', '.join(TEXT_FORMATS)}")


def _print(tables: Sequence[Table], name: str) -> None:
    from fgbench.reports.rendering.files import TEXT_FORMATS

    for table in tables:
        say(TEXT_FORMATS[name](table))


def _files(tables: Sequence[Table], name: str, out: Path | None) -> None:
    from fgbench.reports.rendering.files import file_names, write_item
    from fgbench.workfolders.output_folders import writing_in

    if out is None:
        return
    with writing_in(out, [file for table in tables for file in file_names(table, [name])]):
        for table in tables:
            for path in write_item(table, out, [name]):
                note(f"wrote {default_folders.for_messages(path)}")


def _plain(table: Table) -> dict[str, object]:
    """A table as plain values; several seeds as their mean and standard deviation."""
    from fgbench.reports.rendering.table import Spread

    rows = [
        [[cell.mean, cell.sd] if isinstance(cell, Spread) else cell for cell in row] for row in table.rows
    ]
    return {"title": table.title, "columns": list(table.columns), "rows": rows, "notes": list(table.notes)}
