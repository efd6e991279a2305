"""Image networks: MSAU-Net and its ablations, their trunk of action units first; face recognition."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Unpack

from fgbench.config import TrainAuConfig, TrainImageConfig, load_training
from fgbench.errors import ManifestError
from fgbench.methods._networks.trunk_choice import from_scratch, on_backbone, on_trunk_of
from fgbench.methods.action_units.run import find_weights as find_unit_weights
from fgbench.methods.backbone.asked import Asked
from fgbench.methods.msau import run as image_run
from fgbench.methods.msau.backbone_trunk import Backbone, open_backbone
from fgbench.methods.steps.contexts import Runs, open_runs, where
from fgbench.methods.steps.units import train_units_in, unit_data
from fgbench.runs.weights import Trained, find_weights, read_trained
from fgbench.training.context import TrainingContext
from fgbench.workfolders.layout import RUNS, WEIGHTS

DRAWN = "none"
"""Name of a trunk of drawn values."""


def train_images(
    config: TrainImageConfig,
    workdir: Path | str,
    *,
    au_weights: Path | None = None,
    init: Trained | None = None,
    trunk: str | None = None,
    network: Asked | None = None,
    **runs: Unpack[Runs],
) -> list[Path]:
    """Train an image network in every fold and for every seed, its action units first if they are absent.

    Args:
        config: The recipe.
        workdir: Work folder.
        au_weights: Run of action units, or its weights, that all seeds start from; ``None`` trains those that
            the recipe names, each seed its own.
        init: Trained image network to start from instead.
        trunk: Trained image network whose trunk is taken instead: the name of an experiment, a run or its
            weights; ``"none"``: drawn values.
        network: Network of the user's, for a recipe of ``network.trunk`` backbone.
        runs: See :class:`fgbench.methods.steps.contexts.Runs`.

    Returns:
        Folders of the runs.

    Raises:
        ConfigError: If the recipe and its start do not fit.
        DatasetError: If the data set has no classes, or action units are needed and it has none.
        ManifestError: If there are no such weights, or the work folder has no manifests.
        FgbenchError: As of :func:`fgbench.methods.msau.run.run`.
    """
    contexts = open_runs(workdir, **runs)
    if network is not None:
        return [folder for context in contexts for folder in _on_backbone(config, context, network)]
    if trunk is not None:
        return [folder for context in contexts for folder in _on_trunk(config, context, trunk)]
    return [
        folder for context in contexts for folder in train_images_in(config, context, au_weights, init=init)
    ]


def train_images_in(
    config: TrainImageConfig,
    context: TrainingContext,
    au_weights: Path | None = None,
    *,
    init: Trained | None = None,
    trunk: Trained | None = None,
    backbone: Backbone | None = None,
) -> list[Path]:
    """Train as :func:`train_images`, in one context; the trunk has to fit the recipe.

    Returns:
        Folders of the runs: one, or one per number of regions of the recipe.
    """
    context.labels.check_classes()
    context.learning_from(config.losses.target, config.name)
    if init is not None:
        config = image_run.fine_tuned(config)
        context.note(f"recipe {config.name} from {init.name} on {where(context)}")
        return image_run.run(config, context, au_weights, init=init)
    units_from = _unit_weights(config, context, au_weights)
    context.note(f"recipe {config.name} on {where(context)}")
    units = unit_data(context) if config.losses.units else None
    if units is None:
        return image_run.run(config, context, units_from, trunk=trunk, backbone=backbone)
    return image_run.run(config, context, units_from, trunk=trunk, units=units.rows, source=units.source)


def _unit_weights(config: TrainImageConfig, context: TrainingContext, named: Path | None) -> Path | None:
    """Return weights of action units: the named ones, else the recipe's, trained first if absent."""
    if named is not None:
        if weights := find_unit_weights(named):
            return weights
        raise ManifestError(
            f"{named} is neither a finished run of action units nor a file of weights",
            "give a folder that fgbench train au printed",
        )
    if config.au_recipe is None:
        return None
    # Of the same seed, so that seeds differ in the whole chain; a finished one is reused.
    (run,) = train_units_in(load_training(config.au_recipe, TrainAuConfig), replace(context, force=False))
    return find_unit_weights(run)


def _on_trunk(config: TrainImageConfig, context: TrainingContext, trunk: str) -> list[Path]:
    """Train on the trunk of a network (of an experiment: of the same fold and seed), or on drawn values."""
    if trunk == DRAWN:
        return train_images_in(from_scratch(config), context)
    own = context.workdir / RUNS / trunk / context.fold / str(context.seed) / WEIGHTS
    trained = read_trained(own if own.is_file() else find_weights(trunk, context.workdir))
    return train_images_in(on_trunk_of(config, trained), context, trunk=trained)


def _on_backbone(config: TrainImageConfig, context: TrainingContext, network: Asked) -> list[Path]:
    """Train on the last map of a network of the user's."""
    context.labels.check_classes()
    backbone = open_backbone(network, config, context)
    if config.au_recipe is not None:
        context.note(f"no action units: the trunk is {backbone.name}, which the paper does not have")
    return train_images_in(on_backbone(config, backbone.name), context, backbone=backbone)
