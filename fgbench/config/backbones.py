"""Recipes of ``fgbench baseline backbone``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from fgbench.config.backbone_inputs import Architecture, BackboneInputConfig
from fgbench.config.baselines import BaselineConfig, LbpSvmConfig, Penalties
from fgbench.config.finetuning import FinetuneConfig
from fgbench.config.sections import PositiveFloat, Section

HeadKind = Literal["logistic", "linear-svm", "rbf-svm", "knn"]
"""Classifiers on the features."""


class BackboneHeadConfig(Section):
    """Classifier on the features of a frozen network. Not stated in the paper."""

    kind: HeadKind = "logistic"
    """``logistic``: softmax regression with an L2 penalty; ``linear-svm`` and ``rbf-svm``: one-vs-rest
    machines with calibrated probabilities; ``knn``: share of the nearest training features."""
    balanced: bool = False
    """Whether classes weigh alike, whatever their number of training images."""
    scaling: Literal["none", "length", "standard"] = "standard"
    """``length``: features have length 1; ``standard``: each has mean 0 and deviation 1 over training
    images."""
    c_values: Penalties = (0.0001, 0.001, 0.01, 0.1, 1.0)
    """Penalties to choose from; of ``logistic`` the inverse of the L2 penalty."""
    gamma_factors: Annotated[tuple[PositiveFloat, ...], Field(min_length=1, max_length=100)] = (0.3, 1.0, 3.0)
    """Gammas of ``rbf-svm`` to choose from, as multiples of 1 / (features x variance)."""
    neighbours: Annotated[
        tuple[Annotated[int, Field(ge=1, le=10_000)], ...], Field(min_length=1, max_length=100)
    ] = (1, 5, 15, 45)
    """Numbers of neighbours of ``knn`` to choose from."""
    solver: Literal["auto", "exact", "nystroem"] = "auto"
    """As of ``lbp-svm``."""
    exact_up_to: Annotated[int, Field(ge=0, le=1_000_000)] = 20_000
    """As of ``lbp-svm``."""
    landmarks: Annotated[int, Field(ge=2, le=20_000)] = 1000
    """As of ``lbp-svm``."""
    selection: Literal["auto", "inner-cv", "part"] = "auto"
    """Choice of settings, as of ``lbp-svm``: by the validation part, or by cross-validation over groups."""
    inner_folds: Annotated[int, Field(ge=3, le=100)] = 5
    """Folds of ``inner-cv``; fewer where there are fewer groups."""
    refit: bool = False
    """Whether what was chosen on a part is fitted anew to training and selection images together."""

    def svm(self, name: str) -> LbpSvmConfig:
        """Return the settings as those of ``lbp-svm``, whose choice and kernels are used."""
        return LbpSvmConfig(
            name=name,
            c_values=self.c_values,
            solver=self.solver,
            exact_up_to=self.exact_up_to,
            landmarks=self.landmarks,
            normalisations=("none",),
            kernels=("rbf",) if self.kind == "rbf-svm" else ("linear",),
            gamma_factors=self.gamma_factors,
            selection=self.selection,
            inner_folds=self.inner_folds,
            refit=self.refit,
        )


class BackboneConfig(BaselineConfig):
    """A recipe of ``fgbench baseline backbone``."""

    network: str = ""
    """Name of the network in those of runs and in tables; empty: that of its file or folder."""
    input: BackboneInputConfig = BackboneInputConfig()
    architecture: Architecture = Field(default_factory=dict)
    """Settings of the network of ``--arch`` that differ from its usual form: those of its configuration in
    ``transformers``, e.g. ``hidden_size``; of fgbench's own networks ``width`` alone."""
    output: str = "auto"
    """Output of an ONNX file, or any tensor in it, that features are read from. ``auto``: its only output; of
    a classifier what its last layer takes."""
    pooling: Literal["auto", "cls", "mean"] = "auto"
    """Reduction of tokens to one vector: the network's own way (a class token where there is one), the class
    token, or their mean."""
    head: BackboneHeadConfig = BackboneHeadConfig()
    finetune: FinetuneConfig = FinetuneConfig()
    """Training of ``--finetune``, whose head is a linear layer; ``head`` is then of no use."""
    copies: bool = False
    """Whether augmented copies train too."""
    batch: Annotated[int, Field(ge=1, le=4096)] = 32
    """Pictures that the network is given at once; results do not depend on it but for the last digits."""
    level: Literal["data", "six"] = "data"
    """Classes of ``--zero-shot`` with a network of pictures and texts: those of the data set, or Ekman's
    six."""
