"""Recipes of networks that look at clips: TMSAU-Net, its spatial stream alone (NAN), Plain TSNet."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from fgbench.config.sections import Fraction, Megabytes, NonNegative, PositiveFloat, Section, Units
from fgbench.config.training import OptimiserConfig, TargetConfig

Dropout = Annotated[float, Field(ge=0.0, lt=1.0)]
InputPx = Annotated[int, Field(ge=64, le=224)]
Width = Annotated[float, Field(gt=0.0, le=2.0)]

Spatial = Literal["attention", "rgb"]
Temporal = Literal["flow", "vgg-lstm", "c3d-lstm"]


class AttentionConfig(Section):
    """Spatial stream ``attention``: frames through a frozen image model, two attention blocks over them
    (paper section IV-B, equations 3 to 5)."""

    features: Literal["face", "all", "mac"] = "face"
    """Description of a frame: ``face`` embedding and maximum activations of the whole face (2304
    numbers), ``all`` those of the enlarged regions too, ``mac`` the maximum activations alone (256). The
    paper says 256 without saying which."""
    size: Units = 256
    """Numbers per frame that are attended to (paper section IV-B: 256)."""
    project: bool = True
    """Whether a linear layer makes them of the frame's description; without it the sizes have to agree. Not
    stated in the paper."""
    normalise: Literal["batch", "l2", "none"] = "batch"
    """Batch normalisation of these numbers (not stated in the paper), or unit length as in NAN."""
    dropout: Dropout = 0.0
    """Dropout before the classifiers."""
    frames: Units = 64
    """Most frames of a clip, evenly spread. Not stated in the paper."""
    train_frames: Units | None = None
    """Frames of a clip that are drawn per epoch, one from each of as many equal parts; ``null`` takes all.
    Not stated in the paper."""


class SnippetConfig(Section):
    """GoogLeNet over short pieces of a clip: of stacked flow (temporal ``flow``) or single frames (spatial
    ``rgb``); the logits of the pieces are averaged (paper section V-C; TSN)."""

    input_px: InputPx = 224
    """Side of what the network sees."""
    width: Width = 1.0
    """Factor of all numbers of channels; less than 1 is for machines without GPU."""
    dropout: Dropout = 0.8
    """Dropout before the classifiers. Not stated in the paper; 0.8 is TSN's."""
    train_snippets: Units = 3
    """Pieces per clip in training, one at a random place in each of as many equal parts (TSN)."""
    test_snippets: Units = 25
    """Pieces per clip in test, evenly spread (TSN)."""


class RgbConfig(SnippetConfig):
    """Spatial stream ``rgb``: single frames (paper section V-C)."""

    train_on: Literal["video", "image"] = "video"
    """Frames that are trained on: ``video`` those of the whole clip, ``image`` those of the image set, near
    the key frame, which tell more where clips are few; a clip without any has all of its frames trained on.
    In test a clip's frames are taken from all of it. Not stated in the paper."""


class FlowConfig(SnippetConfig):
    """Temporal stream ``flow``: stacks of optical flow (paper section IV-B)."""

    length: Units = 5
    """Fields per stack, of two channels each. Not stated in the paper; TSN has 5, the two-stream network of
    2014 has 10."""


class VggLstmConfig(Section):
    """Temporal stream ``vgg-lstm``: VGG16 per frame, an LSTM over frames (paper section V-F, Table V)."""

    input_px: InputPx = 224
    """Side of what the network sees."""
    width: Width = 1.0
    """Factor of all numbers of channels."""
    batch_norm: bool = False
    """Batch normalisation after each convolution; for training from random values."""
    fc: Units = 4096
    """Units of fc6."""
    hidden: Units = 128
    """Units of the LSTM. Not stated in the paper."""
    dropout: Dropout = 0.5
    """Dropout after fc6."""
    frames: Units = 16
    """Frames of a clip, evenly spread. Not stated in the paper."""


class C3dLstmConfig(Section):
    """Temporal stream ``c3d-lstm``: C3D over windows of frames, an LSTM over windows (paper section V-F)."""

    input_px: InputPx = 112
    """Side of what the network sees; published weights of C3D need 112."""
    width: Width = 1.0
    """Factor of all numbers of channels."""
    batch_norm: bool = False
    """Batch normalisation after each convolution; for training from random values."""
    fc: Units = 4096
    """Units of fc6."""
    hidden: Units = 128
    """Units of the LSTM. Not stated in the paper."""
    dropout: Dropout = 0.5
    """Dropout after fc6."""
    stride: Units = 8
    """Frames from the start of one window of 16 to that of the next. Not stated in the paper."""
    windows: Units = 8
    """Most windows of a clip, evenly spread. Not stated in the paper."""


