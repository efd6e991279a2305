"""Training of clip networks, TMSAU-Net and its ablations, after their optical flow or image model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Unpack

from fgbench.config import TrainClipConfig, TrainImageConfig, load_training
from fgbench.errors import ConfigError
from fgbench.methods.steps.contexts import Runs, open_runs, where
from fgbench.methods.steps.images import train_images_in
from fgbench.methods.tmsau import run as clip_run
from fgbench.runs.weights import Trained, find_weights, read_trained
from fgbench.training.context import TrainingContext


def train_clips(
    config: TrainClipConfig,
    workdir: Path | str,
    *,
    image_run: str | None = None,
    weights: Path | None = None,
    **runs: Unpack[Runs],
) -> list[Path]:
    """Train a clip network in every fold and for every seed; flow and image model first if absent.

    Args:
        config: The recipe.
        workdir: Work folder.
        image_run: Image model that describes frames: name of an experiment, a run or its weights; ``None``
            trains the one that the recipe names, each seed its own.
        weights: Initial weights of convolutional streams.
        runs: See :class:`fgbench.methods.steps.contexts.Runs`.

    Returns:
        Folders of the runs.

    Raises:
        ConfigError: If the recipe takes no image model and one is named.
        ManifestError: If there is no such image model, or its weights are damaged.
        FgbenchError: As of :func:`fgbench.methods.tmsau.run.run`.
    """
    contexts = open_runs(workdir, stages=("optical_flow",) if config.temporal == "flow" else (), **runs)
    folders = []
    for context in contexts:
        context.learning_from(config.losses.target, config.name)
        image = image_model(config, context, image_run)
        seed = f", seed {context.seed}" if runs.get("seeds", 1) > 1 else ""
        context.note(f"recipe {config.name} on {where(context)}{seed}")
        folders.append(clip_run.run(config, context, image, weights))
    return folders


def image_model(
    config: TrainClipConfig, context: TrainingContext, named: str | None = None
) -> Trained | None:
    """Return the image model of a recipe: the named one, else the work folder's, trained first if absent.

    Raises:
        ConfigError: If the recipe takes none and one is named.
        ManifestError: If there is no such image model, or its weights are damaged.
    """
    if config.image_recipe is None:
        if named is not None:
            raise ConfigError(f"recipe {config.name} takes no image model", "leave the image run out")
        return None
    if named is not None:
        return read_trained(find_weights(named, context.workdir))
    # Of the same seed, so that seeds differ in the whole chain; a finished one is reused; no features read.
    own = replace(context, force=False, manifest_digest=context.faces_digest)
    (run,) = train_images_in(load_training(config.image_recipe, TrainImageConfig), own)
    image = read_trained(find_weights(str(run), context.workdir))
    context.note(f"image model: {image.name}")
    return image
