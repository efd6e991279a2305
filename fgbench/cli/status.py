"""``fgbench status`` and ``fgbench check``: how far a work folder is; whether it, or a data set, is sound."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from fgbench.cli import places
from fgbench.cli.console import counts_line, print_json, say
from fgbench.cli.datasets import check_data
from fgbench.cli.options import Json

WorkdirArgument = Annotated[
    Path, typer.Argument(help="Work folder.", show_default="./fgbench-data/demo/work")
]


def status(workdir: WorkdirArgument = places.DEMO_WORKDIR, json: Json = False) -> None:
    """Tell what is done, what waits and what was rejected in a work folder."""
    from fgbench.errors import ManifestError
    from fgbench.prepare import preview, saved
    from fgbench.stages.publish import read_index

    config, root = saved(workdir)
    report = preview(config, root, workdir)
    try:
        published = read_index(workdir)["counts"]
    except ManifestError:
        published = None
    if json:
        print_json({**asdict(report), "counts": published})
        return
    say(f"recipe {config.name}, data {root}, {report.clips} clips")
    for stage in report.stages:
        rejected = ", ".join(f"{reason} {count}" for reason, count in stage.reasons.items())
        line = f"{stage.stage:>10}: {stage.buckets - stage.waiting} of {stage.buckets} buckets done"
        say(f"{line}, {stage.accepted} clips" + (f", rejected: {rejected}" if rejected else ""))
    if published is None:
        say("manifests are not complete; run fgbench prepare")
    for part, counts in (published or {}).items():
        say(counts_line(part, counts))


def check(
    what: Annotated[
        Path,
        typer.Argument(
            metavar="[WORKDIR|DATASET]",
            help="Work folder; or the recipe of a data set, with --root.",
            show_default="./fgbench-data/demo/work",
        ),
    ] = places.DEMO_WORKDIR,
    root: Annotated[
        Path | None,
        typer.Option(
            "--root", help="Folder of the data set.", show_default="below the folder that FGBENCH_DATA names"
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Verify a work folder against its digests, or a data set against the published numbers."""
    data_root = root or _remembered(what)
    if data_root is None:
        check_work(what, json=json)
    else:
        check_data(str(what), data_root, json=json)


def _remembered(what: Path) -> Path | None:
    """Folder of a data set of that name on this machine; a work folder comes first."""
    from fgbench.catalogue.places import remembered_root
    from fgbench.config import load_prepare, recipe_names

    if what.exists() or str(what).replace("_", "-") not in recipe_names():
        return None
    recipe = load_prepare(str(what))
    return remembered_root(recipe.name, recipe.dataset.adapter)


def check_work(workdir: Path, *, json: bool) -> None:
    """Compare the manifests of a work folder with their index.

    Raises:
        ManifestError: If they differ, or there are none.
    """
    from fgbench.config import recipe_names
    from fgbench.errors import DatasetError, ManifestError
    from fgbench.stages.publish import read_index, verify

    if not workdir.exists() and str(workdir).replace("_", "-") in recipe_names():
        raise DatasetError(
            f"no folder is known for the data set {workdir}", f"fgbench check {workdir} --root DIR"
        )
    faults = verify(workdir)
    files = len(read_index(workdir)["files"])
    if json:
        print_json({"files": files, "faults": faults})
    else:
        for fault in faults:
            say(fault)
    if faults:
        raise ManifestError(
            f"{len(faults)} of {files} files of {workdir}/manifests are not as their index says",
            "delete the manifests folder and run fgbench prepare: it is made again from the stages' results",
        )
    if not json:
        say(f"{files} files, all as their index says")
