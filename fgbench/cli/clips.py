"""What the commands that train networks of clips share: their features, and their image model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fgbench.cli.console import note

if TYPE_CHECKING:
    from fgbench.config import TrainVideoConfig
    from fgbench.training.place import Place
    from fgbench.training.trained import Trained

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


def features_of(config: TrainVideoConfig) -> tuple[str, ...]:
    """Stages of features that a recipe reads."""
    return ("optical_flow",) if config.temporal == "flow" else ()


def image_model(config: TrainVideoConfig, place: Place, image_run: str | None) -> Trained | None:
    """The image model of a recipe: the one that is named, else the work folder's, trained first if absent.

    Args:
        config: The recipe.
        place: Where.
        image_run: What the user named.

    Raises:
        ConfigError: If the recipe takes none and one is named.
        ManifestError: If there is no such run, or its weights are damaged.
    """
    from fgbench.cli.train import train_images
    from fgbench.config import TrainImageConfig, load_training
    from fgbench.errors import ConfigError
    from fgbench.training.trained import find_weights, read_trained

    if config.image_recipe is None:
        if image_run is not None:
            raise ConfigError(f"recipe {config.name} takes no image model", "leave out --image-run")
        return None
    if image_run is not None:
        return read_trained(find_weights(image_run, place.workdir))
    # All seeds share one image model; a finished one is taken as it is. It reads no features.
    first = replace(place, seed=0, force=False, manifest_digest=place.faces_digest)
    (run,) = train_images(load_training(config.image_recipe, TrainImageConfig), first, None)
    found = read_trained(find_weights(str(run), place.workdir))
    note(f"image model: {found.name}")
    return found


def said_where(config: TrainVideoConfig, place: Place) -> None:
    """Tell which recipe is trained on what."""
    note(f"recipe {config.name} on {place.details['dataset']} in {place.workdir}, {place.device}")
