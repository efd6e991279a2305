"""``fgbench features``: features of a single file, without a data set."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fgbench.cli.command_lists import CommandList
from fgbench.cli.console import print_json, progress_bars, say_all, wrong_use
from fgbench.cli.options import Force, Json

app = typer.Typer(
    cls=CommandList,
    help="Compute features of a single file, without a data set.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.callback()
def _group() -> None:
    """Compute features of a single file, without a data set."""


@app.command("dense-trajectories")
def dense_trajectories(
    video: Annotated[Path, typer.Argument(help="Video file; its name without suffix is the clip's id.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Parquet file.", show_default="./<name>.dense_trajectories.parquet"),
    ] = None,
    max_side_px: Annotated[
        int | None,
        typer.Option(
            "--max-side",
            min=0,
            help="Longer side in px that frames are reduced to; 0 leaves them as they are.",
            show_default="320, as in the recipes",
        ),
    ] = None,
    force: Force = False,
    json: Json = False,
) -> None:
    """Dense trajectories and their descriptors (TRAJ, HOG, HOF, MBHx, MBHy) of a video, as Parquet.

    The table has the columns of the manifests' features: one row per trajectory, float16 descriptors.
    """
    from fgbench.api.features import write_trajectories

    with wrong_use(), progress_bars(quiet=json) as progress:
        written = write_trajectories(video, out, max_side_px=max_side_px, force=force, progress=progress)
    print_json(written.to_json()) if json else say_all(written.lines())
