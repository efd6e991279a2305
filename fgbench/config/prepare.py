"""Recipes of ``fgbench prepare``: one section per stage, and no stage reads another's."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    Field,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
    model_validator,
)

from fgbench.config.faces import FacesConfig
from fgbench.config.feature_sections import (
    DenseTrajectoriesConfig,
    LbpConfig,
    OpticalFlowConfig,
    WideFacesConfig,
)
from fgbench.config.features import checked_features
from fgbench.config.sections import Count, Fraction, Positive, Section, Seed
from fgbench.config.settling_rules import checked_rule

Part = Literal["train", "val", "test"]
Weight = Annotated[float, Field(ge=0.0, le=1e9)]
Images = Annotated[int, Field(ge=0, le=10_000_000)]


class DatasetConfig(Section):
    """The data set and the adapter that reads it."""

    adapter: str = "fg_emotions"
    """Plugin in ``fgbench/datasets``."""
    name: str = ""
    """Name written into the manifests; empty is that of the data set's folder."""
    variant: str = ""
    """Benchmark or release of the data set, as its adapter names it; empty is the usual one."""
    scheme: str = "fg33"
    """Label set (``fgbench labels`` lists them). If it is a part of the adapter's, others are left out.
    ``found``: the classes that occur: of the 33, of the basic expressions, or one's own; ``free``: any."""
    classes: Annotated[tuple[str, ...], Field(max_length=10_000)] = ()
    """The classes to tell apart; clips of others are left out. Empty: those of the label set."""
    upper: Annotated[dict[str, str], Field(max_length=10_000)] = Field(default_factory=dict)
    """Upper class of each of ``classes``, where they are not of the 33, which have theirs."""
    synthetic: bool = False
    """Whether the data are drawn; every table of such data says so."""


class ProtocolConfig(Section):
    """Samples that are trained on, chosen on and tested; goes into ``index.json`` as it is."""

    kind: Literal["parts", "k-fold"] = "parts"
    """``parts``: parts of the data set; ``k-fold``: every fold is tested once."""
    label: str = ""
    """Name in tables; empty is what follows from the rest."""
    train: tuple[Part, ...] = ("train",)
    """Parts to train on."""
    selection: tuple[Part, ...] = ("val",)
    """Parts to choose on; none: a tenth of the training groups is held out."""
    test: tuple[Part, ...] = ("test",)
    """Parts to report."""
    folds: Annotated[int, Field(ge=3, le=1000)] = 10
    """Number of folds."""
    group_by: Literal["found", "clip_id", "source_id", "subject_id"] = "found"
    """Groups that folds, and what is held out, must not divide. ``found``: persons where the data set tells
    them."""
    fold_selection: Literal["next", "held-out"] = "next"
    """Samples that choose in a fold: ``next``, the fold after it; ``held-out``, a tenth of the groups outside
    it."""
    fold_file: str | None = None
    """Official folds: ``folds.csv`` are those that the adapter lists."""

    @model_validator(mode="after")
    def _label_counts_folds(self) -> Self:
        match = re.search(r"\b(\d+)[- ](?:official )?folds?\b", self.label)
        if self.kind == "k-fold" and match and int(match[1]) != self.folds:
            raise ValueError(f"label {self.label!r} is not of {self.folds} folds; give it a label that is")
        return self


class IngestConfig(Section):
    """Reading of clips."""

    decoder: str = "pyav"
    """Plugin in ``fgbench/decoders``; also used by the faces stage, and named in the manifests."""
    truncated: Literal["reject", "use"] = "reject"
    """Treatment of a video that lacks its end: it is rejected, or its frames that are left are used
    (``truncated`` and ``n_announced`` in ``clips``; decoder ``pyav`` alone reads such)."""
    max_picture_px: Annotated[int, Field(ge=1, le=1_000_000_000)] = 64_000_000
    """Most pixels of a still picture, width times height; a larger one is rejected before it is decoded."""
    max_frame_px: Annotated[int, Field(ge=1, le=1_000_000_000)] = 36_000_000
    """Most pixels of a frame of a video, likewise."""
    max_seconds: Annotated[float, Field(gt=0.0, le=1e9)] = 3600.0
    """Seconds that reading what a video is may take; beyond them it is rejected. A safety net: which video
    meets it depends on the machine."""


