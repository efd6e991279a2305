"""What the commands that train networks of clips share: their features, their image model, their folds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fgbench.cli.console import note
from fgbench.cli.runs import opened, seeded, show_runs

if TYPE_CHECKING:
    from fgbench.config import TrainVideoConfig
    from fgbench.runs.weights import Trained
    from fgbench.training.context import Place

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


def train_clips(
    config: TrainVideoConfig,
    train: Callable[[Place, Trained | None], Path],
    workdir: Path,
    device: str | None,
    *,
    image_run: str | None = None,
    fold: str | None,
    fold_file: Path | None,
    seed: int,
    seeds: int,
    jobs: int,
    resume: bool,
    force: bool,
    full: bool,
    json: bool,
) -> None:
    """Train a network of clips in every fold of a work folder, and print its scores.

    Args:
        config: The recipe.
        train: Trains it in a place, with the image model if the recipe has one.
        workdir: Work folder; features that are missing are computed.
        device: Name of the device.
        image_run: What the user named as the image model.
        fold: The fold to run; ``None`` runs all.
        fold_file: Folds of the user's own.
        seed: Seed of the run, of the first if there are several.
        seeds: Number of seeds.
        jobs: Threads that decode.
        resume: Whether an unfinished run is continued.
        force: Whether a finished run is made again.
        full: Whether to print tables, too.
        json: Whether to print JSON.

    Raises:
        ConfigError: If the recipe takes no image model and one is named.
        ManifestError: If there is no such image model, or its weights are damaged.
    """
    with opened(
        workdir,
        device,
        stages=("optical_flow",) if config.temporal == "flow" else (),
        seed=seed,
        jobs=jobs,
        resume=resume,
        force=force,
        quiet=json,
        fold_file=fold_file,
    ) as place:
        folders = []
        for each in [each for one in place.trained_folds(fold) for each in seeded(one, seeds)]:
            image = _image_model(config, each, image_run)
            in_fold = f", fold {each.fold}" if each.division.n_folds else ""
            in_fold += f", seed {each.seed}" if seeds > 1 else ""
            note(f"recipe {config.name} on {each.details['dataset']} in {workdir}, {each.device}{in_fold}")
            folders.append(train(each, image))
    show_runs(folders, full=full, json=json)


def _image_model(config: TrainVideoConfig, place: Place, image_run: str | None) -> Trained | None:
    """The image model of a recipe: the one that is named, else the work folder's, trained first if absent."""
    from fgbench.cli.train import train_images
    from fgbench.config import TrainImageConfig, load_training
    from fgbench.errors import ConfigError
    from fgbench.runs.weights import find_weights, read_trained

    if config.image_recipe is None:
        if image_run is not None:
            raise ConfigError(f"recipe {config.name} takes no image model", "leave out --image-run")
        return None
    if image_run is not None:
        return read_trained(find_weights(image_run, place.workdir))
    # Of the same seed, so that seeds differ in the whole chain; a finished one is taken as it is. It reads no
    # features.
    own = replace(place, force=False, manifest_digest=place.faces_digest)
    (run,) = train_images(load_training(config.image_recipe, TrainImageConfig), own, None)
    found = read_trained(find_weights(str(run), place.workdir))
    note(f"image model: {found.name}")
    return found
