"""``fgbench prepare``: clips and annotations in, aligned faces and manifests out."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer

from fgbench.cli import completion
from fgbench.cli.console import counts_line, note, print_json, progress_bars, say
from fgbench.cli.next_steps import after_prepare
from fgbench.cli.options import DEFAULT_JOBS, Changes, Jobs, Json
from fgbench.cli.workdirs import workdir_option

if TYPE_CHECKING:
    from fgbench.config import PrepareConfig
    from fgbench.preparation.prepare import RunReport


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
        typer.Option("--data-root", help="Folder of the data set.", show_default="./fgbench-data/demo/data"),
    ] = None,
    workdir: Annotated[
        Path | None,
        workdir_option("Work folder.", "./fgbench-data/<recipe or folder>/work", is_made=False),
    ] = None,
    changes: Changes = None,
    jobs: Jobs = DEFAULT_JOBS,
    engine: Annotated[str, typer.Option("--engine", help="How tasks are run.")] = "local",
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
    from fgbench.api.preparing import NoDataError, preparation
    from fgbench.config import recipe_names, with_changes
    from fgbench.errors import ConfigError
    from fgbench.preparation.prepare import preview, run

    if recipe is not None and recipe.replace("_", "-") not in recipe_names() and Path(recipe).is_dir():
        raise ConfigError(
            f"{recipe} is a folder, expected a recipe",
            f"of data: fgbench prepare --data-root {quote(recipe)}",
        )
    try:
        chosen = preparation(recipe, data_root, workdir)
    except NoDataError as error:
        raise typer.BadParameter(f"{error.message}: {error.hint}", param_hint="--data-root") from error
    config, root, work = with_changes(chosen.config, changes or ()), chosen.root, chosen.workdir
    if decoder is not None:
        config = with_decoder(config, decoder)
    if drop_leaks:
        config = without_leaks(config)
    if chosen.is_embedded:
        make_embedded(root, jobs=jobs, dry_run=dry_run, quiet=json)
        if dry_run and not root.exists():
            return
    if not json:
        note(f"recipe {config.name}, data {root}, work folder {work}")
        if config.dataset.synthetic:
            note("The data are SYNTHETIC, drawn faces: nothing measured on them says anything of real ones.")
    if dry_run:
        _show(preview(config, root, work, force=force, retry=retry), json=json, dry_run=True)
        return
    with progress_bars(quiet=json) as progress:
        report = run(
            config,
            root,
            work,
            jobs=jobs,
            engine=engine,
            force=force,
            retry=retry,
            verify=verify,
            worker_memory_gb=worker_memory,
            progress=progress,
        )
    _show(report, json=json, dry_run=False)
    if prune:
        _prune(config, root, work)
    if not json and not report.is_untrainable:
        from fgbench.workfolders.manifest_index import has_classes

        after_prepare(work, has_classes=has_classes(work))
    if report.is_untrainable:
        from fgbench.preparation.stages._closing_notes import untrainable

        raise untrainable(work)


def with_decoder(config: PrepareConfig, decoder: str) -> PrepareConfig:
    """Recipe with another decoder.

    Raises:
        ConfigError: If there is no such decoder.
    """
    from fgbench import plugins

    plugins.load("decoders", decoder)
    return config.model_copy(update={"ingest": config.ingest.model_copy(update={"decoder": decoder})})


def without_leaks(config: PrepareConfig) -> PrepareConfig:
    """Recipe with leaks dropped by its audit; what is kept apart follows the division into parts."""
    audit = config.audit.model_copy(update={"drop_leaks": True, "apart": config.split.group_by})
    return config.model_copy(update={"audit": audit})


def make_embedded(root: Path, *, jobs: int, dry_run: bool, quiet: bool) -> None:
    """Generate the embedded data set if it is absent."""
    from fgbench.api.preparing import draw_embedded
    from fgbench.synthetic.dataset import is_complete

    if is_complete(root):
        return
    if dry_run:
        note(f"the embedded data set is absent and would be drawn into {root}")
        return
    note(f"the embedded data set is absent: drawing it into {root} (synthetic faces)")
    with progress_bars(quiet=quiet) as progress:
        draw_embedded(root, jobs=jobs, progress=progress)


def _prune(config: PrepareConfig, root: Path, work: Path) -> None:
    from fgbench import storage
    from fgbench.preparation.prepare import unused_files

    folder = work / "stages"
    with storage.exclusive(work):
        unused = unused_files(config, root, work)
        size = sum(path.lstat().st_size for path in unused)
        n_deleted = storage.remove_listed(folder, [path.relative_to(folder).as_posix() for path in unused])
    note(f"deleted {n_deleted} unused files ({size / 1e6:.1f} MB)")


def _show(report: RunReport, *, json: bool, dry_run: bool) -> None:
    from fgbench.naming import counted
    from fgbench.preparation.stages._closing_notes import WARNING
    from fgbench.preparation.voting import REANNOTATE

    if json:
        print_json(report.to_json())
        return
    if dry_run:
        width = max((10, *(len(stage.stage) for stage in report.turned_on)))
        for stage in report.turned_on:
            least = "at least " if stage.may_be_more and stage.waiting < stage.buckets else ""
            say(f"{stage.stage:>{width}}: {least}{stage.waiting} of {stage.buckets} buckets to do")
        for line in report.notes:
            say(line)
        say("nothing to do" if not report.waiting else "nothing was done (dry run)")
        return
    for label, count in report.left_out.items():
        say(f"{counted(count, 'clip')} of class {label} left out: the recipe's label set lacks it")
    for stage in report.stages:
        rejected = {reason: count for reason, count in stage.reasons.items() if reason != REANNOTATE}
        if rejected:
            reasons = ", ".join(f"{reason} {count}" for reason, count in rejected.items())
            say(f"{stage.stage:>10}: {counted(sum(rejected.values()), 'clip')} rejected ({reasons})")
    for line in report.damage:
        say(f"made anew: {line}")
    if report.failures is not None:
        failures = report.failures
        say(
            f"{counted(failures.number, 'clip')} failed for reasons that may have passed, the first: "
            f"{failures.first}; log: {failures.log}; fgbench prepare --retry works on them again"
        )
    for line in report.notes:
        if not line.startswith(WARNING):
            say(line)
    for part, numbers in report.counts.items():
        say(counts_line(part, numbers))
    say(report.persons)
    if not report.done and not report.published:
        say(f"nothing to do: {report.workdir}/manifests is up to date")
    else:
        say(f"{counted(report.done, 'bucket')} computed; manifests in {report.workdir}/manifests")
    if not report.look:
        say("look here: nothing needs you")
        return
    say("look here:")
    for line in report.look:
        say(f"  {line}")
