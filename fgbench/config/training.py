"""Recipes of ``fgbench train``, and the sections of networks."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from fgbench.config.map_trunks import AnyTrunk, BackboneTrunkConfig, TrunkConfig
from fgbench.config.sections import Count, Megabytes, NonNegative, Positive, PositiveFloat, Section, Units

Regions = Annotated[int, Field(ge=1, le=36)]
"""Number of regions: there are 6 x 6 cells."""

Frozen = Literal["trunk", "stem", "none"]
"""Part of a pretrained trunk that is frozen."""


Target = Literal["hard", "soft"]
"""Target of softmax losses: the settled class, or the shares of the votes."""


class TargetConfig(Section):
    """Target of the softmax losses."""

    target: Target = "hard"
    """``hard``: the settled class of a clip; ``soft``: the shares of its annotators' votes for the classes,
    and for the upper classes their sums. Clips without votes keep their class. The ranking loss, validation
    and test go by the settled class. Not stated in the paper, which trains on the settled class."""


_TRUNK_TRAINING: dict[str, Any] = {"freeze": None, "unfreeze_after": None, "unfreeze_rate": 1.0}
"""Default training of the trunk of a network."""


class NetworkConfig(Section):
    """MSAU-Net and what is left of it in its ablations (paper section IV-A, Table II)."""

    trunk: AnyTrunk = TrunkConfig()
    """The paper's trunk (DRML with a last map of 6 x 6 x 256; section IV-A); or ``backbone``: a network of
    the user's, whose last map takes its place, which is not stated in the paper."""
    fc_hidden: Units | None = 4096
    """Units of fc8; ``null`` leaves the layer out."""
    embedding: Units = 2048
    """Units of fc9 (paper section IV-A: 2048)."""
    dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.5
    """Dropout after fc8 and fc9, as DRML has it."""
    mac: bool = True
    """Whether the maximum activations of the last map (256) join the embedding."""
    mac_norm: bool = False
    """Batch normalisation of these activations. Not stated in the paper."""
    zooms: Annotated[int, Field(ge=0, le=36)] = 1
    """Regions that are looked at again, enlarged: 0 (no second scale), 1, or more (progressive variant)."""
    zoom_side_px: Literal[37, 64, 96, 160] = 96
    """Side of a region in px of the 224 px face. The paper has both 160 (receptive field, section IV-A) and
    37 (one of 6 x 6 cells, section V-E)."""
    suppress_radius: Annotated[int, Field(ge=0, le=5)] = 1
    """Cells around a chosen one that are not chosen any more; 0 is the literal reading of section V-E."""
    freeze: Frozen | None = None
    """Layers of the trunk that training starts from that stay as they are, batch normalisation included: all,
    its stem (the first convolution and the region layer), or none. ``null`` keeps all of a trunk of action
    units, as the paper says (section IV-A), unless ``losses.units`` trains it, all of a network of the
    user's, and none of any other. Values that are drawn train always."""
    unfreeze_after: Positive | None = None
    """Epochs (of losses that take turns: rounds) after which what is frozen trains too; ``null``: never. Not
    stated in the paper."""
    unfreeze_rate: Annotated[float, Field(gt=0.0, le=1.0)] = 1.0
    """Factor of the learning rate for the trunk that training starts from. Not stated in the paper."""

    @property
    def is_on_backbone(self) -> bool:
        """Whether a network of the user's takes the place of the paper's trunk."""
        return isinstance(self.trunk, BackboneTrunkConfig)

    def built(self) -> dict[str, Any]:
        """Settings that determine the network, as plain values: all but the training of its trunk."""
        return self.model_dump(mode="json", exclude=set(_TRUNK_TRAINING))

    def trained_whole(self) -> NetworkConfig:
        """The same network with nothing frozen, at one rate."""
        return self.model_copy(update=_TRUNK_TRAINING)


