"""Facts of a network's training that results keep beside its settings: crops, and weights of the user's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fgbench.naming import shown

TRAINING_CROPS = "training_crops"
"""Key of the details of a result: crops of pictures in training, ``"five"`` or ``"centre"``. In test it is
always the centre."""

CELLS = "cells"
"""Key of the details of a result: rows, and columns, of the last map, where that is of a network of the
user's."""

_DIGEST, _FILE = "weights", "weights_file"


def given_details(path: Path | None, digest: str | None) -> dict[str, Any]:
    """Return the details of a result on weights that the user gave.

    Args:
        path: Their file; ``None`` without such weights.
        digest: Its SHA-256.
    """
    return {_DIGEST: digest, _FILE: None if path is None else shown(path.name)}


def given_weights(details: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return file name and SHA-256 of the weights that the user gave to a training; ``None`` without such.

    Args:
        details: Of a result; of a run on other data, whose network started from such weights, too. The name
            is empty where it is not known, as in results of earlier versions.
    """
    weights = details.get(_DIGEST)
    if isinstance(weights, str):
        return str(details.get(_FILE) or ""), weights
    if isinstance(weights, Mapping) and isinstance(weights.get("initial_weights"), Mapping):
        initial = weights["initial_weights"]
        return str(initial.get("file") or ""), str(initial["sha256"])
    return None
