"""Recipes of ``fgbench baseline``."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from fgbench.config.sections import Section


class BaselineConfig(Section):
    """What the recipes of all baselines have in common."""

    name: str
    """Name of the recipe."""
    description: str = ""
    """One sentence for people."""


class LbpSvmConfig(BaselineConfig):
    """A recipe of ``fgbench baseline lbp-svm``."""

    c_values: Annotated[tuple[float, ...], Field(min_length=1)]
    """Penalties to choose from."""
    gamma_factors: tuple[float, ...] = ()
    """Gammas of the RBF kernel, as multiples of 1 / (features x variance); empty: linear kernel only."""


class DenseTrajSvmConfig(BaselineConfig):
    """A recipe of ``fgbench baseline dense-traj-svm``."""

    words: Annotated[int, Field(ge=2)] = 4000
    """Words per channel; fewer are made where there are fewer descriptors."""
    samples: Annotated[int, Field(ge=2)] = 100_000
    """Training descriptors per channel that words are made from."""
    runs: Annotated[int, Field(ge=1)] = 8
    """Runs of k-means, of which the best is kept."""
    c_values: Annotated[tuple[float, ...], Field(min_length=1)]
    """Penalties to choose from."""


BASELINES: dict[str, type[BaselineConfig]] = {"lbp-svm": LbpSvmConfig, "dense-traj-svm": DenseTrajSvmConfig}
"""Recipe model of each baseline."""
