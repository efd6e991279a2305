"""Baseline ``nan``: attention over frames that a frozen image model describes (paper section V-C).

The neural aggregation network (Yang et al. 2017); the row NAN of Table II is the spatial stream of TMSAU-Net
alone. The same network, recipes and runs as those of ``fgbench train tmsau`` without its temporal stream.
"""

from __future__ import annotations

from pathlib import Path

from fgbench.config import TrainVideoConfig
from fgbench.errors import ConfigError
from fgbench.methods.tmsau import run as video_run
from fgbench.runs.weights import Trained
from fgbench.training.context import Place

NEEDS = ()
"""Stages of features that have to be enabled."""


def run(config: TrainVideoConfig, place: Place, image: Trained | None) -> Path:
    """Train on the clips of a prepared work folder, and predict its test clips.

    Args:
        config: The recipe.
        place: Where.
        image: The image model that describes frames; without one the run is refused.

    Returns:
        Folder of the run.

    Raises:
        ConfigError: If the recipe is that of another network, or training diverges.
        DatasetError: If a part has no clips, or a class no training clips.
        ManifestError: If manifests or weights are missing or damaged.
        MediaError: If a picture cannot be decoded or has another size.
        ResourceError: If memory or disk are full.
    """
    if config.spatial != "attention" or config.temporal is not None:
        raise ConfigError(
            f"recipe {config.name} has the streams spatial: {config.spatial}, temporal: {config.temporal}, "
            "expected attention alone",
            f"fgbench train tmsau --recipe {config.name}",
        )
    return video_run.run(config, place, image)
