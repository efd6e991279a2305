"""Where a network is trained: the place of a run, and a device."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Self

import torch

from fgbench.runs.context import Progress, RunPlace

__all__ = ["Place", "Progress"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place(RunPlace):
    """Where a network is trained.

    Attributes:
        device: What computes.
    """

    device: torch.device

    @classmethod
    def on(cls, device: torch.device, place: RunPlace) -> Self:
        """The place of a run, with a device."""
        return cls(device=device, **{field.name: getattr(place, field.name) for field in fields(RunPlace)})
