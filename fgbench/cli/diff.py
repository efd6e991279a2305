"""``fgbench diff``: differences between two data sets, and the runs that become invalid by them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fgbench.cli.console import note, print_json, say_all
from fgbench.cli.options import Json


def diff(
    first: Annotated[
        Path, typer.Argument(metavar="A", help="Work folder, or folder that fgbench publish has written.")
    ],
    second: Annotated[Path, typer.Argument(metavar="B", help="Another.")],
    full: Annotated[bool, typer.Option("--full", help="Print all that differs.")] = False,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="CSV file to write all that differs to.", show_default="none"),
    ] = None,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Exit with 1 if something differs, as git diff does.")
    ] = False,
    json: Json = False,
) -> None:
    """Compare two prepared data sets: settings, clips, labels, parts, key frames, faces, and runs.

    Landmarks count as moved beyond half a pixel. Runs that were made of the data of one folder are told if
    they do not hold for those of the other. Other versions of packages alone are told and are no difference.
    """
    from fgbench.api.publishing import diff as compared

    differences = compared(first, second, out=out)
    if out is not None:
        note(f"wrote {out}")
    if json:
        print_json(differences.to_json())
    else:
        say_all(differences.lines(full=full))
    if exit_code and not differences.is_same:
        raise typer.Exit(1)
