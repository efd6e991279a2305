"""``fgbench baseline``: conventional methods on the features of a work folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fgbench.cli import places
from fgbench.cli.console import note, print_json, progress_bars, say
from fgbench.cli.options import DEFAULT_JOBS, Force, Jobs, Json
from fgbench.cli.prepare import prepare

if TYPE_CHECKING:
    from collections.abc import Sequence

app = typer.Typer(help="Run a conventional baseline.", no_args_is_help=True, rich_markup_mode=None)

Workdir = Annotated[
    Path, typer.Option("--workdir", help="Work folder.", show_default="./fgbench-data/demo/work")
]
Recipe = Annotated[
    str | None,
    typer.Option("--recipe", help="Packed recipe or .yaml file.", show_default="the baseline's own"),
]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Seed of the run.")]


@app.command("lbp-svm")
def lbp_svm(
    workdir: Workdir = places.DEMO_WORKDIR,
    recipe: Recipe = None,
    seed: Seed = 0,
    jobs: Jobs = DEFAULT_JOBS,
    force: Force = False,
    json: Json = False,
) -> None:
    """Local binary patterns of images and a one-vs-rest SVM."""
    _run("lbp-svm", workdir, recipe, seed=seed, jobs=jobs, force=force, json=json)


@app.command("dense-traj-svm")
def dense_traj_svm(
    workdir: Workdir = places.DEMO_WORKDIR,
    recipe: Recipe = None,
    seed: Seed = 0,
    jobs: Jobs = DEFAULT_JOBS,
    force: Force = False,
    json: Json = False,
) -> None:
    """Bags of dense trajectories of clips and a one-vs-rest SVM with the chi-square kernel."""
    _run("dense-traj-svm", workdir, recipe, seed=seed, jobs=jobs, force=force, json=json)


def _run(
    name: str, workdir: Path, recipe: str | None, *, seed: int, jobs: int, force: bool, json: bool
) -> None:
    from fgbench import plugins
    from fgbench.config import load_baseline
    from fgbench.evaluation.results import SINGLE_FOLD, discard_run, finished_run
    from fgbench.hashing import digest_file
    from fgbench.stages.publish import INDEX, MANIFESTS, read_index

    config = load_baseline(name, recipe)
    module = plugins.load("baselines", name)
    ensure_features(workdir, module.NEEDS, jobs=jobs, quiet=json)
    index = read_index(workdir)
    manifests = workdir / MANIFESTS
    digest = digest_file(manifests / INDEX)
    if force:
        discard_run(workdir, experiment=config.name, fold=SINGLE_FOLD, seed=seed)
    folder = finished_run(
        workdir,
        experiment=config.name,
        fold=SINGLE_FOLD,
        seed=seed,
        config=config.model_dump(mode="json"),
        manifest_digest=digest,
    )
    if folder is not None:
        note(f"{name}, seed {seed}, is there already: {folder} (--force computes it anew)")
    else:
        note(f"{name} on {index['dataset']} in {workdir}")
        with progress_bars(quiet=json) as progress:
            folder = module.run(
                manifests,
                config,
                root=workdir,
                seed=seed,
                jobs=jobs,
                manifest_digest=digest,
                details={"dataset": index["dataset"], "synthetic": index["synthetic"]},
                progress=progress,
            )
    show_run(folder, json=json)


def show_run(folder: Path, *, json: bool) -> None:
    """Print the scores and confusions of a finished run, and write its ``confusion.csv``."""
    from fgbench.evaluation.results import read_result
    from fgbench.reports.render import markdown
    from fgbench.reports.run_confusion import confusion_json, confusion_tables, write_confusion
    from fgbench.reports.run_scores import scores_table

    write_confusion(folder)
    if json:
        print_json({**read_result(folder), "confusion": confusion_json(folder)})
        return
    for table in (scores_table(folder), *confusion_tables(folder)):
        say(markdown(table))
    say(f"run: {folder}")


def ensure_features(workdir: Path, stages: Sequence[str], *, jobs: int, quiet: bool) -> None:
    """Prepare what is missing: the embedded data set, and features that the recipe leaves out."""
    from fgbench.prepare import run, saved
    from fgbench.stages.publish import is_published

    if workdir == places.DEMO_WORKDIR and not is_published(workdir):
        note("the embedded data set is not prepared yet: preparing it")
        prepare(jobs=jobs)
    config, root = saved(workdir)
    left_out = [stage for stage in stages if not getattr(config, stage).enabled]
    if not left_out and is_published(workdir):
        return
    for stage in left_out:
        note(f"the work folder has no {stage}: computing it")
    enabled = {stage: getattr(config, stage).model_copy(update={"enabled": True}) for stage in left_out}
    with progress_bars(quiet=quiet) as progress:
        run(config.model_copy(update=enabled), root, workdir, jobs=jobs, progress=progress)
