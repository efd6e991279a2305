"""Data sets: ``fgbench datasets`` lists them, ``fgbench check DATASET --root DIR`` surveys one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from fgbench.cli.console import print_json, say, say_all
from fgbench.cli.options import Json


def datasets(
    root: Annotated[
        Path | None,
        typer.Option(
            "--root",
            help="Folder with one folder for each data set, named as its recipe.",
            show_default="the folder that FGBENCH_DATA names",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """List the data sets that fgbench reads: recipes, layouts, licence, where to ask, what is here."""
    from fgbench.api.data_sets import data_sets

    listed = data_sets(root)
    if json:
        print_json([one.to_json() for one in listed])
        return
    for one in listed:
        say_all(one.lines())
    say("found: below --root, or below the folder that the environment variable FGBENCH_DATA names")
    say("next: fgbench check RECIPE --root DIR, then fgbench prepare RECIPE --data-root DIR")


def check_data(recipe: str, root: Path, changes: Sequence[str] = (), *, json: bool) -> None:
    """Print the survey of a data set, beside the published numbers."""
    from fgbench.api.data_sets import preparation_command, survey, survey_json

    data = survey(recipe, root, settings=changes)
    if json:
        print_json(survey_json(data))
        return
    say_all(data.lines())
    say(f"next: {preparation_command(recipe, root, changes)}")
