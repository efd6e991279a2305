"""Recipes of ``fgbench baseline``."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from fgbench.config.sections import NonNegative, PositiveFloat, Section
from fgbench.config.training import ImageDataConfig, OptimiserConfig, TargetConfig
from fgbench.errors import ConfigError

Penalty = Annotated[float, Field(gt=0.0, le=1e9)]
Penalties = Annotated[tuple[Penalty, ...], Field(min_length=1, max_length=100)]


class BaselineConfig(Section):
    """Keys of the recipes of all baselines."""

    name: str
    """Name of the recipe."""
    description: str = ""
    """One sentence for people."""
    tuned_on_test: bool = False
    """Whether settings were sought with the test samples of a data set: every table says so of its runs."""


class ImageNetworkConfig(BaselineConfig):
    """Keys of the recipes of users' own image networks, see :mod:`fgbench.methods.image_network`."""

    method: str = ""
    """Name in tables; empty: the name of the recipe."""
    losses: TargetConfig = TargetConfig()
    optimiser: OptimiserConfig = OptimiserConfig()
    data: ImageDataConfig = ImageDataConfig()

    @model_validator(mode="after")
    def _keeps_no_maps(self) -> Self:
        if self.data.keep_maps:
            raise ValueError("data.keep_maps is for the trunk of MSAU-Net; set it to false")
        return self


Solver = Literal["exact", "nystroem"]
"""Ways to fit a machine."""


class SvmConfig(BaselineConfig):
    """Keys of the recipes of baselines with a support vector machine."""

    c_values: Penalties
    """Penalties to choose from."""
    solver: Literal["auto", "exact", "nystroem"] = "auto"
    """``exact`` takes the kernel between all n training samples, 8 n^2 bytes; ``nystroem`` approximates it
    from ``landmarks`` of them (a linear kernel stays as it is), with the squared hinge loss, in memory that
    grows as n does; ``auto`` is ``exact`` for at most ``exact_up_to`` training samples, and ``nystroem``
    above. Not stated in the paper."""
    exact_up_to: Annotated[int, Field(ge=0, le=1_000_000)] = 20_000
    """Most training samples for which ``auto`` is ``exact``; 20,000 take 3 to 4 GB, with ``lbp-svm``
    5 to 7."""
    landmarks: Annotated[int, Field(ge=2, le=20_000)] = 1000
    """Training samples, drawn at random, that ``nystroem`` approximates kernels from."""

    def solver_for(self, n_train: int) -> Solver:
        """Return the solver for a number of training samples."""
        if self.solver == "auto":
            return "exact" if n_train <= self.exact_up_to else "nystroem"
        return self.solver


LbpKernel = Literal["linear", "rbf", "chi2"]
"""Kernels of ``lbp-svm``."""

LbpNormalisation = Literal["none", "hellinger"]
"""Normalisations of its histograms."""


class LbpSvmConfig(SvmConfig):
    """A recipe of ``fgbench baseline lbp-svm``. Nothing here but the features and the SVM is the paper's."""

    normalisations: Annotated[tuple[LbpNormalisation, ...], Field(min_length=1, max_length=2)] = (
        "none",
        "hellinger",
    )
    """Normalisations to choose from. ``none``: histograms whose cells add up to 1; ``hellinger``: the root of
    each of their numbers."""
    kernels: Annotated[tuple[LbpKernel, ...], Field(min_length=1, max_length=3)] = ("linear", "rbf", "chi2")
    """Kernels to choose from: ``linear``; ``rbf``, exp(-gamma |a - b|²); ``chi2``,
    exp(-gamma sum((a - b)² / (a + b)))."""
    gamma_factors: Annotated[tuple[PositiveFloat, ...], Field(min_length=1, max_length=100)] = (
        0.3,
        1.0,
        3.0,
    )
    """Gammas to choose from: of ``rbf`` as multiples of 1 / (features x variance), of ``chi2`` of 1 / (mean
    sum between training images)."""
    selection: Literal["auto", "inner-cv", "part"] = "auto"
    """Choice of settings: ``part``, by the validation part or fold; ``inner-cv``, by cross-validation over
    groups (persons, mostly) of training and selection together, whose machine is fitted to all in the
    end; ``auto``: ``inner-cv`` where the protocol is k-fold, else ``part``."""
    inner_folds: Annotated[int, Field(ge=3, le=100)] = 5
    """Folds of ``inner-cv``; fewer where there are fewer groups."""
    refit: bool = False
    """Whether a machine chosen on a part is fitted anew to training and selection images together, with the
    settings chosen; with ``inner-cv`` it always is."""

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        for key in ("normalisations", "kernels"):
            values = getattr(self, key)
            if len(set(values)) < len(values):
                raise ValueError(f"{key} names one twice: {', '.join(values)}")
        return self


class DenseTrajSvmConfig(SvmConfig):
    """A recipe of ``fgbench baseline dense-traj-svm``."""

    words: Annotated[int, Field(ge=2, le=65_536)] = 4000
    """Words per channel; fewer are made where there are fewer descriptors."""
    samples: Annotated[int, Field(ge=2, le=10_000_000)] = 100_000
    """Training descriptors per channel that words are made from."""
    runs: Annotated[int, Field(ge=1, le=1000)] = 8
    """Runs of k-means, of which the best is kept."""


class InsightFaceConfig(BaselineConfig):
    """A recipe of ``fgbench baseline insightface``."""

    method: str
    """Row of Table II that it is."""
    depth: Literal[18, 50, 100] = 50
    """Layers of the IResNet."""
    width: Annotated[float, Field(ge=0.25, le=4.0)] = 1.0
    """Factor of all its numbers of channels; published weights have 1."""
    freeze_backbone: bool = False
    """Whether the backbone stays as it is: its 512 features of every image are computed once and kept in the
    work folder, and the head alone is trained on them. For machines without GPU; the paper fine-tunes."""
    head: Literal["softmax", "arcface"] = "softmax"
    """Classifier on the 512 features; not stated in the paper."""
    arcface_scale: PositiveFloat = 64.0
    """Scale s of the ArcFace head."""
    arcface_margin: NonNegative = 0.5
    """Angular margin m of the ArcFace head, in radians."""
    crops: Literal["wide", "stored"] = "wide"
    """Pictures that 112 x 112 crops are cut from: ``wide`` the faces of stage ``wide_faces``, which hold them
    whole; ``stored`` the 224 px faces, which lack about a quarter of a crop, filled by repeating their
    border: for work folders whose videos are gone."""
    head_rate: PositiveFloat = 1e-3
    """Learning rate of the head; the backbone has ``optimiser.learning_rate``. Not stated in the paper."""
    losses: TargetConfig = TargetConfig()
    optimiser: OptimiserConfig = OptimiserConfig()
    flip: bool = True
    """Whether training images are mirrored at random."""
    copies: bool = True
    """Whether augmented copies train too."""

    @model_validator(mode="after")
    def _margin_is_of_one_class(self) -> Self:
        if self.head == "arcface" and self.losses.target == "soft":
            raise ValueError(
                "losses.target soft has no meaning with head arcface, whose margin is that of one class; set "
                "head to softmax, or losses.target to hard"
            )
        return self

    def check_trainable(self) -> None:
        """Refuse to train a frozen backbone without weights.

        Raises:
            ConfigError: If the backbone is frozen.
        """
        if self.freeze_backbone:
            raise ConfigError(
                f"recipe {self.name} freezes the backbone, which needs weights, and there are none",
                "give weights, or take a recipe with freeze_backbone: false (--recipe insightface, on two "
                "cores insightface-small-from-scratch)",
            )
