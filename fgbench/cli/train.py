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
from fgbench.cli.options import DEFAULT_JOBS, Device, Force, Jobs, Json, Resume
from fgbench.cli.runs import (
    Fold,
    FoldFile,
    Seed,
    Seeds,
    SizedRecipe,
    Workdir,
    default_recipe,
    opened,
    seeded,
    show_runs,
)
from fgbench.cli.units import required_unit_data, tell_units, unit_data

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fgbench.config import TrainAuConfig, TrainImageConfig
    from fgbench.training.place import Place
    from fgbench.training.trained import Trained

app = typer.Typer(help="Train a network.", no_args_is_help=True, rich_markup_mode=None)

VARIANTS = ("plain-cnn", "au-cnn", "au-z-cnn", "msau", "msau-joint", "msau-progressive")
"""Networks of Table II, one whose trunk trains along (paper section V-B), and the one of Figure 7."""

TEMPORAL = ("flow", "vgg-lstm", "c3d-lstm")
"""Temporal streams of TMSAU-Net (Table V)."""


@app.command("au")
def au(
    workdirs: Annotated[
        list[Path] | None,
        typer.Option(
            "--workdir",
            help="Work folder; named several times, one network is trained on all, and lies in the first.",
            show_default="./fgbench-data/demo/work",
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
    json: Json = False,
) -> None:
    """Detect action units: the pretraining that MSAU-Net's trunk comes from."""
    from fgbench.config import TrainAuConfig, load_training
    from fgbench.evaluation.action_units import read_au_result
    from fgbench.reports.au_scores import au_table
    from fgbench.reports.render import markdown
    from fgbench.reports.seed_scores import au_seed_table

    workdir, *further = workdirs or [places.DEMO_WORKDIR]
    config = load_training(recipe or default_recipe("au", workdir), TrainAuConfig)
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
    for of_seed in found:
        say(markdown(au_table(of_seed)))
    if seeds > 1:
        say(markdown(au_seed_table(folders)))
    for folder in folders:
        say(f"run: {folder}")


@app.command("msau")
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
    fold: Fold = None,
    fold_file: FoldFile = None,
    seed: Seed = 0,
    seeds: Seeds = 1,
    device: Device = None,
    jobs: Jobs = DEFAULT_JOBS,
    resume: Resume = True,
    force: Force = False,
    json: Json = False,
) -> None:
    """MSAU-Net, or one of its ablations, on the image set."""
    from fgbench.config import TrainImageConfig, load_training

    if variant not in VARIANTS:
        raise typer.BadParameter(
            f"{variant!r}, expected one of {', '.join(VARIANTS)}", param_hint="--variant"
        )
    start, settings = None, recipe or default_recipe(variant, workdir)
    if init is not None:
        start, settings = _start(init, workdir, recipe)
    config = load_training(settings, TrainImageConfig)
    with opened(
        workdir, device, seed=seed, jobs=jobs, resume=resume, force=force, quiet=json, fold_file=fold_file
    ) as place:
        folders = [
            folder
            for each_fold in place.trained_folds(fold)
            for each in seeded(each_fold, seeds)
            for folder in train_images(config, each, au_weights, init=start)
        ]
    # Runs of several numbers of regions are experiments of their own.
    show_runs(sorted(folders, key=lambda folder: folder.parent.parent.name), json=json)


def _start(init: str, workdir: Path, recipe: str | None) -> tuple[Trained, str]:
    """A trained network to start from, and the settings to train with: those of its run by default."""
    needs_torch()
    from fgbench.errors import ConfigError
    from fgbench.evaluation.kept_digests import check_texts
    from fgbench.evaluation.results import CONFIG, read_result
    from fgbench.training.trained import find_weights, read_trained

    trained = read_trained(find_weights(init, workdir))
    if recipe is not None:
        return trained, recipe
    if trained.run is None:
        raise ConfigError(f"{trained.path} lies in no run that tells its settings", "name them with --recipe")
    check_texts(trained.run, read_result(trained.run), again="run the experiment again")
    return trained, str(trained.run / CONFIG)


@app.command("tmsau")
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
    json: Json = False,
) -> None:
    """TMSAU-Net on clips: attention over frames, and a temporal stream."""
    from fgbench.config import TrainVideoConfig, load_training

    if temporal and temporal not in TEMPORAL:
        raise typer.BadParameter(
            f"{temporal!r}, expected one of {', '.join(TEMPORAL)}", param_hint="--temporal"
        )
    name = "tmsau" if temporal in ("", "flow") else f"tmsau-{temporal}"
    config = load_training(recipe or default_recipe(name, workdir), TrainVideoConfig)
    if temporal and config.temporal != temporal:
        raise typer.BadParameter(
            f"{temporal!r}, but recipe {config.name} has {config.temporal!r}", param_hint="--temporal"
        )

    def run(place: Place, image: Trained | None) -> Path:
        from fgbench.training import video_run

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
        json=json,
    )


def train_au(
    config: TrainAuConfig, place: Place, *, folds: int = 0, others: Sequence[Place] = ()
) -> Sequence[Path]:
    """Train on the labels that the data sets of work folders bring; returns the folders of the runs."""
    from fgbench.training import au_run

    hint = "train on one that has them (--workdir), then give its run with --au-weights"
    found = [required_unit_data(one, hint=hint) for one in (place, *others)]
    where = " and ".join(f"{data.dataset} in {data.place.workdir}" for data in found)
    note(f"recipe {config.name} on {where}, {place.device}")
    found = tell_units(found, config.action_units)
    first, *further = found
    return au_run.run(
        config, place, first.rows, folds=folds, people=first.people, source=first.source, others=further
    )


def train_images(
    config: TrainImageConfig, place: Place, au_weights: Path | None, *, init: Trained | None = None
) -> Sequence[Path]:
    """Train an image model in a fold, its action units first if they are needed and absent.

    Args:
        config: The recipe.
        place: Where, and in which fold.
        au_weights: Run of action units or its weights.
        init: Trained network of images to start from instead.

    Returns:
        The folders of the runs.

    Raises:
        DatasetError: If the data set has no classes, or action units are needed and it has none.
        ManifestError: If there are no such weights.
    """
    from fgbench.config import TrainAuConfig, load_training
    from fgbench.errors import ManifestError
    from fgbench.training import image_run
    from fgbench.training.au_run import find_weights

    place.labels.check_classes()
    trunk = au_weights
    where = f"{place.details['dataset']} in {place.workdir}, {place.device}"
    if place.division.n_folds:
        where += f", fold {place.fold}"
    if init is not None:
        config = image_run.fine_tuned(config)
        note(f"recipe {config.name} from {init.name} on {where}")
        return image_run.run(config, place, trunk, init=init)
    if au_weights is not None:
        trunk = find_weights(au_weights)
        if trunk is None:
            raise ManifestError(
                f"{au_weights} is neither a finished run of action units nor a file of weights",
                "give a folder that fgbench train au printed",
            )
    elif config.au_recipe is not None:
        # Of the same seed, so that seeds differ in the whole chain; a finished one is taken as it is.
        (run,) = train_au(load_training(config.au_recipe, TrainAuConfig), replace(place, force=False))
        trunk = find_weights(run)
    note(f"recipe {config.name} on {where}")
    units = unit_data(place) if config.losses.units else None
    if units is None:
        return image_run.run(config, place, trunk)
    return image_run.run(config, place, trunk, units=units.rows, source=units.source)
