"""Section ``finetune`` of recipes of ``fgbench baseline backbone``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from fgbench.config.clip_networks import Dropout
from fgbench.config.sections import Megabytes, PositiveFloat, Section
from fgbench.config.training import OptimiserConfig

Targets = Annotated[tuple[Annotated[str, Field(min_length=1, max_length=200)], ...], Field(max_length=100)]
"""Layers by the ends of their names."""


class LoraConfig(Section):
    """Adapters of ``--finetune lora`` (Hu et al. 2022): to the weights of a layer is added a product of two
    narrow matrices, which alone are trained."""

    rank: Annotated[int, Field(ge=1, le=1024)] = 8
    """Columns of the first matrix, rows of the second."""
    alpha: PositiveFloat = 16.0
    """Factor of the product, divided by ``rank``."""
    dropout: Dropout = 0.0
    """Dropout before the first matrix."""
    targets: Targets = ()
    """Layers that get one, by the ends of their names, e.g. ``q_proj``; empty: all linear layers of the
    blocks, of networks without such the convolutions."""


class FinetuneConfig(Section):
    """Training of ``--finetune``. Not stated in the paper."""

    optimiser: OptimiserConfig = OptimiserConfig(
        kind="adamw",
        learning_rate=1e-4,
        weight_decay=0.01,
        schedule="cosine",
        warmup_epochs=1.0,
        batch=32,
        epochs=20,
        patience=5,
    )
    """Optimisation; ``learning_rate`` is that of what trains of the network."""
    head_rate: PositiveFloat = 1e-3
    """Learning rate of the head."""
    dropout: Dropout = 0.0
    """Dropout before the head."""
    flip: bool = True
    """Whether training images are mirrored at random."""
    class_weights: Literal["none", "balanced"] = "none"
    """``balanced``: classes weigh alike in the loss, whatever their number of training images."""
    resident_mb: Megabytes = 16384
    """Memory for stored faces, MiB; a larger set is streamed from disk. Other crops are always in memory."""
    lora: LoraConfig = LoraConfig()
