"""``fgbench rebuild``: a published data set made again from the user's clips, and proved the same."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fgbench.cli.console import note, print_json, progress_bars, say_all
from fgbench.cli.options import DEFAULT_JOBS, Jobs, Json
from fgbench.cli.workdirs import workdir_option


def rebuild(
    published: Annotated[Path, typer.Argument(help="Folder that fgbench publish has written.")],
    data_root: Annotated[
        Path, typer.Option("--data-root", help="Folder of the clips; no annotations are needed in it.")
    ],
    workdir: Annotated[
        Path | None,
        workdir_option("Work folder.", "./fgbench-data/<folder of PUBLISHED>-rebuilt/work", is_made=False),
    ] = None,
    detector_model: Annotated[
        Path | None,
        typer.Option("--detector-model", help="Model file of the detector, where the recipe names one."),
    ] = None,
    jobs: Jobs = DEFAULT_JOBS,
    full: Annotated[bool, typer.Option("--full", help="Name every clip that differs.")] = False,
    json: Json = False,
) -> None:
    """Make a published data set again from the clips, and prove by digests that it is the same.

    Files are found by their paths below the folder of the clips, else by their digests. Recipe, labels, votes
    and parts are the published ones. Clips that are missing are rejects; what differs is told, and by how
    much.

    The exit code is 0 only if the data set is the same.
    """
    from fgbench.api.publishing import rebuild as rebuilt
    from fgbench.api.publishing import rebuild_workdir, require_same

    work = workdir or rebuild_workdir(published)
    if not json:
        note(f"publication {published}, clips {data_root}, work folder {work}")
    with progress_bars(quiet=json) as progress:
        proof = rebuilt(
            published, data_root, workdir=work, detector_model=detector_model, jobs=jobs, progress=progress
        )
    print_json(proof.to_json()) if json else say_all(proof.lines(full=full))
    require_same(proof, work)
