"""Baseline ``plain-cnn``: the Plain CNN of Table II, trained from random values on the image set.

The same network, recipes and runs as those of ``fgbench train msau --variant plain-cnn``.
"""

from __future__ import annotations

from pathlib import Path

from fgbench.config import TrainImageConfig
from fgbench.errors import ConfigError
from fgbench.methods.msau import run as image_run
from fgbench.training.context import Place

NEEDS = ()
"""Stages of features that have to be enabled."""


def run(config: TrainImageConfig, place: Place) -> Path:
    """Train on the images of a prepared work folder, and predict its test images.

    Args:
        config: The recipe.
        place: Where.

    Returns:
        Folder of the run.

    Raises:
        ConfigError: If the recipe is that of another network, or training diverges.
        DatasetError: If a part has no images, or a class no training images.
        ManifestError: If manifests are missing or damaged.
        MediaError: If a picture cannot be decoded or has another size.
        ResourceError: If memory or disk are full.
    """
    network = config.network
    if config.au_recipe or config.region_counts or network.zooms or network.trunk.region_layer:
        raise ConfigError(
            f"recipe {config.name} has action units, zooms or a region layer, expected a plain CNN",
            f"fgbench train msau --recipe {config.name}",
        )
    (folder,) = image_run.run(config, place, None)
    return folder
