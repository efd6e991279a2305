"""``fgbench status`` and ``fgbench check``: progress of a work folder; soundness of it, or of a data set."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fgbench.cli.console import print_json, progress_bars, say_all
from fgbench.cli.datasets import check_data
from fgbench.cli.next_steps import say_next
from fgbench.cli.options import DEFAULT_JOBS, Changes, Jobs, Json
from fgbench.cli.workdirs import Workdir, workdir_option
from fgbench.workfolders import default_folders


def status(workdir: Workdir = default_folders.DEMO_WORKDIR, json: Json = False) -> None:
    """Tell what is done, what waits and what was rejected in a work folder."""
    from fgbench.api.condition import status as of_work
    from fgbench.api.next_commands import after_status

    now = of_work(workdir)
    if json:
        print_json(now.to_json())
        return
    say_all(now.lines())
    if now.is_complete:
        say_next(["status"], lambda: after_status(workdir))


def check(
    workdir: Annotated[
        Path, workdir_option("Work folder; or the recipe of a data set, with --root.")
    ] = default_folders.DEMO_WORKDIR,
    root: Annotated[
        Path | None,
        typer.Option(
            "--root", help="Folder of the data set.", show_default="below the folder that FGBENCH_DATA names"
        ),
    ] = None,
    deep: Annotated[
        bool,
        typer.Option(
            "--deep", help="Hash the results of all stages, caches and the predictions of runs too."
        ),
    ] = False,
    repair: Annotated[
        bool,
        typer.Option(
            "--repair",
            help="Compute anew what is damaged of manifests and results; enter what the ledger lacks.",
        ),
    ] = False,
    changes: Changes = None,
    jobs: Jobs = DEFAULT_JOBS,
    json: Json = False,
) -> None:
    """Verify a work folder against its digests, or a data set against the published numbers."""
    if root is not None and workdir == default_folders.DEMO_WORKDIR:
        raise typer.BadParameter(
            f"{root} needs the recipe of its data set: fgbench check default --root DIR for clips with "
            "annotations.csv or votes.csv, fgbench check folder --root DIR for folders of classes",
            param_hint="--root",
        )
    from fgbench.api.data_sets import folder_of
    from fgbench.api.soundness import check as of_work

    data_root = root or folder_of(str(workdir))
    if data_root is None and changes:
        raise typer.BadParameter(
            "changes the recipe of a data set: fgbench check RECIPE --root DIR", param_hint="--set"
        )
    if data_root is None:
        with progress_bars(quiet=json) as progress:
            sound = of_work(workdir, deep=deep, repair=repair, jobs=jobs, progress=progress)
        print_json(sound.to_json()) if json else say_all(sound.lines())
        sound.require(repaired=repair)
    elif deep or repair:
        raise typer.BadParameter("--deep and --repair are for work folders, this is a data set")
    else:
        check_data(str(workdir), data_root, changes or (), json=json)
