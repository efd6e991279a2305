"""Digests of the pixels of stored faces, by which data sets are compared without showing a face."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fgbench.media.images import decode
from fgbench.storage import read_rows


def pixel_digest(image: npt.NDArray[np.uint8]) -> str:
    """Return the SHA-256 (hex) of a picture's shape and pixels.

    Args:
        image: (H, W, 3) uint8 RGB.
    """
    head = "x".join(map(str, image.shape)) + "\n"
    return hashlib.sha256(head.encode("ascii") + np.ascontiguousarray(image).tobytes()).hexdigest()


def table_digests(path: Path) -> tuple[str, list[str | None]]:
    """Digests of the pictures of a table, row by row; the work of a worker process.

    Args:
        path: A table of the manifests with the column ``image``.

    Returns:
        The path, and a digest for each row; ``None`` for rows without a picture.

    Raises:
        ManifestError: If the table is damaged.
        MediaError: If a picture cannot be decoded.
    """
    pictures = ((row["image"] or {}).get("bytes") for row in read_rows(path, ["image"]))
    return str(path), [None if data is None else pixel_digest(decode(data)) for data in pictures]
