"""Clip networks from their recipes: the streams, their initial values, and their inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from fgbench.config import TrainClipConfig
from fgbench.errors import ConfigError
from fgbench.methods.msau.opened import ImageNetwork
from fgbench.methods.tmsau.frame_features import feature_size
from fgbench.models.c3d_lstm import WINDOW_FRAMES, C3dLstm, load_c3d
from fgbench.models.googlenet import load_googlenet
from fgbench.models.initialisation import initialise
from fgbench.models.nan import SpatialStream
from fgbench.models.streams import SnippetStream
from fgbench.models.tmsau import TmsauNet
from fgbench.models.vgg_lstm import Vgg16Lstm, load_vgg16
from fgbench.models.weights import load_weights
from fgbench.runs.labels import LabelSet
from fgbench.training.randomness import generator


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamPictures:
    """Input of a stream of pictures.

    Attributes:
        kind: ``"rgb"`` or ``"flow"``.
        side_px: Side of the input.
        length: Rows of a piece.
        stride: Rows from one piece to the next.
        across_gaps: Whether a piece may reach across missing frames.
        train_count: Pieces of a clip in training.
        test_count: Pieces of a clip in test.
        near_key: Whether it is trained only on frames of the image set.
        layout: As in :class:`fgbench.methods.tmsau.inputs.PictureInput`.
    """

    kind: Any
    side_px: int
    length: int = 1
    stride: int = 1
    across_gaps: bool = True
    train_count: int
    test_count: int
    layout: str = "frames"
    near_key: bool = False


def stream_pictures(config: TrainClipConfig, stream: str) -> StreamPictures | None:
    """Return the input of a stream of a recipe; ``None`` for the one that takes features of frames.

    Args:
        config: The recipe.
        stream: ``"spatial"`` or ``"temporal"``.
    """
    kind = config.spatial if stream == "spatial" else config.temporal
    if kind == "rgb":
        return StreamPictures(
            kind="rgb",
            side_px=config.rgb.input_px,
            train_count=config.rgb.train_snippets,
            test_count=config.rgb.test_snippets,
            near_key=config.rgb.train_on == "image",
        )
    if kind == "flow":
        return StreamPictures(
            kind="flow",
            side_px=config.flow.input_px,
            length=config.flow.length,
            across_gaps=False,
            train_count=config.flow.train_snippets,
            test_count=config.flow.test_snippets,
            layout="stacks",
        )
    if kind == "vgg-lstm":
        n = config.vgg_lstm.frames
        return StreamPictures(kind="rgb", side_px=config.vgg_lstm.input_px, train_count=n, test_count=n)
    if kind == "c3d-lstm":
        n = config.c3d_lstm.windows
        return StreamPictures(
            kind="rgb",
            side_px=config.c3d_lstm.input_px,
            length=WINDOW_FRAMES,
            stride=config.c3d_lstm.stride,
            train_count=n,
            test_count=n,
            layout="windows",
        )
    return None


def build(config: TrainClipConfig, image: ImageNetwork | None, labels: LabelSet) -> TmsauNet:
    """Build the network of a recipe, with torch's initial values.

    Args:
        config: The recipe.
        image: The image model that describes frames, where the recipe has one.
        labels: The classes.

    Raises:
        ConfigError: If the number of features of a frame does not fit the recipe.
    """
    n_basic = len(labels.upper) if config.losses.basic else 0
    sizes = {"n_fine": len(labels.labels), "n_basic": n_basic}
    spatial: nn.Module | None = None
    temporal: nn.Module | None = None
    if config.spatial == "attention":
        assert image is not None
        n_numbers = feature_size(image.model.config, config.attention.features)
        if not config.attention.project and n_numbers != config.attention.size:
            raise ConfigError(
                f"the image model describes a frame by {n_numbers} numbers, attention.size is "
                f"{config.attention.size}, and attention.project is false",
                f"set attention.size to {n_numbers}, or attention.project to true",
            )
        spatial = SpatialStream(
            n_numbers,
            n_features=config.attention.size,
            projection=config.attention.project,
            normalise=config.attention.normalise,
            dropout=config.attention.dropout,
            **sizes,
        )
    elif config.spatial == "rgb":
        rgb = config.rgb
        spatial = SnippetStream(3, width=rgb.width, dropout=rgb.dropout, **sizes)
    if config.temporal == "flow":
        flow = config.flow
        temporal = SnippetStream(2 * flow.length, width=flow.width, dropout=flow.dropout, **sizes)
    elif config.temporal == "vgg-lstm":
        vgg = config.vgg_lstm
        temporal = Vgg16Lstm(
            width=vgg.width,
            fc=vgg.fc,
            hidden=vgg.hidden,
            dropout=vgg.dropout,
            batch_norm=vgg.batch_norm,
            **sizes,
        )
    elif config.temporal == "c3d-lstm":
        c3d = config.c3d_lstm
        temporal = C3dLstm(
            width=c3d.width,
            fc=c3d.fc,
            hidden=c3d.hidden,
            dropout=c3d.dropout,
            batch_norm=c3d.batch_norm,
            input_px=c3d.input_px,
            **sizes,
        )
    return TmsauNet(spatial, temporal)


def build_drawn(
    config: TrainClipConfig,
    image: ImageNetwork | None,
    weights: Path | None,
    *,
    seed: int,
    labels: LabelSet,
) -> TmsauNet:
    """Build the network of a recipe with its initial values: drawn, and where a file is given, the file's.

    Args:
        config: The recipe.
        image: As in :func:`build`.
        weights: Weights of the convolutional networks: GoogLeNet or VGG16 named as in torchvision, or C3D;
            the first layer of a stream of flow is the mean over the colours (TSN's cross-modality
            initialisation). ``None`` begins from drawn values. For their input see
            :mod:`fgbench.methods.tmsau.published_scales`.
        seed: Seed of the run.
        labels: As in :func:`build`.

    Raises:
        ConfigError: If the recipe has no network that takes such weights.
        ManifestError: If the file is missing, damaged, or of another network.
    """
    model = build(config, image, labels)
    initialise(model, generator(seed, "weights"))
    if weights is None:
        return model
    state, _ = load_weights(weights)
    origin = str(weights)
    loaded = False
    for stream in (model.spatial, model.temporal):
        if isinstance(stream, SnippetStream):
            load_googlenet(stream.backbone, state, origin=origin)
        elif isinstance(stream, Vgg16Lstm):
            load_vgg16(stream, state, origin=origin)
        elif isinstance(stream, C3dLstm):
            load_c3d(stream, state, origin=origin)
        else:
            continue
        loaded = True
    if not loaded:
        raise ConfigError(
            f"recipe {config.name} has no stream that starts from weights of a convolutional network",
            "leave weights out",
        )
    return model


def settings(config: TrainClipConfig) -> Mapping[str, Any]:
    """Return the settings needed to build the network again, as plain values for the metadata of weights."""
    plain: dict[str, Any] = config.model_dump(
        mode="json",
        include={
            "name",
            "method",
            "image_recipe",
            "spatial",
            "temporal",
            "fusion_weight",
            "attention",
            "rgb",
            "flow",
            "vgg_lstm",
            "c3d_lstm",
            "losses",
            "data",
        },
    )
    return plain
