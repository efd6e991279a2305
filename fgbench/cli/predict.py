"""``fgbench predict``: the classes of users' own pictures and videos."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fgbench.cli.console import print_json, progress_bars, say, say_all
from fgbench.cli.evaluate import TrainedRun
from fgbench.cli.options import Device, Json, NamedIn
from fgbench.workfolders import default_folders

OUT = default_folders.BASE / "predictions"
"""Default folder of pictures and tables."""


def predict(
    run: TrainedRun,
    paths: Annotated[list[Path], typer.Argument(help="Pictures (JPEG, PNG, ...) and videos.")],
    workdir: NamedIn = default_folders.DEMO_WORKDIR,
    out: Annotated[Path, typer.Option("--out", help="Folder for pictures and tables.")] = OUT,
    device: Device = None,
    top: Annotated[int, typer.Option("--top", min=1, max=33, help="Classes to print of each file.")] = 5,
    all_faces: Annotated[
        bool, typer.Option("--all-faces", help="Tell of every face in a picture, a row each.")
    ] = False,
    json: Json = False,
) -> None:
    """Tell the expression of the face in each picture or video.

    Faces are always searched, else found as the recipe of the run's work folder says. Writes, per file with a
    face, a picture of the face and the regions looked at, per video a table of its frames, and
    predictions.parquet of all files. A network of clips tells of a video by its streams, and of a picture by
    its image model. A detector of action units writes action_units.csv too, a row per file and frame.
    """
    from fgbench.api.networks import load

    with progress_bars(quiet=json) as progress:
        predicted = load(run, workdir, device=device).predict_files(
            paths, out, top=top, all_faces=all_faces, progress=progress, told=None if json else say_all
        )
    print_json(predicted.to_json()) if json else say(f"table: {predicted.table}")
    predicted.require_face()
