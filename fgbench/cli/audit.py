"""``fgbench audit``: data shared by training, validation or test parts that should not be."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fgbench.cli.console import note, print_json, progress_bars, say_all
from fgbench.cli.next_steps import say_next
from fgbench.cli.options import DEFAULT_JOBS, Json
from fgbench.cli.workdirs import Workdir
from fgbench.workfolders import default_folders


def audit(
    workdir: Workdir = default_folders.DEMO_WORKDIR,
    against: Annotated[
        Path | None,
        typer.Option(
            "--against",
            help="Another work folder: compare what WORKDIR trains and chooses on (e.g. in a "
            "pretraining) with what this one is tested on.",
        ),
    ] = None,
    pictures: Annotated[
        int, typer.Option("--pictures", min=0, help="Pairs of which the page shows pictures.")
    ] = 60,
    jobs: Annotated[
        int | None, typer.Option("--jobs", "-j", min=1, help="Threads.", show_default="number of cores")
    ] = DEFAULT_JOBS,
    json: Json = False,
) -> None:
    """Look for leaks between the parts of a work folder.

    Looked for are clips, subjects, sources, equal files, equal pictures and nearly equal faces in two parts,
    and augmented copies away from their originals. What the recipe does not keep apart (e.g. subjects, when
    it divides by clip) is told, but is no leak. Writes audit/audit.html and audit/audit.json in the work
    folder.

    The exit code is 0 if there is no leak and 11 if there is one.
    """
    from fgbench.api.audits import audit as audited
    from fgbench.api.next_commands import after_audit

    with progress_bars(quiet=json) as progress:
        result = audited(workdir, against=against, pictures=pictures, jobs=jobs, progress=progress)
    if json:
        print_json(result.to_json())
    else:
        say_all(result.lines())
        note(f"report in {result.page}")
        if not result.leaks and against is None:
            say_next(["audit"], lambda: after_audit(workdir))
    result.check()
