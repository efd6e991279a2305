"""Aligned faces that a user gives, as one array."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fgbench.api.arguments import shown
from fgbench.api.faces import Face
from fgbench.errors import ConfigError


def stacked(faces: Any) -> npt.NDArray[Any]:
    """Return faces as one array, whatever its type.

    Raises:
        ConfigError: If they are of several shapes, or one is missing.
    """
    rows = [faces] if isinstance(faces, Face) else faces
    if isinstance(rows, Sequence) and not isinstance(rows, str | bytes):
        rows = [one.chip if isinstance(one, Face) else one for one in rows]
        if not rows:
            return np.empty((0, 224, 224, 3), np.uint8)
        if any(one is None for one in rows):
            raise ConfigError(
                "None is among the faces", "leave out pictures in which fgbench.align finds none"
            )
    elif not hasattr(rows, "__array__") or hasattr(rows, "columns"):
        raise ConfigError(
            f"faces {shown(faces)}, expected (N, 224, 224, 3) uint8 RGB",
            "align them with fgbench.align; pictures that are not aligned: predict()",
        )
    try:
        stack = np.asarray(rows)
    except (TypeError, ValueError) as error:
        raise ConfigError(
            "faces of several shapes, expected (N, 224, 224, 3) uint8 RGB", "align them with fgbench.align"
        ) from error
    return stack[None] if stack.ndim == 3 else stack