class ImageLossConfig(TargetConfig):
    """Losses of image models (paper section IV-A, equation 1)."""

    fine: NonNegative = 0.5
    """Weight of the softmax loss over the fine classes."""
    basic: NonNegative = 0.5
    """Weight of the softmax loss over the upper classes; 0 trains without them ("one softmax")."""
    rank: NonNegative = 0.5
    """Weight of the ranking loss between the scales; 0 trains without it."""
    margin: NonNegative = 0.05
    """Margin of the ranking loss. Not stated in the paper; 0.05 is that of RA-CNN."""
    stop_gradient: bool = True
    """Whether the ranking loss leaves the coarse scale alone. Not stated in the paper."""
    units: NonNegative = 0.0
    """Weight of the multi-label loss over action units, in every step; above 0 the trunk trains too. The
    paper has both: section IV-A fixes the trunk's weights, section V-B computes this loss "at the same time"
    as the softmax losses. Its weight is not stated in the paper."""
    alternate: bool = True
    """Epochs of softmax losses and of the ranking loss in turn (paper: "alternatively optimized"); ``false``
    adds all losses in every step."""


class OptimiserConfig(Section):
    """Optimisation (paper section V-A: SGD, 1e-4, momentum 0.9, weight decay 5e-4, batches of 8)."""

    kind: Literal["sgd", "adamw", "rmsprop"] = "sgd"
    """Optimiser; RMSProp is that of the original NAN."""
    learning_rate: PositiveFloat = 1e-4
    """Highest learning rate."""
    momentum: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.9
    """Momentum of SGD."""
    weight_decay: NonNegative = 5e-4
    """Weight decay."""
    schedule: Literal["constant", "cosine"] = "constant"
    """Course of the learning rate. Not stated in the paper."""
    warmup_epochs: NonNegative = 0.0
    """Epochs of a linear rise at the start."""
    batch: Units = 8
    """Samples per step, over all processes."""
    epochs: Positive = 30
    """Most epochs. Not stated in the paper."""
    patience: Positive = 10
    """Epochs without a better score on validation after which training stops. Not stated in the paper."""
    keep: Literal["best", "last"] = "best"
    """Epoch whose weights are kept: that with the best score on validation, or the last, for validation parts
    too small to tell epochs apart; no epoch is then without progress. Not stated in the paper."""
    score_epochs: Positive = 1
    """Epochs from one score on validation to the next; the last always has one. Not stated in the paper."""
    clip_norm: NonNegative = 0.0
    """Greatest norm of the gradients; 0 does not clip."""
    precision: Literal["fp32", "bf16"] = "fp32"
    """Arithmetic of the forward pass; weights are float32 always."""
    checkpoint_steps: Count = 0
    """Steps between checkpoints inside an epoch; 0 keeps one per epoch."""

    @model_validator(mode="after")
    def _scores_come_within_patience(self) -> Self:
        if self.score_epochs > self.patience:
            raise ValueError(
                f"score_epochs {self.score_epochs} is more than patience {self.patience}; training would "
                "stop before it is scored"
            )
        return self


class ImageDataConfig(Section):
    """Images on their way into a network (paper section V-A)."""

    resize_px: Annotated[int, Field(ge=224, le=512)] = 256
    """Side that stored faces are enlarged to before 224 x 224 crops are taken. Not stated in the paper."""
    crops: Literal["five", "centre"] = "five"
    """Crops in training: the four corners and the centre (paper), or the centre alone; in test the centre."""
    flip: bool = True
    """Whether training images are mirrored at random (paper)."""
    copies: bool = True
    """Whether augmented copies train too."""
    keep_maps: bool = False
    """Compute the last maps of a frozen trunk once for every crop, and train on them: the same result up to
    float16, which the maps are kept in, many times faster, for a disk and memory of about 20 kB per crop and
    scale. Measured with a small network over 6 epochs: losses differ by up to 1.3e-6 of them, probabilities
    by up to 6e-6, no predicted class."""
    resident_mb: Megabytes = 16384
    """Memory for images; a larger set is streamed from disk."""


