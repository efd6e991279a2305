"""Baseline ``plain-tsnet``: two streams of GoogLeNet, on frames and on optical flow (paper section V-C).

TMSAU-Net without attention and without MSAU-Net: the classes of single frames and of stacks of flow are
averaged over a clip, and then over the streams.
"""

from __future__ import annotations

from pathlib import Path

from fgbench.config import TrainVideoConfig
from fgbench.errors import ConfigError
from fgbench.methods.tmsau import run as video_run
from fgbench.training.context import Place

NEEDS = ("optical_flow",)
"""Stages of features that have to be enabled."""


def run(config: TrainVideoConfig, place: Place, weights: Path | None) -> Path:
    """Train on the clips of a prepared work folder, and predict its test clips.

    Args:
        config: The recipe.
        place: Where.
        weights: GoogLeNet as torchvision names it, which both streams start from; ``None`` starts from drawn
            values.

    Returns:
        Folder of the run.

    Raises:
        ConfigError: If the recipe is that of another network, or training diverges.
        DatasetError: If a part has no clips, or a class no training clips.
        ManifestError: If manifests or weights are missing or damaged.
        MediaError: If a picture cannot be decoded or has another size.
        ResourceError: If memory or disk are full.
    """
    if config.spatial != "rgb" or config.temporal != "flow":
        raise ConfigError(
            f"recipe {config.name} has the streams spatial: {config.spatial}, temporal: {config.temporal}, "
            "expected rgb and flow",
            f"fgbench train tmsau --recipe {config.name}",
        )
    return video_run.run(config, place, None, weights)
