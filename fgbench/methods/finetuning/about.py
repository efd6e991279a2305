"""Description of what was trained of a network, among the metadata of weights."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

PREFIX = "network."
"""Beginning of the names of the network's tensors in weights."""

ABOUT = "finetuned"
"""Entry of the metadata of weights."""


class TunedAbout(BaseModel):
    """Entry :data:`ABOUT`."""

    model_config = ConfigDict(extra="forbid", strict=True)

    kind: Literal["all", "last", "lora"]
    blocks: Annotated[int, Field(ge=0, le=10_000)] = 0
    rank: Annotated[int, Field(ge=1, le=1024)] | None = None
    alpha: Annotated[float, Field(gt=0.0, allow_inf_nan=False)] | None = None
    targets: Annotated[list[Annotated[str, Field(max_length=1000)]], Field(max_length=100_000)] = []
    trained: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] = "0" * 64
    """SHA-256 of the tensors that were trained of the network."""
