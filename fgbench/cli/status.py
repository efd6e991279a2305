"""``fgbench status`` and ``fgbench check``: how far a work folder is, and whether its manifests are sound."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from fgbench.cli import places
from fgbench.cli.console import counts_line, print_json, say
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


def check(workdir: WorkdirArgument = places.DEMO_WORKDIR, json: Json = False) -> None:
    """Verify the manifests of a work folder against their digests."""
    from fgbench.errors import ManifestError
    from fgbench.stages.publish import read_index, verify

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
