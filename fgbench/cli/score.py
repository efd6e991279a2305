"""``fgbench score``: what another program predicted, under the protocol of a work folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fgbench.api.finished import FULL, run_lines
from fgbench.cli.console import note, print_json, say, say_all
from fgbench.cli.options import Full, Json
from fgbench.cli.workdirs import Workdir
from fgbench.workfolders import default_places as places


def score(
    file: Annotated[
        Path,
        typer.Argument(
            help="Predictions: a CSV or Parquet table, JSON of DeepFace; or a folder, a file per clip."
        ),
    ],
    workdir: Workdir = places.DEMO_WORKDIR,
    format_: Annotated[
        str,
        typer.Option(
            "--format",
            help="auto (by its columns), csv (or Parquet), openface, pyfeat, libreface, emotieff, deepface.",
        ),
    ] = "auto",
    name: Annotated[
        str | None, typer.Option("--name", help="Name of the run.", show_default="the file's")
    ] = None,
    map_: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            help="Class of the program = class of the data set, e.g. happy=happiness; NAME= leaves it out.",
            show_default="by the label sets",
        ),
    ] = None,
    samples: Annotated[
        str,
        typer.Option(
            "--samples", help="images, clips, or auto: images of data of pictures alone, else clips."
        ),
    ] = "auto",
    seed: Annotated[
        int, typer.Option("--seed", min=0, help="Seed of the run: several files may be seeds of one program.")
    ] = 0,
    force: Annotated[
        bool, typer.Option("--force", help="Replace the scores of another file that have the name.")
    ] = False,
    full: Full = False,
    json: Json = False,
) -> None:
    """Score what another tool or script predicted for the test part: classes, probabilities, action units.

    It becomes a run, runs/NAME, marked as from outside, which report, compare and leaderboard show with the
    others; it has no weights. Samples without a prediction count as wrong.
    """
    from fgbench.inference.outside.class_names import parse_told
    from fgbench.inference.outside.score import score_file
    from fgbench.runs.results import read_result

    found = score_file(
        file,
        workdir,
        format_=format_,
        name=name,
        told=parse_told(map_ or []),
        samples=samples,
        seed=seed,
        force=force,
        note=note,
    )
    if json:
        print_json(
            {
                "classes": None
                if found.classes is None
                else _with_run(read_result(found.classes), found.classes),
                "units": None if found.units is None else _with_run(_unit_result(found.units), found.units),
            }
        )
        return
    if found.classes is not None:
        say_all(run_lines(found.classes, full=full))
    if found.units is not None:
        _show_units(found.units, full=full)


def _with_run(result: dict[str, object], folder: Path) -> dict[str, object]:
    return {"run": str(folder), **result}


def _unit_result(folder: Path) -> dict[str, object]:
    from fgbench.runs.unit_results import read_au_result

    return read_au_result(folder)


def _show_units(folder: Path, *, full: bool) -> None:
    from fgbench.inference.outside.score import told_notes
    from fgbench.reports.rendering.render import markdown
    from fgbench.reports.run.summary import unit_lines
    from fgbench.reports.run.unit_scores import au_table
    from fgbench.runs.outside import outside_notes
    from fgbench.runs.unit_results import read_au_result

    table, details = au_table([folder]), read_au_result(folder)["details"]
    if full:
        say(markdown(table))
    else:
        for line in [*unit_lines(table), *outside_notes([(folder.parts[-3], details)])]:
            say(line)
        say(f"every unit: {FULL}")
    for line in told_notes(details):
        say(line)
    say(f"run: {folder}")