class ClipLossConfig(TargetConfig):
    """Losses of clip networks (paper section IV-B: those of MSAU-Net)."""

    fine: NonNegative = 0.5
    """Weight of the softmax loss over the fine classes."""
    basic: NonNegative = 0.5
    """Weight of the softmax loss over the upper classes; 0 trains without them."""
    on: Literal["streams", "fused"] = "fused"
    """``fused``: the losses of the fused probabilities (paper section IV-B: "jointly trained by the final
    class score fusion"); ``streams`` (ours): each stream has its own losses, which are added, so that each
    stays a classifier by itself and the weight of their fusion can be changed afterwards."""

    @model_validator(mode="after")
    def _some_weight(self) -> Self:
        if self.fine + self.basic <= 0:
            raise ValueError("fine and basic are both 0; at least one has to be positive")
        return self

    def without_basic(self) -> Self:
        """The same for classes without upper classes."""
        return self.model_copy(update={"basic": 0.0, "fine": self.fine or self.basic})


class DistortConfig(Section):
    """Random changes of the frames that a stream is trained on, the same for all frames of a clip; optical
    flow and descriptions of frames (spatial ``attention``) stay as they are. 0 changes nothing. Not stated in
    the paper."""

    colour: Fraction = 0.0
    """Brightness and contrast change by factors between 1 - c and 1 + c, red, green and blue each by half as
    much, and saturation by a factor between 1 - 3 c (at least 0) and 1 + c."""
    grey: Fraction = 0.0
    """Share of clips that are seen in grey."""
    size: Fraction = 0.0
    """Greatest change of size, as a logarithm (0.1: about a tenth); that of height to width is half of it."""
    turn_deg: Annotated[float, Field(ge=0.0, le=45.0)] = 0.0
    """Greatest turn to either side."""
    shift: Fraction = 0.0
    """Greatest shift along each axis, as a share of half the side."""


class ClipDataConfig(Section):
    """Clips on their way into a network (paper section V-B)."""

    enlarge: Annotated[float, Field(ge=1.0, le=2.0)] = 256 / 224
    """Frames and flow are enlarged by this factor before crops are taken. Not stated in the paper."""
    crops: Literal["five", "centre"] = "five"
    """Crops in training: the four corners and the centre (paper), or the centre alone; in test the centre."""
    flip: bool = True
    """Whether training clips are mirrored at random (paper); horizontal flow then changes its sign."""
    distort: DistortConfig = DistortConfig()
    resident_mb: Megabytes = 16384
    """Memory for the decoded frames, and for the flow, of all clips; more are read from disk when needed."""


class TrainClipConfig(Section):
    """A recipe of ``fgbench train tmsau``, ``fgbench baseline nan`` or ``fgbench baseline plain-tsnet``."""

    name: str
    """Name of the recipe and of the experiment."""
    description: str = ""
    """One sentence for people."""
    method: str
    """Row of Table II, or column of Table V, that it is."""
    tuned_on_test: bool = False
    """Whether settings were sought with the test samples of a data set: every table says so of its runs."""
    image_recipe: str | None = None
    """Recipe of the image model that describes frames, and stays as it is; needed by ``attention``."""
    spatial: Spatial | None = "attention"
    """Stream that looks at single frames."""
    temporal: Temporal | None = "flow"
    """Stream that looks at movement."""
    fusion_weight: Fraction = 0.5
    """Weight of the spatial stream's probabilities (paper section IV-B: 0.5)."""
    attention: AttentionConfig = AttentionConfig()
    rgb: RgbConfig = RgbConfig()
    flow: FlowConfig = FlowConfig(dropout=0.7)
    vgg_lstm: VggLstmConfig = VggLstmConfig()
    c3d_lstm: C3dLstmConfig = C3dLstmConfig()
    losses: ClipLossConfig = ClipLossConfig()
    choose_by: Literal["uar", "probability"] = "uar"
    """Score on validation that chooses the epoch: ``uar`` the mean accuracy of the classes, ``probability``
    the mean over classes of the probability of the true class, which says more where validation clips are
    few. Not stated in the paper."""
    head_factor: PositiveFloat = 1.0
    """Factor of the learning rate of classifiers, attention and LSTMs, which always start from drawn values.
    Not stated in the paper."""
    optimiser: OptimiserConfig = OptimiserConfig()
    data: ClipDataConfig = ClipDataConfig()

    @model_validator(mode="after")
    def _streams_fit(self) -> Self:
        if self.spatial is None and self.temporal is None:
            raise ValueError("spatial and temporal are both null; a network has at least one stream")
        if (self.spatial == "attention") != (self.image_recipe is not None):
            raise ValueError(
                "the spatial stream 'attention' looks at frames through an image model: name its recipe in "
                "image_recipe, and name none without that stream"
            )
        return self

    @property
    def streams(self) -> tuple[str, ...]:
        """Names of the streams: ``"spatial"``, ``"temporal"``, or both."""
        named = {"spatial": self.spatial, "temporal": self.temporal}
        return tuple(name for name, kind in named.items() if kind is not None)
