"""``fgbench prepare``: annotated clips in, manifests with aligned faces out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fgbench.cli import completion
from fgbench.cli.console import note, note_all, print_json, progress_bars, say_all, wrong_use
from fgbench.cli.next_steps import say_next
from fgbench.cli.options import DEFAULT_JOBS, Changes, Jobs, Json
from fgbench.cli.workdirs import workdir_option


def prepare(
    recipe: Annotated[
        str | None,
        typer.Argument(
            help="Name of a packed recipe, or a .yaml file.",
            show_default="demo; with --data-root: default",
            autocompletion=completion.recipe,
        ),
    ] = None,
    data_root: Annotated[
        Path | None,
        typer.Option(
            "--data-root",
            help="Folder of the data set, or its URL: s3://, gs://, az://, sftp://, hf://.",
            show_default="./fgbench-data/demo/data",
        ),
    ] = None,
    workdir: Annotated[
        Path | None,
        workdir_option(
            "Work folder, or its URL: s3://, gs://, az://, sftp://.",
            "./fgbench-data/<recipe or folder>/work",
            is_made=False,
        ),
    ] = None,
    changes: Changes = None,
    jobs: Jobs = DEFAULT_JOBS,
    engine: Annotated[
        str, typer.Option("--engine", help="How tasks are run: local, ray, slurm, or one of another package.")
    ] = "local",
    address: Annotated[
        str | None,
        typer.Option(
            "--address",
            help="Cluster of the engine: ray: host:6379 or auto; slurm: local tries it on this machine.",
            show_default="ray: RAY_ADDRESS, else this machine",
        ),
    ] = None,
    decoder: Annotated[
        str | None, typer.Option("--decoder", help="Video decoder in place of the recipe's: pyav or decord.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Compute everything anew.")] = False,
    retry: Annotated[
        bool,
        typer.Option(
            "--retry",
            help="Work again on clips that failed for a reason that may have passed: internal_error, "
            "out_of_memory, worker_died, too_slow.",
        ),
    ] = False,
    worker_memory: Annotated[
        float | None,
        typer.Option(
            "--worker-memory",
            help="Most memory of each worker, GB; a clip that needs more is rejected (Linux).",
            show_default="max_worker_gb of the recipe",
        ),
    ] = None,
    shard: Annotated[
        str | None,
        typer.Option(
            "--shard",
            metavar="K/N",
            help="Do share K of N alone, beside other processes on the same work folder; the last writes the "
            "manifests.",
        ),
    ] = None,
    shard_wait: Annotated[
        float | None,
        typer.Option(
            "--shard-wait",
            help="Seconds to wait for shards that are not at work, where all clips have to be there.",
            show_default="60",
        ),
    ] = None,
    force_unlock: Annotated[
        bool,
        typer.Option(
            "--force-unlock", help="First break the lock of the work folder that a dead machine has left."
        ),
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would be done.")] = False,
    drop_leaks: Annotated[
        bool,
        typer.Option(
            "--drop-leaks",
            help="Take clips out of training and validation (never out of test) that leak into another part, "
            "as fgbench audit finds them; of k-fold sets, all but one of those that show the same.",
        ),
    ] = False,
    verify: Annotated[
        bool,
        typer.Option(
            "--verify",
            help="Hash all source files, also those with size and time as before; redo what changed.",
        ),
    ] = False,
    prune: Annotated[
        bool, typer.Option("--prune", help="Afterwards delete results of earlier recipes and inputs.")
    ] = False,
    json: Json = False,
) -> None:
    """Turn clips and annotations into aligned 224x224 faces and Parquet manifests.

    Bare, it makes the embedded synthetic data set when it is absent and prepares it. What is done already is
    not done again; a run that was killed continues where it was.

    \b
    Data of your own, in a folder DIR:
      DIR/videos/<clip> and DIR/annotations.csv (clip,label,...)
      or DIR/votes.csv (clip,annotator,label,...)   fgbench prepare --data-root DIR
      DIR/<class>/<picture or video>                fgbench prepare folder --data-root DIR
      DIR/videos/<clip> and DIR/action_units.csv    fgbench prepare action-units --data-root DIR
    All columns: docs/own-clips.md. Public data sets: fgbench datasets.
    """
    from fgbench.api.chosen_shards import alone, chosen_shard
    from fgbench.api.next_commands import after_prepare
    from fgbench.api.preparing import preparation

    with wrong_use():
        if chosen_shard(shard) is not None:
            alone(shard, {"--dry-run": dry_run, "--prune": prune})
        chosen = preparation(
            recipe, data_root, workdir, changes=changes or (), decoder=decoder, drop_leaks=drop_leaks
        )
    if chosen.lacks_data and dry_run:
        note(f"the embedded data set is absent and would be drawn into {chosen.root}")
        if not chosen.root.exists():
            return
    elif chosen.lacks_data:
        with progress_bars(quiet=json) as progress:
            chosen.draw(jobs=jobs, progress=progress)
    if not json:
        note_all(chosen.lines())
    if dry_run:
        planned = chosen.preview(force=force, retry=retry)
        print_json(planned.to_json()) if json else say_all(planned.plan_lines())
        return
    with progress_bars(quiet=json) as progress:
        report = chosen.run(
            jobs=jobs,
            engine=engine,
            address=address,
            force=force,
            retry=retry,
            verify=verify,
            worker_memory_gb=worker_memory,
            shard=shard,
            shard_wait_s=shard_wait,
            force_unlock=force_unlock,
            progress=progress,
        )
    print_json(report.to_json()) if json else say_all(report.lines())
    if prune:
        chosen.prune()
    chosen.require_trainable(report)
    if not json and not report.shard:
        say_next(["prepare"], lambda: after_prepare(chosen.workdir))
