"""``fgbench train``: networks, from the manifests of a work folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fgbench.api.finished import FULL
from fgbench.api.next_commands import after_units
from fgbench.cli.console import print_json, say
from fgbench.cli.evaluate import needs_torch
from fgbench.cli.next_steps import say_next
from fgbench.cli.options import RunOptions, run_command
from fgbench.cli.runs import begun, default_recipe, named_weights
from fgbench.cli.show_runs import show_runs
from fgbench.cli.workdirs import workdir_option
from fgbench.workfolders import default_places as places

if TYPE_CHECKING:
    from fgbench.runs.weights import Trained

app = typer.Typer(help="Train a network.", no_args_is_help=True, rich_markup_mode=None)

VARIANTS = ("plain-cnn", "au-cnn", "au-z-cnn", "msau", "msau-joint", "msau-progressive")
"""Networks of Table II, one whose trunk is trained as well (paper section V-B), and the one of Figure 7."""

TEMPORAL = ("flow", "vgg-lstm", "c3d-lstm")
"""Temporal streams of TMSAU-Net (Table V)."""

ImageRun = Annotated[
    str | None,
    typer.Option(
        "--image-run",
        help="Run of 'train msau' that describes the frames, or its weights.",
        show_default="the recipe's of this work folder, which is trained first if absent",
    ),
]
StartWeights = Annotated[
    Path | None,
    typer.Option(
        "--weights",
        help="Start convolutional streams from these: torchvision's GoogLeNet or VGG16, or C3D.",
        show_default="drawn values",
    ),
]


@run_command(app, "au", without=("workdir", "fold", "fold_file"))
def au(
    *,
    workdirs: Annotated[
        list[Path] | None,
        workdir_option(
            "Work folder; named several times, one network is trained on all, and lies in the first."
        ),
    ] = None,
    run: RunOptions,
    folds: Annotated[
        int,
        typer.Option(
            "--folds",
            min=0,
            help="Cross-validate over this many groups of subjects; 0 takes the work folder's own protocol.",
        ),
    ] = 0,
) -> None:
    """Detect action units: the pretraining that MSAU-Net's trunk comes from."""
    from fgbench.config import TrainAuConfig, load_training
    from fgbench.reports.rendering.render import markdown
    from fgbench.reports.run.seed_scores import au_seed_table
    from fgbench.reports.run.summary import units_summary
    from fgbench.reports.run.unit_scores import au_table
    from fgbench.runs.unit_results import read_au_result
    from fgbench.workfolders.manifest_index import has_classes

    workdir, *further = workdirs or [places.DEMO_WORKDIR]
    run = replace(run, workdir=workdir)
    config = run.changed(
        load_training(run.recipe or default_recipe("au", workdir, run.device), TrainAuConfig)
    )
    with begun(run, *further) as how:
        from fgbench.methods.steps.units import train_units

        by_seed = train_units(config, workdir, further=further, folds=folds, **how)
    folders = [folder for one in by_seed for folder in one]
    if run.json:
        print_json([read_au_result(folder) for folder in folders])
        return
    if run.full:
        for of_seed in by_seed:
            say(markdown(au_table(of_seed)))
        if run.seeds > 1:
            say(markdown(au_seed_table(folders)))
    else:
        for line in units_summary(by_seed):
            say(line)
        say(f"every unit: {FULL}")
    for folder in folders:
        say(f"run: {folder}")
    say_next(["train"], lambda: after_units(folders[0], has_classes=has_classes(workdir)))


@run_command(app, "msau")
def msau(
    *,
    variant: Annotated[str, typer.Option("--variant", help=f"One of {', '.join(VARIANTS)}.")] = "msau",
    run: RunOptions,
    au_weights: Annotated[
        Path | None,
        typer.Option(
            "--au-weights",
            help="Run of 'train au', or its weights.",
            show_default="those of this work folder, which are trained first if absent",
        ),
    ] = None,
    init: Annotated[
        str | None,
        typer.Option(
            "--init",
            help="Trained network of images to start from, all but its classifiers; with its own settings "
            "unless --recipe names others.",
        ),
    ] = None,
    trunk: Annotated[
        str | None,
        typer.Option(
            "--trunk",
            help="Trained network of images whose trunk is taken in the place of that of action units, or "
            "'none' for drawn values; it trains then.",
            show_default="that of action units",
        ),
    ] = None,
) -> None:
    """MSAU-Net, or one of its ablations, on the image set."""
    from fgbench.config import TrainImageConfig, load_training

    if variant not in VARIANTS:
        raise typer.BadParameter(
            f"{variant!r}, expected one of {', '.join(VARIANTS)}", param_hint="--variant"
        )
    start = None
    if init is not None:
        start, settings = _start(init, run)
    else:
        settings = run.recipe or default_recipe(variant, run.workdir, run.device)
    if trunk is not None and (init is not None or au_weights is not None):
        raise typer.BadParameter("takes no --init and no --au-weights", param_hint="--trunk")
    config = run.changed(load_training(settings, TrainImageConfig))
    with begun(run) as how:
        from fgbench.methods.steps.images import train_images

        folders = train_images(config, run.workdir, au_weights=au_weights, init=start, trunk=trunk, **how)
    # Runs of several numbers of regions are experiments of their own.
    folders.sort(key=lambda folder: folder.parent.parent.name)
    show_runs(folders, full=run.full, json=run.json)


def _start(init: str, run: RunOptions) -> tuple[Trained, str]:
    """Trained network to start from, and the settings to train with: by default those of its run."""
    needs_torch()
    from fgbench.errors import ConfigError
    from fgbench.runs.digests import check_texts
    from fgbench.runs.results import CONFIG, read_result
    from fgbench.runs.weights import read_trained

    trained = read_trained(named_weights(init, run.workdir))
    if run.recipe is not None:
        return trained, run.recipe
    if trained.run is None:
        raise ConfigError(f"{trained.path} lies in no run that tells its settings", "name them with --recipe")
    check_texts(trained.run, read_result(trained.run), again="run the experiment again")
    return trained, str(trained.run / CONFIG)


@run_command(app, "tmsau")
def tmsau(
    *,
    temporal: Annotated[
        str,
        typer.Option(
            "--temporal",
            help=f"Temporal stream: one of {', '.join(TEMPORAL)}.",
            show_default="the recipe's, else flow",
        ),
    ] = "",
    run: RunOptions,
    image_run: ImageRun = None,
    weights: StartWeights = None,
) -> None:
    """TMSAU-Net on clips: attention over frames, and a temporal stream."""
    from fgbench.config import TrainVideoConfig, load_training

    if temporal and temporal not in TEMPORAL:
        raise typer.BadParameter(
            f"{temporal!r}, expected one of {', '.join(TEMPORAL)}", param_hint="--temporal"
        )
    name = "tmsau" if temporal in ("", "flow") else f"tmsau-{temporal}"
    config = run.changed(
        load_training(run.recipe or default_recipe(name, run.workdir, run.device), TrainVideoConfig)
    )
    if temporal and config.temporal != temporal:
        raise typer.BadParameter(
            f"{temporal!r}, but recipe {config.name} has {config.temporal!r}", param_hint="--temporal"
        )
    with begun(run) as how:
        from fgbench.methods.steps.clips import train_clips

        folders = train_clips(config, run.workdir, image_run=image_run, weights=weights, **how)
    show_runs(folders, full=run.full, json=run.json)
