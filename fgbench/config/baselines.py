"""Recipes of ``fgbench baseline``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from fgbench.config.sections import NonNegative, PositiveFloat, Section
from fgbench.config.training import OptimiserConfig

Penalty = Annotated[float, Field(gt=0.0, le=1e9)]
Penalties = Annotated[tuple[Penalty, ...], Field(min_length=1, max_length=100)]


class BaselineConfig(Section):
    """What the recipes of all baselines have in common."""

    name: str
    """Name of the recipe."""
    description: str = ""
    """One sentence for people."""
    tuned_on_test: bool = False
    """Whether settings were sought with the test samples of a data set: every table says so of its runs."""


class LbpSvmConfig(BaselineConfig):
    """A recipe of ``fgbench baseline lbp-svm``."""

    c_values: Penalties
    """Penalties to choose from."""
    gamma_factors: Annotated[tuple[PositiveFloat, ...], Field(max_length=100)] = ()
    """Gammas of the RBF kernel, as multiples of 1 / (features x variance); empty: linear kernel only."""


class DenseTrajSvmConfig(BaselineConfig):
    """A recipe of ``fgbench baseline dense-traj-svm``."""

    words: Annotated[int, Field(ge=2, le=65_536)] = 4000
    """Words per channel; fewer are made where there are fewer descriptors."""
    samples: Annotated[int, Field(ge=2, le=10_000_000)] = 100_000
    """Training descriptors per channel that words are made from."""
    runs: Annotated[int, Field(ge=1, le=1000)] = 8
    """Runs of k-means, of which the best is kept."""
    c_values: Penalties
    """Penalties to choose from."""


class InsightFaceConfig(BaselineConfig):
    """A recipe of ``fgbench baseline insightface``."""

    method: str
    """Row of Table II that it is."""
    depth: Literal[50, 100] = 50
    """Layers of the IResNet."""
    freeze_backbone: bool = False
    """Whether the backbone stays as it is: its 512 features of every image are computed once and kept in the
    work folder, and the head alone is trained on them. For machines without GPU; the paper fine-tunes."""
    head: Literal["softmax", "arcface"] = "softmax"
    """Classifier on the 512 features; not stated in the paper."""
    arcface_scale: PositiveFloat = 64.0
    """Scale s of the ArcFace head."""
    arcface_margin: NonNegative = 0.5
    """Angular margin m of the ArcFace head, in radians."""
    head_rate: PositiveFloat = 1e-3
    """Learning rate of the head; the backbone has ``optimiser.learning_rate``. Not stated in the paper."""
    optimiser: OptimiserConfig = OptimiserConfig()
    flip: bool = True
    """Whether training images are mirrored at random."""
    copies: bool = True
    """Whether augmented copies train too."""