class ConsensusConfig(Section):
    """Rules that settle annotators' votes (paper section III: three of five agree)."""

    rule: Annotated[str, AfterValidator(checked_rule)] = "paper"
    """Rule that chooses the label: ``paper``, ``min_votes`` that are more than half; ``majority``, more votes
    than any other; ``dawid-skene``, ``mace`` and ``glad``, the most probable label by a model of all
    annotators (needs the extra ``votes``). Key frames are settled by ``min_votes`` for all."""
    min_certainty: Fraction = 0.5
    """Least probability of the label by ``dawid-skene``, ``mace`` or ``glad``; below it the clip counts as
    not settled. Not stated in the paper."""
    min_votes: Annotated[int, Field(ge=1, le=1000)] = 3
    """Votes that have to agree on the label, and on the key frame; also more than half of those cast."""
    key_frame_tolerance_s: Annotated[float, Field(ge=0.0, le=3600.0)] = 0.2
    """Key frames that are at most so many seconds apart count as the same, by the times of the file (folders
    of pictures: by their ``fps``, else 25 a second). Not stated in the paper."""
    key_frame_tolerance: Count | None = None
    """The same in frames, whatever the frame rate, in the place of seconds."""
    min_confidence: Fraction = 0.5
    """Least mean confidence of those who voted for the label; below it the clip counts as not settled. A rule
    of ours, not the paper's, which has one for classes alone; 0 takes every clip. Final labels are not
    judged by it."""
    drop_classes_below: Fraction = 0.0
    """Drop classes whose mean confidence over all clips is lower (paper section III: 0.5); 0 drops none.
    Their clips are rejected, and the label set lacks them. The mean is over the votes of the first round for
    the class and over final labels with a confidence; what it is taken over is not stated in the paper."""
    annotators: Literal["pseudonyms", "names"] = "pseudonyms"
    """Annotators in all that is written: ``pseudonyms``, keyed hashes of their names, or their ``names``."""


class SplitConfig(Section):
    """Division into train, val and test."""

    use_official: bool = True
    """Keep the parts that the data set names; clips without one are divided by the rules below."""
    group_by: Literal["found", "clip_id", "source_id", "subject_id"] = "found"
    """Groups that must not be divided. ``found``: persons where the data set tells them, and each other clip
    by itself; with fewer persons than parts, clips. The paper divides by clip."""
    assign: Literal["hash", "exact"] = "hash"
    """``hash``: each clip by itself, so that a new one leaves the others where they are, but for those that
    ``cover_all_classes`` moves; persons and sources by their number, so that no part is without any as long
    as there are enough, and a new clip of a known one moves nobody. ``exact``: sizes are met as closely as
    whole groups allow."""
    train: Weight = 825.0
    """Number of clips, or weight; only the proportions count when the data set has another size."""
    val: Weight = 275.0
    """As ``train``."""
    test: Weight = 391.0
    """As ``train``."""
    cover_all_classes: bool = True
    """Move groups so that every class with enough groups is in test and in train (paper section III). Which
    are moved depends on the other groups with their classes, so that a new clip can move one of its class."""
    seed: Seed = 0
    """Seed of the division."""

    @model_validator(mode="after")
    def _some_weight(self) -> Self:
        if self.train + self.val + self.test <= 0:
            raise ValueError("train, val and test are all 0; at least one has to be positive")
        return self


class SampleConfig(Section):
    """Frames taken from a clip."""

    before: Count = 3
    """Frames before the key frame that go to the image set. Not stated in the paper (about 7 a clip)."""
    after: Count = 3
    """Frames after the key frame that go to the image set."""
    step: Positive = 1
    """Distance between them, in frames."""
    without_key_frame: Literal["middle", "video_only"] = "middle"
    """A clip without key frame: take its middle frame, or no images."""
    video: Literal["all", "uniform", "none"] = "all"
    """Frames of the video set: every frame, ``video_frames`` evenly spread, or none."""
    video_frames: Positive = 16
    """Number of frames when ``video`` is ``uniform``."""


class AuditConfig(Section):
    """Clips that leak from training or validation into validation or test (not in the paper)."""

    drop_leaks: bool = False
    """Whether they are taken out of training and validation. Of k-fold sets one group (``protocol.group_by``)
    keeps what several show, the one with the first clip by id, and the others lose it."""
    apart: Literal["found", "clip_id", "source_id", "subject_id"] = "clip_id"
    """Leaks that count beside clips, files and pictures: a source or a subject in two parts.
    ``fgbench prepare --drop-leaks`` takes what ``split.group_by`` says; of folds it is always what
    ``protocol.group_by`` says."""
    folds: bool = False
    """Whether folds divide the data set; follows from ``protocol.kind``."""


