"""Side data of a decoded frame on its orientation."""

from __future__ import annotations

from functools import cache
from typing import Any

import av
import numpy as np
from av.sidedata.sidedata import Type


def display_matrix(picture: av.VideoFrame) -> list[int] | None:
    """The nine numbers of the frame's display matrix, ``None`` if it has none.

    It comes from the container, or from the frame itself: FFmpeg converts the orientation of EXIF data (of
    each picture of a JPEG time-lapse, for example) into one.
    """
    _allow_unknown_kinds()
    matrix = picture.side_data.get("DISPLAYMATRIX")
    return None if matrix is None else list(np.frombuffer(matrix, np.int32).tolist())


@cache
def _allow_unknown_kinds() -> None:
    """Let frames have side data of kinds that PyAV has no name for.

    PyAV lists all side data of a frame before it returns one, and fails with ``ValueError`` at a kind that is
    newer than its own list (EXIF, for example). Such a kind gets a placeholder name.
    """

    def unnamed(cls: type[Type], value: object) -> Any:
        kind: Any = object.__new__(cls)
        kind._name_, kind._value_ = f"KIND_{value}", value
        return kind

    Type._missing_ = classmethod(unnamed)  # type: ignore[assignment]
