"""Networks of the user's in recipes: settings of their architecture, and section ``input``."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from fgbench.config.sections import PositiveFloat, Section

Crop = Literal["stored", "arcface", "wide"]
"""Pictures that a frozen network is given."""

Level = Annotated[float, Field(ge=-1e4, le=1e4)]
Spread = Annotated[float, Field(gt=0.0, le=1e4)]
_Whole = Annotated[int, Field(ge=-(10**9), le=10**9)]
_Decimal = Annotated[float, Field(ge=-1e9, le=1e9)]
_Setting = _Whole | _Decimal | bool | Annotated[str, Field(max_length=100)]
Architecture = Annotated[
    dict[
        Annotated[str, Field(pattern="^[a-z][a-z0-9_]{0,63}$")],
        _Setting | Annotated[list[_Setting], Field(max_length=100)],
    ],
    Field(max_length=50),
]
"""Settings of a network's architecture by their names."""


class BackboneInputConfig(Section):
    """Pictures that a frozen network takes. Keys that are left out come from the network's own files."""

    crop: Crop = "stored"
    """``stored``: the 224 px face; ``arcface``: 112 px aligned by five points as InsightFace's, and
    ``wide``: the face with the margin of stage ``wide_faces``; both are cut from the faces of that stage."""
    size_px: Annotated[int, Field(ge=16, le=1024)] | None = None
    """Side of the input; crops of another side are resized."""
    interpolation: Literal["bilinear", "bicubic"] | None = None
    """Resizing of crops, with areas averaged where they shrink; where nothing states it ``bilinear``."""
    colours: Literal["rgb", "bgr"] | None = None
    """Order of the channels."""
    scale: PositiveFloat | None = None
    """Factor of the grey levels 0 to 255, before ``mean`` is taken off: e.g. 0.003921569, 1/255."""
    mean: Annotated[tuple[Level, ...], Field(min_length=1, max_length=3)] | None = None
    """Taken off the scaled levels: of all channels, or of each in the order of ``colours``."""
    std: Annotated[tuple[Spread, ...], Field(min_length=1, max_length=3)] | None = None
    """Divisor of the rest, likewise."""

    @model_validator(mode="after")
    def _one_or_three(self) -> Self:
        for key in ("mean", "std"):
            values = getattr(self, key)
            if values is not None and len(values) == 2:
                raise ValueError(f"{key} has 2 numbers; give one, or one for each of the 3 channels")
        return self
