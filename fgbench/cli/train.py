"""``fgbench train``: networks, from the manifests of a work folder."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fgbench.cli import places
from fgbench.cli.clips import ImageRun, StartWeights, train_clips
from fgbench.cli.console import note, print_json, say
from fgbench.cli.evaluate import needs_torch
from fgbench.cli.next_steps import after_units
from fgbench.cli.options import DEFAULT_JOBS, Device, Force, Full, Jobs, Json, Resume
from fgbench.cli.runs import (
    FULL,
    Fold,
    FoldFile,
    Seed,
    Seeds,
    SizedRecipe,
    default_recipe,
    named_weights,
    opened,
    seeded,
    show_runs,
)
from fgbench.cli.units import required_unit_data, tell_units, unit_data
from fgbench.cli.workdirs import Workdir, add_command, workdir_option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fgbench.config import TrainAuConfig, TrainImageConfig
    from fgbench.runs.weights import Trained
    from fgbench.training.context import Place

app = typer.Typer(help="Train a network.", no_args_is_help=True, rich_markup_mode=None)

VARIANTS = ("plain-cnn", "au-cnn", "au-z-cnn", "msau", "msau-joint", "msau-progressive")
"""Networks of Table II, one whose trunk trains along (paper section V-B), and the one of Figure 7."""

TEMPORAL = ("flow", "vgg-lstm", "c3d-lstm")
"""Temporal streams of TMSAU-Net (Table V)."""


@add_command(app, "au")
def au(
    workdirs: Annotated[
        list[Path] | None,
        workdir_option(
            "Work folder; named several times, one network is trained on all, and lies in the first."
        ),
    ] = None,
    recipe: SizedRecipe = None,
    folds: Annotated[
        int,
        typer.Option(
            "--folds",
            min=0,
            help="Cross-validate over this many groups of subjects; 0 takes the work folder's own protocol.",
        ),
    ] = 0,
    seed: Seed = 0,
    seeds: Seeds = 1,
    device: Device = None,
    jobs: Jobs = DEFAULT_JOBS,
    resume: Resume = True,
    force: Force = False,
    full: Full = False,
    json: Json = False,
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
    config = load_training(recipe or default_recipe("au", workdir, device), TrainAuConfig)
    how: dict[str, Any] = {"seed": seed, "jobs": jobs, "resume": resume, "force": force}
    with ExitStack() as stack:
        place = stack.enter_context(opened(workdir, device, quiet=json, **how))
        others = [stack.enter_context(opened(other, device, quiet=True, **how)) for other in further]
        each_fold = [place] if folds or others else place.each_fold()
        found = [
            [folder for one in of_seed for folder in train_au(config, one, folds=folds, others=others)]
            for of_seed in zip(*(seeded(one, seeds) for one in each_fold), strict=True)
        ]
    folders = [folder for one in found for folder in one]
    if json:
        print_json([read_au_result(folder) for folder in folders])
        return
    if full:
        for of_seed in found:
            say(markdown(au_table(of_seed)))
        if seeds > 1:
            say(markdown(au_seed_table(folders)))
    else:
        for line in units_summary(found):
            say(line)
        say(f"every unit: {FULL}")
    for folder in folders:
        say(f"run: {folder}")
    after_units(folders[0], has_classes=has_classes(workdir))


@add_command(app, "msau")
def msau(
    workdir: Workdir = places.DEMO_WORKDIR,
    variant: Annotated[str, typer.Option("--variant", help=f"One of {', '.join(VARIANTS)}.")] = "msau",
    recipe: SizedRecipe = None,
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
    fold: Fold = None,
    fold_file: FoldFile = None,
    seed: Seed = 0,
    seeds: Seeds = 1,
    device: Device = None,
    jobs: Jobs = DEFAULT_JOBS,
    resume: Resume = True,
    force: Force = False,
    full: Full = False,
    json: Json = False,
) -> None:
    """MSAU-Net, or one of its ablations, on the image set."""
    from fgbench.config import TrainImageConfig, load_training

    if variant not in VARIANTS:
        raise typer.BadParameter(
            f"{variant!r}, expected one of {', '.join(VARIANTS)}", param_hint="--variant"
        )
    start = None
    if init is not None:
        start, settings = _start(init, workdir, recipe)
    else:
        settings = recipe or default_recipe(variant, workdir, device)
    if trunk is not None and (init is not None or au_weights is not None):
        raise typer.BadParameter("takes no --init and no --au-weights", param_hint="--trunk")
    config = load_training(settings, TrainImageConfig)
    with opened(
        workdir, device, seed=seed, jobs=jobs, resume=resume, force=force, quiet=json, fold_file=fold_file
    ) as place:
        folders = [
            folder
            for each_fold in place.trained_folds(fold)
            for each in seeded(each_fold, seeds)
            for folder in (
                train_images(config, each, au_weights, init=start)
                if trunk is None
                else _train_on_trunk(config, each, trunk)
            )
        ]
    # Runs of several numbers of regions are experiments of their own.
    show_runs(sorted(folders, key=lambda folder: folder.parent.parent.name), full=full, json=json)


def _train_on_trunk(config: TrainImageConfig, place: Place, trunk: str) -> Sequence[Path]:
    """Train on the trunk of a network (of an experiment: of the same fold and seed), or on drawn values."""
    from fgbench.methods._networks.trunk_choice import from_scratch, on_trunk_of
    from fgbench.runs.weights import WEIGHTS, find_weights, read_trained

    if trunk == "none":
        return train_images(from_scratch(config), place, None)
    own = place.workdir / "runs" / trunk / place.fold / str(place.seed) / WEIGHTS
    trained = read_trained(own if own.is_file() else find_weights(trunk, place.workdir))
    return train_images(on_trunk_of(config, trained), place, None, trunk=trained)


def _start(init: str, workdir: Path, recipe: str | None) -> tuple[Trained, str]:
    """A trained network to start from, and the settings to train with: those of its run by default."""
    needs_torch()
    from fgbench.errors import ConfigError
    from fgbench.runs.digests import check_texts
    from fgbench.runs.results import CONFIG, read_result
    from fgbench.runs.weights import read_trained

    trained = read_trained(named_weights(init, workdir))
    if recipe is not None:
        return trained, recipe
    if trained.run is None:
        raise ConfigError(f"{trained.path} lies in no run that tells its settings", "name them with --recipe")
    check_texts(trained.run, read_result(trained.run), again="run the experiment again")
    return trained, str(trained.run / CONFIG)


@add_command(app, "tmsau")
def tmsau(
    workdir: Workdir = places.DEMO_WORKDIR,
    temporal: Annotated[
        str,
        typer.Option(
            "--temporal",
            help=f"Temporal stream: one of {', '.join(TEMPORAL)}.",
            show_default="the recipe's, else flow",
        ),
    ] = "",
    recipe: SizedRecipe = None,
    image_run: ImageRun = None,
    weights: StartWeights = None,
    fold: Fold = None,
    fold_file: FoldFile = None,
    seed: Seed = 0,
    seeds: Seeds = 1,
    device: Device = None,
    jobs: Jobs = DEFAULT_JOBS,
    resume: Resume = True,
    force: Force = False,
    full: Full = False,
    json: Json = False,
) -> None:
    """TMSAU-Net on clips: attention over frames, and a temporal stream."""
    from fgbench.config import TrainVideoConfig, load_training

    if temporal and temporal not in TEMPORAL:
        raise typer.BadParameter(
            f"{temporal!r}, expected one of {', '.join(TEMPORAL)}", param_hint="--temporal"
        )
    name = "tmsau" if temporal in ("", "flow") else f"tmsau-{temporal}"
    config = load_training(recipe or default_recipe(name, workdir, device), TrainVideoConfig)
    if temporal and config.temporal != temporal:
        raise typer.BadParameter(
            f"{temporal!r}, but recipe {config.name} has {config.temporal!r}", param_hint="--temporal"
        )

    def run(place: Place, image: Trained | None) -> Path:
        from fgbench.methods.tmsau import run as video_run

        return video_run.run(config, place, image, weights)

    train_clips(
        config,
        run,
        workdir,
        device,
        image_run=image_run,
        fold=fold,
        fold_file=fold_file,
        seed=seed,
        seeds=seeds,
        jobs=jobs,
        resume=resume,
        force=force,
        full=full,
        json=json,
    )


def train_au(
    config: TrainAuConfig, place: Place, *, folds: int = 0, others: Sequence[Place] = ()
) -> Sequence[Path]:
    """Train on the labels that the data sets of work folders bring; returns the folders of the runs."""
    from fgbench.methods.action_units import run as au_run

    hint = (
        "train on one that has them (--workdir), then give its run with --au-weights; or take another trunk: "
        "train msau --trunk RUN, or --trunk none"
    )
    found = [required_unit_data(one, hint=hint) for one in (place, *others)]
    where = " and ".join(f"{data.dataset} in {data.place.workdir}" for data in found)
    note(f"recipe {config.name} on {where}, {place.device}")
    found = tell_units(found, config.action_units)
    first, *further = found
    return au_run.run(
        config, place, first.rows, folds=folds, people=first.people, source=first.source, others=further
    )


def train_images(
    config: TrainImageConfig,
    place: Place,
    au_weights: Path | None,
    *,
    init: Trained | None = None,
    trunk: Trained | None = None,
) -> Sequence[Path]:
    """Train an image model in a fold, its action units first if they are needed and absent.

    Args:
        config: The recipe.
        place: Where, and in which fold.
        au_weights: Run of action units or its weights.
        init: Trained network of images to start from instead.
        trunk: Trained network of images whose trunk is taken; the recipe says so.

    Returns:
        The folders of the runs.

    Raises:
        DatasetError: If the data set has no classes, or action units are needed and it has none.
        ManifestError: If there are no such weights.
    """
    from fgbench.config import TrainAuConfig, load_training
    from fgbench.errors import ManifestError
    from fgbench.methods.action_units.run import find_weights
    from fgbench.methods.msau import run as image_run

    place.labels.check_classes()
    units_from = au_weights
    where = f"{place.details['dataset']} in {place.workdir}, {place.device}"
    if place.division.n_folds:
        where += f", fold {place.fold}"
    if init is not None:
        config = image_run.fine_tuned(config)
        note(f"recipe {config.name} from {init.name} on {where}")
        return image_run.run(config, place, au_weights, init=init)
    if au_weights is not None:
        units_from = find_weights(au_weights)
        if units_from is None:
            raise ManifestError(
                f"{au_weights} is neither a finished run of action units nor a file of weights",
                "give a folder that fgbench train au printed",
            )
    elif config.au_recipe is not None:
        # Of the same seed, so that seeds differ in the whole chain; a finished one is taken as it is.
        (run,) = train_au(load_training(config.au_recipe, TrainAuConfig), replace(place, force=False))
        units_from = find_weights(run)
    note(f"recipe {config.name} on {where}")
    units = unit_data(place) if config.losses.units else None
    if units is None:
        return image_run.run(config, place, units_from, trunk=trunk)
    return image_run.run(config, place, units_from, trunk=trunk, units=units.rows, source=units.source)
