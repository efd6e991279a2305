"""``fgbench export faces``: boxes, landmarks, poses and action units as tables of OpenFace or py-feat."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fgbench.cli.console import print_json, progress_bars, say_all
from fgbench.cli.options import Json
from fgbench.cli.workdirs import Workdir
from fgbench.workfolders import default_folders


def faces(
    format_: Annotated[
        str,
        typer.Option("--format", help="openface (2.2, FeatureExtraction) or fex (py-feat 2.1)."),
    ],
    out: Annotated[
        Path | None,
        typer.Argument(
            help="Folder to write: new, empty, or an earlier export in the same format.",
            show_default="faces-FORMAT beside the work folder",
        ),
    ] = None,
    workdir: Workdir = default_folders.DEMO_WORKDIR,
    units: Annotated[
        str | None,
        typer.Option(
            "--units",
            help="Run of action units whose probabilities are written.",
            show_default="labels of the data set, where it has any",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Write boxes, landmarks, poses and action units of all clips, a CSV file per clip, a row per frame.

    Landmarks are in px of the upright frame. Poses are converted: openface has radians in the axes of the
    camera, fex radians with yaw and roll to the subject's right. What fgbench does not know (gaze,
    intensities, expressions of frames) has no column, or an empty one where py-feat needs it.
    """
    from fgbench.api.exporting import export_faces

    with progress_bars(quiet=json) as progress:
        tables = export_faces(workdir, format_, out, units=units, progress=progress)
    print_json({"format": format_, **tables.to_json()}) if json else say_all(tables.lines())
