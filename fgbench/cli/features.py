"""``fgbench features``: features of a single file, without a data set."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fgbench.cli.console import print_json, progress_bars, say
from fgbench.cli.options import Force, Json

app = typer.Typer(
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
    from fgbench.config import DenseTrajectoriesConfig
    from fgbench.errors import ConfigError
    from fgbench.features.trajectory_file import write_trajectory_file

    target = out or Path(f"{video.stem}.dense_trajectories.parquet")
    if target.is_dir():
        raise typer.BadParameter(f"{target} is a folder, expected the name of a file", param_hint="--out")
    if target.exists() and video.exists() and target.samefile(video):
        raise ConfigError(
            f"{target} is the video itself, expected another file for the table", "choose another --out"
        )
    if target.exists() and not force:
        raise typer.BadParameter(f"{target} is there already: --force replaces it", param_hint="--out")
    side_px = DenseTrajectoriesConfig().max_side_px if max_side_px is None else max_side_px
    with progress_bars(quiet=json) as progress:
        written = write_trajectory_file(
            video, target, max_side_px=side_px, progress=lambda done, total: progress("frames", done, total)
        )
    size_bytes = target.stat().st_size
    if json:
        print_json(
            {
                "path": str(target),
                "clip_id": written.clip_id,
                "trajectories": written.trajectories,
                "frames": written.frames,
                "width": written.width,
                "height": written.height,
                "bytes": size_bytes,
            }
        )
        return
    say(
        f"{written.trajectories:,} trajectories in {written.frames:,} frames of "
        f"{written.width}x{written.height} px: {target} ({size_bytes / 1e6:.1f} MB)"
    )
