"""Trunks of image models other than that of the recipe's action units: drawn, or of another network.

Reads and writes nothing.
"""

from __future__ import annotations

from typing import Any

from fgbench.config import TrainImageConfig
from fgbench.config.map_trunks import BACKBONE
from fgbench.errors import ConfigError, ManifestError
from fgbench.runs.results import read_result
from fgbench.runs.weights import Trained


def from_scratch(config: TrainImageConfig) -> TrainImageConfig:
    """Return the recipe, as an experiment of its own, with a trunk that trains from drawn values.

    Raises:
        ConfigError: If the recipe trains on action units, which need a detector.\n
    """
    if config.losses.units:
        raise _wants_units(config)
    return _changed(
        config,
        name=f"{config.name}-from-scratch",
        method=f"{config.method}, from scratch",
        network=config.network.trained_whole(),
    )


def on_trunk_of(config: TrainImageConfig, trunk: Trained) -> TrainImageConfig:
    """Return the recipe, as an experiment of its own, on the trunk of an image network.

    The trunk trains, except for the parts in ``network.freeze`` and before ``network.unfreeze_after``.

    Raises:
        ConfigError: If the recipe trains on action units, which need a detector, or has another trunk.
        ManifestError: If it is no image network, or its result is damaged.
    """
    trunk.require("image", purpose="to take the trunk of")
    if config.losses.units:
        raise _wants_units(config)
    check_trunk(trunk, config)
    network = config.network
    if network.unfreeze_after is not None:
        network = network.model_copy(update={"freeze": config.frozen})
    experiment = trunk.metadata["experiment"]
    method = None if trunk.run is None else read_result(trunk.run)["details"].get("method")
    return _changed(
        config,
        name=f"{config.name}-on-{experiment}-trunk",
        method=f"{config.method}, trunk of {method or experiment}",
        network=network,
    )


def on_backbone(config: TrainImageConfig, name: str) -> TrainImageConfig:
    """Return the recipe, as an experiment of its own, on a network of the user's, which the paper does not
    have.

    The trunk is frozen unless ``network.freeze`` is none, and until ``network.unfreeze_after``.

    Args:
        config: A recipe of ``network.trunk`` backbone.
        name: Name of the network.
    """
    return _changed(
        config,
        name=f"{config.name}-on-{name}",
        method=f"{config.method}, trunk of {name}",
        network=config.network.model_copy(update={"freeze": config.frozen}),
    )


def check_trunk(trunk: Trained, config: TrainImageConfig) -> None:
    """Refuse a network whose trunk does not fit a recipe; one without region layer fits one with.

    Raises:
        ConfigError: If it does not fit.\n
        ManifestError: If the weights do not describe their trunk.
    """
    described = trunk.metadata["network"].get("trunk")
    if not isinstance(described, dict):
        raise ManifestError(f"{trunk.path} does not tell of its trunk", "train the network anew")
    if described.get("kind") == BACKBONE or config.network.is_on_backbone:
        raise ConfigError(
            f"{trunk.path} and recipe {config.name}: one of them has a network of the user's as trunk, "
            "expected the paper's in both",
            "leave --trunk out and name the network itself: --set network.trunk=backbone --hf FOLDER",
        )
    wanted = config.network.trunk.model_dump(mode="json")
    different = sorted(
        key
        for key, value in wanted.items()
        if described.get(key) != value and not (key == "region_layer" and described.get(key) is False)
    )
    if different:
        raise ConfigError(
            f"{trunk.path} has another trunk than recipe {config.name}: {', '.join(different)} differ",
            "take a recipe of the same size (both small, or neither)",
        )


def _wants_units(config: TrainImageConfig) -> ConfigError:
    return ConfigError(
        f"recipe {config.name} trains on action units, which needs the trunk of a detector of them",
        "leave out --trunk, or take a recipe with losses.units 0",
    )


def _changed(config: TrainImageConfig, **changes: Any) -> TrainImageConfig:
    """A recipe without action units; maps are kept of a frozen trunk alone."""
    network = changes["network"]
    data = config.data.model_copy(update={"keep_maps": config.data.keep_maps and network.freeze == "trunk"})
    return config.model_copy(update={**changes, "au_recipe": None, "data": data})
