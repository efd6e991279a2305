"""``fgbench baseline``: what the paper's models are compared with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fgbench.cli import places
from fgbench.cli.baseline_plugins import Baselines, add_commands
from fgbench.cli.clips import ImageRun, StartWeights, train_clips
from fgbench.cli.console import note
from fgbench.cli.options import DEFAULT_JOBS, Device, Force, Full, Jobs, Json, Resume
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

if TYPE_CHECKING:
    from fgbench.runs.weights import Trained
    from fgbench.training.context import Place

app = typer.Typer(cls=Baselines, help="Run a baseline.", no_args_is_help=True, rich_markup_mode=None)


@app.command("plain-cnn")
def plain_cnn(
    workdir: Workdir = places.DEMO_WORKDIR,
    recipe: SizedRecipe = None,
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
    """MSAU-Net without region layer, action units and zoom; as 'train msau --variant plain-cnn'."""
    from fgbench.config import TrainImageConfig, load_training

    config = load_training(recipe or default_recipe("plain-cnn", workdir, device), TrainImageConfig)
    with opened(
        workdir, device, seed=seed, jobs=jobs, resume=resume, force=force, quiet=json, fold_file=fold_file
    ) as place:
        from fgbench.methods import plain_cnn

        _say_where(config.name, place)
        each_run = [each for one in place.trained_folds(fold) for each in seeded(one, seeds)]
        folders = [plain_cnn.run(config, each) for each in each_run]
    show_runs(folders, full=full, json=json)


@app.command("insightface")
def insightface(
    workdir: Workdir = places.DEMO_WORKDIR,
    weights: Annotated[
        Path | None,
        typer.Option("--weights", help="Backbone to fine-tune: InsightFace's backbone.pth."),
    ] = None,
    from_scratch: Annotated[
        bool, typer.Option("--from-scratch", help="Train the backbone from random values instead.")
    ] = False,
    recipe: SizedRecipe = None,
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
    """InsightFace's network for face recognition, fine-tuned on the image set."""
    from fgbench.config import InsightFaceConfig, load_baseline
    from fgbench.errors import DependencyError

    if from_scratch and weights is not None:
        raise typer.BadParameter("takes no --weights", param_hint="--from-scratch")
    if not from_scratch and weights is None:
        raise DependencyError(
            "insightface fine-tunes a backbone, which does not come with fgbench, and no --weights are given",
            "download backbone.pth of an IResNet-50 from the model zoo of arcface_torch "
            "(github.com/deepinsight/insightface; for non-commercial research only) and name it with "
            "--weights; or say --from-scratch to train without (on the embedded data set: a small network)",
        )
    # The small one with weights keeps its backbone as it is, which drawn values cannot be.
    small = "insightface-small-from-scratch" if from_scratch else None
    settings = recipe or default_recipe("insightface", workdir, device, small=small)
    config = load_baseline("insightface", InsightFaceConfig, settings)
    if weights is None:
        config.check_trainable()
    with opened(
        workdir,
        device,
        stages=("wide_faces",) if config.crops == "wide" else (),
        seed=seed,
        jobs=jobs,
        resume=resume,
        force=force,
        quiet=json,
        fold_file=fold_file,
    ) as place:
        from fgbench.methods.insightface import method as insightface

        _say_where(config.name, place)
        each_run = [each for one in place.trained_folds(fold) for each in seeded(one, seeds)]
        folders = [insightface.run(config, each, weights) for each in each_run]
    show_runs(folders, full=full, json=json)


@app.command("nan")
def nan(
    workdir: Workdir = places.DEMO_WORKDIR,
    recipe: SizedRecipe = None,
    image_run: ImageRun = None,
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
    """Attention over the frames of clips (NAN): TMSAU-Net without its temporal stream."""
    from fgbench.config import TrainVideoConfig, load_training

    config = load_training(recipe or default_recipe("nan", workdir, device), TrainVideoConfig)

    def run(place: Place, image: Trained | None) -> Path:
        from fgbench.methods import nan as baseline

        return baseline.run(config, place, image)

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


@app.command("plain-tsnet")
def plain_tsnet(
    workdir: Workdir = places.DEMO_WORKDIR,
    recipe: SizedRecipe = None,
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
    """Two streams of GoogLeNet on clips, of frames and of optical flow, without attention."""
    from fgbench.config import TrainVideoConfig, load_training

    config = load_training(recipe or default_recipe("plain-tsnet", workdir, device), TrainVideoConfig)

    def run(place: Place, _: Trained | None) -> Path:
        from fgbench.methods import plain_tsnet as baseline

        return baseline.run(config, place, weights)

    train_clips(
        config,
        run,
        workdir,
        device,
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


def _say_where(recipe: str, place: Place) -> None:
    note(f"recipe {recipe} on {place.details['dataset']} in {place.workdir}, {place.device}")


add_commands(app)
