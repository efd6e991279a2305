"""Context of a training: that of its run, and a device."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Self

import torch

from fgbench.runs.context import RunContext


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingContext(RunContext):
    """Context of a training.

    Attributes:
        device: Device that computes.
    """

    device: torch.device

    @classmethod
    def on(cls, device: torch.device, context: RunContext) -> Self:
        """Return the context of a run with a device."""
        return cls(
            device=device, **{field.name: getattr(context, field.name) for field in fields(RunContext)}
        )
