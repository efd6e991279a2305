"""Recipes of ``fgbench baseline video-backbone``."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from fgbench.config.backbone_inputs import Architecture, BackboneInputConfig
from fgbench.config.backbones import BackboneHeadConfig
from fgbench.config.baselines import BaselineConfig
from fgbench.config.clip_networks import Dropout
from fgbench.config.sections import Count, Section, Units
from fgbench.config.training import OptimiserConfig


class PiecesConfig(Section):
    """Pieces of a clip that a frozen network is given: frames, or windows of frames of one of videos."""

    most: Units = 32
    """Most pieces of a clip, evenly spread."""
    stride: Count = 0
    """Frames from one to the next of a window; 0: the frames of the one window of a clip are evenly spread
    over all of it. Of networks of videos alone."""


class PooledAttentionConfig(Section):
    """Attention over the pieces of a clip: the two blocks of NAN, on frozen features (paper equations 3
    to 5)."""

    size: Units = 256
    """Numbers per piece that are attended to."""
    normalise: Literal["batch", "l2", "none"] = "batch"
    """Normalisation of these numbers, as of ``nan``."""
    dropout: Dropout = 0.0
    """Dropout before the classifier."""


class VideoBackboneConfig(BaselineConfig):
    """A recipe of ``fgbench baseline video-backbone``. Not stated in the paper."""

    network: str = ""
    """As of ``backbone``."""
    input: BackboneInputConfig = BackboneInputConfig()
    architecture: Architecture = Field(default_factory=dict)
    """As of ``backbone``."""
    output: str = "auto"
    """As of ``backbone``."""
    pooling: Literal["auto", "cls", "mean"] = "auto"
    """As of ``backbone``: reduction of the tokens of a piece to one vector."""
    pieces: PiecesConfig = PiecesConfig()
    pool: Literal["mean", "attention"] = "mean"
    """Reduction of the pieces of a clip: ``mean`` of their features, which ``head`` classifies; ``attention``
    is trained together with a classifier, ``head`` is then of no use."""
    head: BackboneHeadConfig = BackboneHeadConfig()
    attention: PooledAttentionConfig = PooledAttentionConfig()
    optimiser: OptimiserConfig = OptimiserConfig(
        kind="adamw", learning_rate=1e-3, batch=16, epochs=60, patience=15
    )
    """Training of ``attention``."""
    batch: Annotated[int, Field(ge=1, le=4096)] = 32
    """Pieces that the network is given at once; results do not depend on it but for the last digits."""

    @model_validator(mode="after")
    def _takes_stored_faces(self) -> Self:
        if self.input.crop != "stored":
            raise ValueError(
                f"input.crop is {self.input.crop}, but frames of clips are kept as stored faces alone; "
                "leave it out"
            )
        return self
