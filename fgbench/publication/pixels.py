"""Digests of the pixels of stored faces, by which two data sets prove the same without showing a face."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fgbench.media.images import decode
from fgbench.storage import read_rows

Digests = tuple[str, list[str | None]]

Runner = Callable[[Callable[[Path], Digests], Sequence[Path]], Iterable[Digests]]
"""Runs a function over files, possibly in other processes, in any order."""


def pixel_digest(image: npt.NDArray[np.uint8]) -> str:
    """SHA-256 (hex) of a picture's shape and pixels.

    Args:
        image: (H, W, 3) uint8 RGB.
    """
    head = "x".join(map(str, image.shape)) + "\n"
    return hashlib.sha256(head.encode("ascii") + np.ascontiguousarray(image).tobytes()).hexdigest()


def table_digests(path: Path) -> Digests:
    """Digests of the pictures of a table, row by row; the work of a worker process.

    Args:
        path: A table of the manifests with the column ``image``.

    Returns:
        The path, and a digest per row; ``None`` for rows without a picture.

    Raises:
        ManifestError: If the table is damaged.
        MediaError: If a picture is none.
    """
    found: list[str | None] = []
    for row in read_rows(path, ["image"]):
        data = (row["image"] or {}).get("bytes")
        found.append(None if data is None else pixel_digest(decode(data)))
    return str(path), found
