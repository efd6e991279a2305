"""Metadata of weights: a schema per kind of network, checked when weights are read.

Weights come from other people too, so none of their metadata is used before its types and ranges are those
that fgbench writes. Whether such a network fits the weights is checked when it is built
(:func:`fgbench.models.weights.check_fit`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fgbench.errors import ManifestError

_Text = Annotated[str, Field(max_length=255)]
_Names = Annotated[list[_Text], Field(max_length=100_000)]
_Grey = Annotated[float, Field(ge=-1e4, le=1e4, allow_inf_nan=False)]
_Spread = Annotated[float, Field(gt=0.0, le=1e4, allow_inf_nan=False)]
_Size = Annotated[int, Field(ge=1, le=1 << 31)]


class _FaceOrigin(BaseModel):
    align: Literal["always", "never", "where-found"]
    geometry: Literal["face", "dlib"]
    padding: Annotated[float, Field(ge=0.0, le=2.0)] | None
    grey: bool


class _AnyKind(BaseModel):
    """Common entries of all kinds; entries of newer versions are ignored."""

    model_config = ConfigDict(extra="allow")

    experiment: _Text
    seed: Annotated[int, Field(ge=0, lt=1 << 63)]
    pseudo_labels: Annotated[dict[_Text, _Text], Field(max_length=1000)] = Field(default_factory=dict)
    dataset: _Text | None = None
    synthetic: bool | None = None
    faces: _FaceOrigin | None = None


class _Faces(_AnyKind):
    """Preparation of faces, see :class:`fgbench.inputs.preprocessing.Preprocessing`."""

    resize_px: Annotated[int, Field(ge=224, le=512)]
    mean: tuple[_Grey, _Grey, _Grey]
    std: tuple[_Spread, _Spread, _Spread]


class _Classes(_AnyKind):
    """Classes, see :meth:`fgbench.runs.labels.LabelSet.described`."""

    classes: _Names
    scheme: _Text | None = None
    basic: _Names


class _Image(_Faces, _Classes):
    network: dict[str, Any]


class _Scale(BaseModel):
    mean: Annotated[list[_Grey], Field(min_length=1, max_length=3)]
    std: Annotated[list[_Spread], Field(min_length=1, max_length=3)]


class _Flow(BaseModel):
    size_px: Annotated[int, Field(ge=16, le=1024)]
    method: Literal["farneback", "dis"]
    bound_px: Annotated[float, Field(ge=0.1, le=1024.0)]


class _Clip(_Classes):
    network: dict[str, Any]
    optical_flow: _Flow | None = None
    scales: dict[str, _Scale]
    image: _Image | None = None


class _Units(_Faces):
    action_units: Annotated[list[_Text], Field(min_length=1, max_length=1000)]
    trunk: dict[str, Any]
    fc_hidden: _Size | None = None
    embedding: _Size


class _Recognition(_AnyKind):
    """A network of InsightFace; earlier versions did not store what crops are cut from."""

    classes: _Names
    scheme: _Text | None = None
    head: Literal["softmax", "arcface"] = "softmax"
    arcface_scale: _Spread = 64.0
    crops: Literal["wide", "stored"] = "wide"
    wide_margin: Annotated[float, Field(ge=0.0, le=2.0)] = 0.0
    freeze_backbone: bool = False


class _Backbone(_Classes):
    """A head on a frozen network; :mod:`fgbench.methods.backbone.trained_head` checks the entries in full."""

    backbone: dict[str, Any]
    input: dict[str, Any]
    head: dict[str, Any]


class _VideoBackbone(_Classes):
    """A classifier of clips; :mod:`fgbench.methods.video_backbone.opened` checks the entries in full."""

    backbone: dict[str, Any]
    input: dict[str, Any]
    pieces: dict[str, Any]


_SCHEMAS: Mapping[str, type[BaseModel]] = {
    "image": _Image,
    "video": _Clip,
    "au": _Units,
    "insightface": _Recognition,
    "backbone": _Backbone,
    "video-backbone": _VideoBackbone,
}


def check_metadata(metadata: Mapping[str, Any], *, origin: str, kind: str | None = None) -> None:
    """Refuse metadata that do not match the schema of their kind; unknown kinds pass.

    Args:
        metadata: Metadata of weights.
        origin: Their origin, for messages.
        kind: Kind to check against; ``None`` is their own.

    Raises:
        ManifestError: If an entry is missing, or of another type or range.
    """
    kind = kind or metadata.get("kind")
    schema = _SCHEMAS.get(kind) if isinstance(kind, str) else None
    if schema is None:
        return
    try:
        schema.model_validate(dict(metadata))
    except (ValidationError, RecursionError) as error:
        raise ManifestError(
            f"the weights of {origin} do not tell of their network as fgbench does: {_first(error)}",
            "give weights that fgbench wrote, or train the network anew",
        ) from error


def _first(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return "they are nested too deeply"
    fault = error.errors(include_url=False)[0]
    key = ".".join(str(part) for part in fault["loc"])
    got = "" if fault["type"] == "missing" else f", got {str(fault['input'])[:80]}"
    return f"{key}: {fault['msg']}{got}"
