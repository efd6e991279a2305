"""Local binary patterns of images from the tables of features, read in blocks.

Only the requested matrices are in memory: tables of any size are read a few hundred rows at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fgbench.errors import DatasetError, ManifestError
from fgbench.storage import ROWS_PER_GROUP, open_table

if TYPE_CHECKING:
    import pyarrow as pa

Matrix = npt.NDArray[np.float32]

_AGAIN = "fgbench check --repair, on the work folder, computes the features again"


def read_ids(folder: Path) -> set[str]:
    """Read the ids of the images that have features.

    Raises:
        ManifestError: If a table is damaged or has other columns.
        DatasetError: If there are none.
    """
    ids = {
        name
        for path in sorted(folder.glob("*.parquet"))
        for batch in _batches(path, ["image_id"])
        for name in batch.column("image_id").to_pylist()
    }
    if not ids:
        raise DatasetError(
            f"no features in {folder}", "prepare the work folder with lbp enabled in the recipe"
        )
    return ids


def read_matrices(folder: Path, wanted: Sequence[Sequence[str]]) -> list[Matrix]:
    """Read the features of lists of images, (n, width) float32 each, in the order of the lists.

    Args:
        folder: Tables of features.
        wanted: Lists of ids that :func:`read_ids` gives.

    Raises:
        ManifestError: If a table is damaged, has other columns, or features are of several widths.
        DatasetError: If values of any image are not finite.
    """
    positions: dict[str, list[tuple[int, int]]] = {}
    for part, ids in enumerate(wanted):
        for row, name in enumerate(ids):
            positions.setdefault(name, []).append((part, row))
    matrices: list[Matrix] | None = None
    bad: list[str] = []
    for path in sorted(folder.glob("*.parquet")):
        for batch in _batches(path, ["image_id", "lbp"]):
            values = _values(batch, path)
            if matrices is None:
                matrices = [np.empty((len(ids), values.shape[1]), np.float32) for ids in wanted]
            elif values.shape[1] != matrices[0].shape[1]:
                raise ManifestError(
                    f"{path} has {values.shape[1]} features per image, other tables {matrices[0].shape[1]}",
                    _AGAIN,
                )
            names = batch.column("image_id").to_pylist()
            bad += [names[row] for row in np.flatnonzero(~np.isfinite(values).all(axis=1))]
            for name, vector in zip(names, values, strict=True):
                for part, row in positions.get(name, ()):
                    matrices[part][row] = vector
    if bad:
        raise DatasetError(
            f"features of {len(bad)} images are not finite, e.g. {min(bad)}", "prepare them again"
        )
    assert matrices is not None, "read_ids found some"
    return matrices


def read_width(folder: Path) -> int:
    """Return the number of features of an image.

    Raises:
        ManifestError: As :func:`read_matrices`.
    """
    for path in sorted(folder.glob("*.parquet")):
        for batch in _batches(path, ["lbp"]):
            if batch.num_rows:
                return int(_values(batch, path).shape[1])
    raise AssertionError("read_ids found some")


def _batches(path: Path, columns: list[str]) -> Iterator[pa.RecordBatch]:
    with open_table(path, columns, hint=_AGAIN) as file:
        yield from file.iter_batches(batch_size=ROWS_PER_GROUP, columns=columns)


def _values(batch: pa.RecordBatch, path: Path) -> Matrix:
    column = batch.column("lbp")
    flat = column.flatten()
    if column.null_count or flat.null_count or not batch.num_rows or len(flat) % batch.num_rows:
        raise ManifestError(f"{path} has images without features, expected all to have", _AGAIN)
    return np.asarray(flat.to_numpy(zero_copy_only=False), np.float32).reshape(batch.num_rows, -1)
