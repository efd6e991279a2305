"""A frozen network: what the formats of files have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from torch import Tensor

Floats = npt.NDArray[np.float32]


class Runs(Protocol):
    """Computes outputs of prepared pictures."""

    def features(self, prepared_B3SS: Tensor) -> Tensor:
        """Return features (B, d) float32 of float32 pictures."""

    def scores(self, prepared_B3SS: Tensor) -> Tensor:
        """Return probabilities (B, K) float32 of its own classes.

        Raises:
            ConfigError: If it has no classes.
        """


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Frozen:
    """A network of the user's, as it is.

    Attributes:
        path: Its file or folder.
        format: ``"onnx"``, ``"hf"`` or ``"torch"``.
        name: Name for people.
        digest: SHA-256 of its files.
        runs: Computes its outputs.
        stated: What its files state of its input, by keys of the recipe's section ``input``; ``fixed_px``
            where it takes no other size.
        classes: Names of its own classes, as its files tell them; empty where they do not.
        reads: Choice of what its features are, in words: name of the tensor, or pooling.
        tells_texts: Whether it compares pictures with texts.
        window: Frames of a video that it takes at once; 0: a network of pictures.
        arch: Name of its architecture, where its file holds weights alone.
        architecture: Settings of that which differ from the usual.
        notes: Sentences on its files, for the user.
        tuned: SHA-256 of what was trained of it since; empty: it is as its files have it.
    """

    path: Path
    format: str
    name: str
    digest: str
    runs: Runs
    stated: Mapping[str, Any]
    classes: Sequence[str]
    reads: str
    tells_texts: bool = False
    window: int = 0
    arch: str = ""
    architecture: Mapping[str, Any] = field(default_factory=dict)
    notes: Sequence[str] = ()
    tuned: str = ""
