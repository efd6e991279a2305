"""Trunks of image models: sections of recipes at ``network.trunk``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from fgbench.config.backbone_inputs import Architecture, BackboneInputConfig
from fgbench.config.sections import Section, Units

BACKBONE: Final = "backbone"
"""Kind of a trunk that is a network of the user's; as the value of ``network.trunk``, all of its section."""

_WORD: Final = "word"
_OWN: Final = "paper"
TRUNK_TAGS: Final = frozenset({BACKBONE, _WORD, _OWN})
"""Names of the kinds of trunks, which places of faults in recipes hold beside keys."""


class TrunkConfig(Section):
    """Convolutional trunk (DRML with a last map of 6 x 6 x 256; paper section IV-A)."""

    input_px: Literal[224, 112] = 224
    """Side that a face is reduced to. With 112 the pooling is left out, so that cells of the last map lie
    where they lie with 224; it is for machines without GPU. The paper has 224."""
    stem: Units = 32
    """Kernels of conv1 (paper section IV-A: 32 of 11 x 11 x 3)."""
    widths: tuple[Units, Units, Units, Units] = (64, 128, 256, 256)
    """Kernels of conv4 to conv7. The last is the paper's 256, the others are not stated in the paper."""
    region_layer: bool = True
    """Whether the region layer of DRML follows conv1; the Plain CNN has none."""
    norm: Literal["lrn", "none"] = "lrn"
    """Normalisation after the pooling; local response normalisation is DRML's."""


class BackboneTrunkConfig(Section):
    """Trunk that is a convolutional network of the user's, to its last map. Not stated in the paper."""

    kind: Literal["backbone"] = "backbone"
    """``backbone`` alone."""
    input: BackboneInputConfig = BackboneInputConfig()
    architecture: Architecture = Field(default_factory=dict)
    """Settings of the network of ``--arch`` that differ from its usual form, as of ``baseline backbone``."""

    @model_validator(mode="after")
    def _sees_the_stored_face(self) -> Self:
        if self.input.crop != "stored":
            raise ValueError(
                f"input.crop is {self.input.crop}, but the zoom enlarges regions of the stored face; set it "
                "to stored"
            )
        return self


def _by_word(value: object) -> object:
    """Return the section that the word stands for."""
    if value == BACKBONE:
        return BackboneTrunkConfig()
    raise ValueError(f"expected {BACKBONE}, or the keys of a trunk")


def _kind_of(value: Any) -> str:
    """Return the kind of trunk that a value describes."""
    if isinstance(value, str):
        return _WORD
    kind = value.get("kind") if isinstance(value, Mapping) else getattr(value, "kind", None)
    return BACKBONE if kind == BACKBONE else _OWN


AnyTrunk = Annotated[
    Annotated[TrunkConfig, Tag(_OWN)]
    | Annotated[BackboneTrunkConfig, Tag(BACKBONE)]
    | Annotated[BackboneTrunkConfig, BeforeValidator(_by_word), Tag(_WORD)],
    Discriminator(_kind_of),
]
"""A trunk of either kind."""
