"""``fgbench score``: what another program predicted, under the protocol of a work folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fgbench.cli.console import print_json, say_all
from fgbench.cli.options import Full, Json
from fgbench.cli.workdirs import Workdir
from fgbench.workfolders import default_folders


def score(
    file: Annotated[
        Path,
        typer.Argument(
            help="Predictions: a CSV or Parquet table, JSON of DeepFace; or a folder, a file per clip."
        ),
    ],
    workdir: Workdir = default_folders.DEMO_WORKDIR,
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
    from fgbench.api.scored_files import score_file

    scored = score_file(
        file,
        workdir,
        format_=format_,
        name=name,
        mapping=map_ or (),
        samples=samples,
        seed=seed,
        force=force,
    )
    print_json(scored.to_json()) if json else say_all(scored.lines(full=full))
