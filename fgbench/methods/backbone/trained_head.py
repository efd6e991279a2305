"""Weights of a run: the tensors of the head, with a description of network, input, head."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from torch import Tensor

from fgbench.config import Architecture
from fgbench.errors import ManifestError
from fgbench.methods.backbone.head import Head

_Described = TypeVar("_Described", bound="_Network")
_Text = Annotated[str, Field(max_length=1000)]
_Level = Annotated[float, Field(ge=-1e4, le=1e4, allow_inf_nan=False)]
_Spread = Annotated[float, Field(gt=0.0, le=1e4, allow_inf_nan=False)]
_Size = Annotated[int, Field(ge=1, le=1 << 20)]


class NetworkAbout(BaseModel):
    """Entry ``backbone`` of the metadata."""

    model_config = ConfigDict(extra="ignore", strict=True)

    format: Literal["onnx", "hf", "torch"]
    file: _Text
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    output: _Text
    pooling: Literal["auto", "cls", "mean"]
    reads: _Text
    n_classes: Annotated[int, Field(ge=0, le=100_000)]
    batch: _Size
    arch: Annotated[str, Field(max_length=200)] = ""
    architecture: Architecture = Field(default_factory=dict)
    wide_margin: Annotated[float, Field(ge=0.0, le=2.0)] = 0.0


class InputAbout(BaseModel):
    """Entry ``input`` of the metadata."""

    model_config = ConfigDict(extra="forbid", strict=True)

    crop: Literal["stored", "arcface", "wide"]
    size_px: Annotated[int, Field(ge=16, le=1024)]
    interpolation: Literal["bilinear", "bicubic"]
    colours: Literal["rgb", "bgr"]
    scale: _Spread
    mean: Annotated[list[_Level], Field(min_length=3, max_length=3)]
    std: Annotated[list[_Spread], Field(min_length=3, max_length=3)]


class HeadAbout(BaseModel):
    """Entry ``head`` of the metadata."""

    model_config = ConfigDict(extra="forbid", strict=True)

    scaling: Literal["none", "length", "standard"]
    decides: Literal["linear", "rbf", "knn"]
    becomes: Literal["softmax", "sigmoid", "shares"]
    numbers: dict[_Text, Annotated[float, Field(allow_inf_nan=False)]]


class _Network(BaseModel):
    model_config = ConfigDict(extra="ignore")

    backbone: NetworkAbout
    input: InputAbout


class _About(_Network):
    head: HeadAbout


def read_network(metadata: Mapping[str, Any], *, origin: str) -> tuple[NetworkAbout, InputAbout]:
    """Return the description of a network in metadata, without a head; arguments and errors as of
    :func:`read_about`."""
    about = _read(_Network, metadata, origin=origin)
    return about.backbone, about.input


def read_about(metadata: Mapping[str, Any], *, origin: str) -> tuple[NetworkAbout, InputAbout, HeadAbout]:
    """Return the description in metadata.

    Args:
        metadata: Metadata of weights.
        origin: Their file, for messages.

    Raises:
        ManifestError: If an entry is missing, or of another type or range.
    """
    about = _read(_About, metadata, origin=origin)
    return about.backbone, about.input, about.head


def _read(schema: type[_Described], metadata: Mapping[str, Any], *, origin: str) -> _Described:
    try:
        return schema.model_validate(dict(metadata))
    except (ValidationError, RecursionError) as error:
        raise ManifestError(
            f"the weights of {origin} do not tell of their network as fgbench does",
            "give weights that fgbench wrote, or run the baseline anew",
        ) from error


def read_head(about: HeadAbout, state: Mapping[str, Tensor], *, n_classes: int, origin: str) -> Head:
    """Return the head of weights.

    Args:
        about: Its description.
        state: Tensors by name.
        n_classes: Classes that it tells.
        origin: File of the weights, for messages.

    Raises:
        ManifestError: If tensors or numbers are missing, or of another shape.
    """
    head = Head.read(about.model_dump(), state)
    shapes = {name: tuple(value.shape) for name, value in head.tensors.items()}
    first = "weights" if head.decides == "linear" else "support"
    matrix = shapes.get(first, ())
    width = 0 if len(matrix) != 2 else matrix[0 if head.decides == "linear" else 1]
    rows = 0 if len(matrix) != 2 else matrix[0]
    wanted: dict[str, tuple[int, ...]] = {"weights": (rows, n_classes)}
    numbers: list[str] = []
    if head.decides != "knn":
        wanted["offsets"] = (n_classes,)
    if head.decides != "linear":
        wanted["support"] = (rows, width)
        numbers.append("gamma" if head.decides == "rbf" else "neighbours")
    if head.scaling == "standard":
        wanted |= {"mean": (width,), "scale": (width,)}
    if head.becomes == "sigmoid":
        numbers += ["slope", "offset"]
    if not rows or shapes != wanted or any(name not in head.numbers for name in numbers):
        raise ManifestError(
            f"the weights of {origin} hold tensors {shapes}, expected {wanted} of a head for {n_classes} "
            "classes",
            "give weights that fgbench wrote, or run the baseline anew",
        )
    return head
