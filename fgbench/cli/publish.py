"""``fgbench publish``: a data set without its faces, for others who have the clips."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fgbench.cli.console import print_json, progress_bars, say_all
from fgbench.cli.data_folders import work_folders_here
from fgbench.cli.options import DEFAULT_JOBS, Jobs, Json


def publish(
    workdir: Annotated[Path, typer.Argument(help="Work folder.", callback=work_folders_here)],
    out: Annotated[
        Path,
        typer.Argument(help="Folder to write: new, empty, or an earlier publication of the same data set."),
    ],
    without_pixels: Annotated[
        bool,
        typer.Option(
            "--without-pixels",
            help="No face and no picture, but their digests. Has to be given: there is no other way yet.",
        ),
    ] = False,
    jobs: Jobs = DEFAULT_JOBS,
    json: Json = False,
) -> None:
    """Write all of a data set but its faces: what others need who have the clips themselves.

    Ids, labels, votes, parts, boxes, landmarks, transforms, poses and statuses, SHA-256 and size of each file
    of the data set, digests of every table and of every face's pixels, the recipe, versions, rejects and a
    data card that datasets.load_dataset reads. No picture, no absolute path. fgbench rebuild makes the data
    set again from it and the clips.
    """
    from fgbench.api.publishing import publish as published

    with progress_bars(quiet=json) as progress:
        publication = published(workdir, out, without_pixels=without_pixels, jobs=jobs, progress=progress)
    print_json(publication.to_json()) if json else say_all(publication.lines())