class AugmentConfig(Section):
    """Offline augmentation (paper section III: rotation, scaling, Gaussian noise)."""

    balance: Literal["none", "copies", "total"] = "copies"
    """``copies``: ``copies`` per image; ``total``: fill the scarcest classes until ``train``, ``val`` and
    ``test`` images are there, originals counted."""
    copies: Annotated[int, Field(ge=0, le=1000)] = 1
    """Copies per image in ``copies`` mode, in the training part only."""
    train: Images = 12826
    """Wanted number of images (originals and copies) in ``total`` mode; 0 leaves the part as it is."""
    val: Images = 2580
    """As ``train``."""
    test: Images = 2055
    """As ``train``."""
    max_rotation_deg: Annotated[float, Field(ge=0.0, le=180.0)] = 15.0
    """Rotation is drawn evenly within plus or minus this. Not stated in the paper."""
    max_scale_change: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.1
    """Scale is drawn evenly within 1 plus or minus this. Not stated in the paper."""
    max_noise_sigma: Annotated[float, Field(ge=0.0, le=128.0)] = 10.0
    """Standard deviation of the noise in grey levels is drawn evenly up to this. Not stated in the paper."""
    format: Literal["jpeg", "png"] = "jpeg"
    """Encoding of the stored copies."""
    jpeg_quality: Annotated[int, Field(ge=1, le=100)] = 95
    """Quality of JPEG."""
    seed: Seed = 0
    """Seed of the augmentation."""


class PrepareConfig(Section):
    """A recipe of ``fgbench prepare``."""

    name: str
    """Name of the recipe."""
    description: str = ""
    """One sentence for people."""
    buckets: Annotated[int, Field(ge=1, le=65536)] = 64
    """Parts that the clips are hashed into; the unit of work, of resuming and of storage."""
    max_reject_rate: Fraction = 0.5
    """Share of clips that a stage may reject before the run stops with an error."""
    max_worker_gb: Annotated[float, Field(ge=2.0, le=65536.0)] = 8.0
    """Memory of each worker process, GB (10^9 bytes): a clip that needs more is rejected. On Linux, with more
    than one worker. Models and libraries take about one of them."""
    cache_gb: Annotated[float, Field(ge=0.0, le=1e6)] = 20.0
    """Clips of a data set at a URL that are kept on this machine, GB (10^9 bytes), beside those in work: the
    least recently used make room."""
    dataset: DatasetConfig = DatasetConfig()
    protocol: ProtocolConfig = ProtocolConfig()
    ingest: IngestConfig = IngestConfig()
    consensus: ConsensusConfig = ConsensusConfig()
    split: SplitConfig = SplitConfig()
    sample: SampleConfig = SampleConfig()
    faces: FacesConfig = FacesConfig()
    audit: AuditConfig = AuditConfig()
    augment: AugmentConfig = AugmentConfig()
    lbp: LbpConfig = LbpConfig()
    dense_trajectories: DenseTrajectoriesConfig = DenseTrajectoriesConfig()
    optical_flow: OpticalFlowConfig = OpticalFlowConfig()
    wide_faces: WideFacesConfig = WideFacesConfig()
    features: Annotated[dict[str, dict[str, Any]], Field(max_length=100)] = Field(default_factory=dict)
    """Features that installed packages compute: name to its keys; ``{mine: {}}`` has their defaults."""

    @field_validator("features")
    @classmethod
    def _features_exist(cls, given: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        return checked_features(given)

    @model_serializer(mode="wrap")
    def _without_empty_features(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        values: dict[str, Any] = dump(self)
        if not self.features:  # a recipe without features is written as before they existed
            values.pop("features", None)
        return values

    @model_validator(mode="after")
    def _cells_have_pixels(self) -> Self:
        if self.lbp.enabled and max(self.lbp.rows, self.lbp.columns) > self.faces.chip_size:
            raise ValueError(
                f"lbp has {self.lbp.rows} x {self.lbp.columns} cells, and faces.chip_size is "
                f"{self.faces.chip_size}; take fewer cells or a larger face"
            )
        return self
