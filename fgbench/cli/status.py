"""``fgbench status`` and ``fgbench check``: progress of a work folder; soundness of it, or of a data set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from fgbench.cli.console import counts_line, print_json, progress_bars, say
from fgbench.cli.data_folders import refuse_data_folder
from fgbench.cli.datasets import check_data
from fgbench.cli.next_steps import after_status
from fgbench.cli.options import DEFAULT_JOBS, Jobs, Json
from fgbench.cli.workdirs import Workdir, workdir_option
from fgbench.workfolders import default_folders


def status(workdir: Workdir = default_folders.DEMO_WORKDIR, json: Json = False) -> None:
    """Tell what is done, what waits and what was rejected in a work folder."""
    from fgbench.errors import ManifestError
    from fgbench.naming import counted
    from fgbench.preparation.prepare import preview, saved
    from fgbench.preparation.report import alignment_notes
    from fgbench.records import SPLITS
    from fgbench.runs.ledger.chain import read_ledger
    from fgbench.runs.ledger.counts import ledger_json, ledger_lines
    from fgbench.runs.ledger.missing import ledger_faults
    from fgbench.workfolders.manifest_index import has_classes, read_index

    config, root = saved(workdir)
    report = preview(config, root, workdir)
    try:
        published = read_index(workdir)["counts"]
        notes = alignment_notes(config, workdir)
    except ManifestError:
        published, notes = None, []
    readings = [*ledger_lines(workdir), *ledger_faults(workdir, read_ledger(workdir))]
    if json:
        stages = [
            {**asdict(stage), "done": stage.buckets - stage.waiting} for stage in report.stages
        ]  # in this work folder; nothing is done by looking
        told = {"counts": published, "alignment": notes, "ledger": ledger_json(workdir)}
        print_json({**asdict(report), "stages": stages, **told})
        return
    say(f"recipe {config.name}, data {default_folders.for_messages(root)}, {counted(report.clips, 'clip')}")
    width = max((10, *(len(stage.stage) for stage in report.turned_on)))
    for stage in report.turned_on:
        rejected = ", ".join(f"{reason} {count}" for reason, count in stage.reasons.items())
        line = f"{stage.stage:>{width}}: {stage.buckets - stage.waiting} of {stage.buckets} buckets done"
        say(f"{line}, {counted(stage.accepted, 'clip')}" + (f", rejected: {rejected}" if rejected else ""))
    for line in report.rejects:
        say(line)
    if published is None:
        say("manifests are not complete; run fgbench prepare")
    for line in notes:
        say(line)
    for part, counts in sorted((published or {}).items(), key=lambda item: SPLITS.index(item[0])):
        say(counts_line(part, counts))
    for line in readings:
        say(line)
    if published is not None and not report.waiting:
        after_status(workdir, has_classes=has_classes(workdir))


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
    data_root = root or _remembered(workdir)
    if data_root is None:
        check_work(workdir, deep=deep, repair=repair, jobs=jobs, json=json)
    elif deep or repair:
        raise typer.BadParameter("--deep and --repair are for work folders, this is a data set")
    else:
        check_data(str(workdir), data_root, json=json)


def _remembered(what: Path) -> Path | None:
    """Folder of a data set of that name on this machine; a work folder takes precedence."""
    from fgbench.catalogue.data_roots import remembered_root
    from fgbench.config import load_prepare, recipe_names

    if what.exists() or str(what).replace("_", "-") not in recipe_names():
        return None
    recipe = load_prepare(str(what))
    return remembered_root(recipe.name, recipe.dataset.adapter)


def check_work(workdir: Path, *, deep: bool, repair: bool, jobs: int, json: bool) -> None:
    """Compare a work folder with the digests noted when it was written.

    Raises:
        DatasetError: If it is the name of a data set whose folder is unknown; or, for a repair, the data set
            has moved.
        ManifestError: If something differs and is not repaired, or there are no manifests.
    """
    from fgbench.config import recipe_names
    from fgbench.errors import DatasetError, ManifestError
    from fgbench.plugins import load
    from fgbench.preparation.soundness import faults
    from fgbench.runs.ledger.chain import LEDGER
    from fgbench.runs.ledger.counts import ledger_json, ledger_lines
    from fgbench.runs.ledger.missing import enter_lacking
    from fgbench.workfolders.manifest_index import read_index

    if not workdir.exists() and str(workdir).replace("_", "-") in recipe_names():
        raise DatasetError(
            f"no folder is known for the data set {workdir}", f"fgbench check {workdir} --root DIR"
        )
    refuse_data_folder(workdir, "fgbench check")
    mended = _mend(workdir, jobs=jobs, json=json) if repair else ()
    entered = enter_lacking(workdir) if repair else []
    with load("engines", "local").start(jobs) as runner:
        fault_lines = faults(workdir, deep=deep, runner=runner)
    files = 0 if fault_lines else len(read_index(workdir)["files"])
    if json:
        ledger = ledger_json(workdir)
        print_json(
            {
                "files": files,
                "faults": fault_lines,
                "mended": list(mended),
                "entered": entered,
                "ledger": ledger,
            }
        )
    else:
        for line in mended:
            say(f"made anew: {line}")
        for line in entered:
            say(f"entered into {LEDGER} afterwards: {line}")
        for line in fault_lines:
            say(line)
    if fault_lines:
        raise ManifestError(
            f"{workdir} has {len(fault_lines)} fault{'s' if len(fault_lines) > 1 else ''}",
            _remedy(workdir, fault_lines, repaired=repair),
        )
    if not json:
        say(f"{files} files, all as their index says")
        for line in ledger_lines(workdir):
            say(line)


def _remedy(workdir: Path, fault_lines: Sequence[str], *, repaired: bool) -> str:
    """Advice on faults, for each kind."""
    from fgbench.runs.ledger.chain import HEAD, LEDGER, SET_APART
    from fgbench.runs.ledger.missing import NOT_THERE

    foreign = [line for line in fault_lines if line.endswith(": not in the index")]
    lacking = [line for line in fault_lines if line.endswith(NOT_THERE)]
    chain = [line for line in fault_lines if line.startswith(f"{LEDGER}: ")]
    kept = [line for line in fault_lines if line.startswith(("runs/", "cache/")) and line not in lacking]
    remedies = []
    if len(foreign) + len(kept) + len(lacking) + len(chain) < len(fault_lines):
        remedies.append(
            "run fgbench prepare with its recipe and --data-root again"
            if repaired
            else f"fgbench check --repair {workdir} computes anew what is damaged of manifests and results"
        )
    if kept:
        remedies.append(
            "runs and caches are made anew by the command that made them, runs at any rate with --force"
        )
    broken = [line for line in chain if not line.endswith(SET_APART)]
    if chain and not broken:
        remedies.append("no reading is lost: run the command that was ended again")
    if broken:
        remedies.append(
            f"put {LEDGER} back as it was; or move it and {HEAD} away and begin a new one, into which "
            "fgbench check --repair enters the runs that are there"
        )
    if lacking and not broken:
        remedies.append(f"fgbench check --repair {workdir} enters readings that the ledger lacks")
    if foreign:
        remedies.append(
            "move files away that no index lists: fgbench has not written them, and leaves them alone"
        )
    return "; ".join(remedies)


def _mend(workdir: Path, *, jobs: int, json: bool) -> tuple[str, ...]:
    """Make damaged results and manifests anew; returns a line for each."""
    from fgbench.preparation.prepare import run, saved

    config, root = saved(workdir)
    with progress_bars(quiet=json) as progress:
        return run(config, root, workdir, jobs=jobs, recheck=True, progress=progress).damage