class TrainImageConfig(Section):
    """A recipe of ``fgbench train msau`` or ``fgbench baseline plain-cnn``."""

    name: str
    """Name of the recipe and of the experiment."""
    description: str = ""
    """One sentence for people."""
    method: str
    """Row of Table II that it is, as the paper names it."""
    tuned_on_test: bool = False
    """Whether settings were sought with the test samples of a data set: every table says so of its runs."""
    au_recipe: str | None = None
    """Recipe of the AU pretraining whose trunk is taken (``network.freeze`` says what of it is frozen);
    ``null`` trains the trunk from drawn values."""
    region_counts: Annotated[tuple[Regions, ...], Field(max_length=36)] = ()
    """Numbers of regions to train with, one run each (Figure 7); empty: ``network.zooms`` alone."""
    network: NetworkConfig = NetworkConfig()
    losses: ImageLossConfig = ImageLossConfig()
    optimiser: OptimiserConfig = OptimiserConfig()
    data: ImageDataConfig = ImageDataConfig()

    @model_validator(mode="after")
    def _losses_have_their_scales(self) -> Self:
        if self.losses.rank and not self.network.zooms:
            raise ValueError("losses.rank needs a second scale; set network.zooms to 1 or losses.rank to 0")
        if self.losses.units and self.au_recipe is None:
            raise ValueError(
                "losses.units needs a detector of action units; name an au_recipe or set it to 0"
            )
        return self

    @model_validator(mode="after")
    def _a_backbone_can_be_trained_so(self) -> Self:
        if not self.network.is_on_backbone:
            return self
        if self.network.freeze == "stem":
            raise ValueError(
                "network.freeze is stem, which network.trunk backbone has not; set it to trunk or none"
            )
        if self.losses.units:
            raise ValueError(
                "losses.units needs the outputs of a detector of action units, which network.trunk backbone "
                "has not; set it to 0"
            )
        return self

    @model_validator(mode="after")
    def _what_is_frozen_agrees(self) -> Self:
        network, frozen = self.network, self.frozen
        if self.data.keep_maps and frozen != "trunk":
            if self.losses.units and network.freeze is None:
                raise ValueError(
                    "data.keep_maps needs a frozen trunk, which losses.units trains; set one to 0 or false"
                )
            if network.freeze is None:
                raise ValueError(
                    "data.keep_maps needs a frozen trunk; name an au_recipe or set keep_maps to false"
                )
            raise ValueError(
                f"data.keep_maps needs a frozen trunk, but network.freeze is {network.freeze}; set it to "
                "trunk, or keep_maps to false"
            )
        if self.losses.units and frozen == "trunk" and network.unfreeze_after is None:
            raise ValueError(
                "losses.units trains the trunk, but network.freeze is trunk; set it to stem or none, or name "
                "network.unfreeze_after"
            )
        if network.unfreeze_after is not None:
            if frozen == "none":
                raise ValueError(
                    "network.unfreeze_after needs something frozen; set network.freeze to trunk or stem"
                )
            if network.unfreeze_after >= self.optimiser.epochs:
                raise ValueError(
                    f"network.unfreeze_after is {network.unfreeze_after}, but optimiser.epochs "
                    f"{self.optimiser.epochs}: nothing would ever unfreeze; set it lower, or to null"
                )
        return self

    @property
    def frozen(self) -> Frozen:
        """Part of a pretrained trunk that is frozen, at first or always."""
        if self.network.freeze is not None:
            return self.network.freeze
        if self.network.is_on_backbone:
            return "trunk"
        return "none" if self.au_recipe is None or self.losses.units else "trunk"


class TrainAuConfig(Section):
    """A recipe of ``fgbench train au``: action units on faces (paper section IV-A, equation 2)."""

    name: str
    """Name of the recipe and of the experiment."""
    description: str = ""
    """One sentence for people."""
    action_units: Annotated[tuple[str, ...], Field(min_length=1, max_length=100)]
    """Names, e.g. ``au12``; one that a data set does not annotate is masked there."""
    frame_step: Positive = 1
    """Take every n-th frame of a clip."""
    negatives_per_positive: NonNegative = 2.0
    """Negatives of a unit that count in an epoch, per positive; the others are masked at random. Not stated
    in the paper; 0 keeps all."""
    trunk: TrunkConfig = TrunkConfig()
    fc_hidden: Units | None = 4096
    """Units of fc8; ``null`` leaves the layer out."""
    embedding: Units = 2048
    """Units of fc9."""
    dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.5
    """Dropout after fc8 and fc9."""
    optimiser: OptimiserConfig = OptimiserConfig()
    data: ImageDataConfig = ImageDataConfig()
