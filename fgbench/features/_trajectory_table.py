"""The table of trajectories, in memory and as Parquet."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from fgbench.errors import ManifestError
from fgbench.files.parquet_files import ParquetSink
from fgbench.storage import read_table

Float32 = npt.NDArray[np.float32]
Float16 = npt.NDArray[np.float16]

CHANNELS = {"traj": 30, "hog": 96, "hof": 108, "mbhx": 96, "mbhy": 96}
"""Descriptor channels and their sizes."""

SCHEMA = pa.schema(
    [("end_frame", pa.int32())]
    + [
        (name, pa.float32())
        for name in (
            "mean_x", "mean_y", "var_x", "var_y", "length", "scale", "x_norm", "y_norm", "t_norm",
        )
    ]
    + [(name, pa.list_(pa.float16(), size)) for name, size in CHANNELS.items()]
)  # fmt: skip
"""Arrow schema of a table of trajectories, in the order of the fields of :class:`Trajectories`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trajectories:
    """N trajectories, ordered by their last frame, then scale, then the frame and position of their start.

    Coordinates are px of the full-size frame, x to the right, y down, centre of the top left pixel at (0, 0).

    Attributes:
        end_frame: (N,) int32 number of the frame of the last point, from 0.
        mean_x: (N,) float32 mean of the points' x.
        mean_y: (N,) float32 mean of the points' y.
        var_x: (N,) float32 standard deviation of x in px ("var" is the name in the authors' program).
        var_y: (N,) float32 standard deviation of y in px.
        length: (N,) float32 length of the path in px.
        scale: (N,) float32 scale of the level, a power of sqrt(2).
        x_norm: (N,) float32 ``mean_x`` / width.
        y_norm: (N,) float32 ``mean_y`` / height.
        t_norm: (N,) float32 (``end_frame`` - 7.5) / number of frames of the clip.
        traj: (N, 30) float16 displacements x, y of the 15 steps, divided by ``length``.
        hog: (N, 96) float16; histograms are ordered by time cell, column, row, bin.
        hof: (N, 108) float16; the ninth bin of a cell stands for still pixels.
        mbhx: (N, 96) float16 histograms of the gradient of the flow in x.
        mbhy: (N, 96) float16 histograms of the gradient of the flow in y.
    """

    end_frame: npt.NDArray[np.int32]
    mean_x: Float32
    mean_y: Float32
    var_x: Float32
    var_y: Float32
    length: Float32
    scale: Float32
    x_norm: Float32
    y_norm: Float32
    t_norm: Float32
    traj: Float16
    hog: Float16
    hof: Float16
    mbhx: Float16
    mbhy: Float16

    def __len__(self) -> int:
        return len(self.end_frame)


def empty() -> Trajectories:
    """Return a table without rows."""
    columns: dict[str, Any] = {}
    for field in SCHEMA:
        if field.name in CHANNELS:
            columns[field.name] = np.empty((0, CHANNELS[field.name]), np.float16)
        else:
            columns[field.name] = np.empty(0, field.type.to_pandas_dtype())
    return Trajectories(**columns)


def concatenate(parts: Iterable[Trajectories]) -> Trajectories:
    """Join tables, in the order given."""
    tables = [empty(), *parts]
    names = [f.name for f in fields(Trajectories)]
    return Trajectories(**{name: np.concatenate([getattr(t, name) for t in tables]) for name in names})


def to_arrow(trajectories: Trajectories) -> pa.Table:
    """Return an Arrow table with the columns of ``SCHEMA``."""
    columns = []
    for field in SCHEMA:
        values = getattr(trajectories, field.name)
        if field.name in CHANNELS:
            flat = pa.array(np.ascontiguousarray(values).reshape(-1))
            columns.append(pa.FixedSizeListArray.from_arrays(flat, CHANNELS[field.name]))
        else:
            columns.append(pa.array(values))
    return pa.Table.from_arrays(columns, schema=SCHEMA)


def from_arrow(table: pa.Table) -> Trajectories:
    """Convert an Arrow table to trajectories.

    Raises:
        ManifestError: If its columns differ from ``SCHEMA``.
    """
    if not table.schema.equals(SCHEMA):
        raise ManifestError(
            f"the table has columns {', '.join(table.schema.names) or 'none'} or other types, expected those "
            f"of trajectories: {', '.join(SCHEMA.names)}",
            "read a file that write_trajectories wrote",
        )
    columns: dict[str, Any] = {}
    for name in SCHEMA.names:
        column = table.column(name).combine_chunks()
        if name in CHANNELS:
            columns[name] = column.flatten().to_numpy(zero_copy_only=False).reshape(-1, CHANNELS[name])
        else:
            columns[name] = column.to_numpy(zero_copy_only=False)
    return Trajectories(**columns)


def write_trajectories(path: Path, batches: Iterable[Trajectories]) -> int:
    """Write tables to one Parquet file (zstd) as they come.

    Args:
        path: The file, overwritten: a temporary name in the target's folder, which the caller renames.
        batches: E.g. those of ``iter_trajectories``; gathered into row groups of at least 4096 rows.

    Returns:
        The number of rows written.
    """
    n_rows, waiting, n_waiting = 0, [], 0
    with ParquetSink(path, SCHEMA) as sink:
        for batch in batches:
            waiting.append(batch)
            n_waiting += len(batch)
            if n_waiting >= 4096:
                sink.write_table(to_arrow(concatenate(waiting)))
                n_rows, waiting, n_waiting = n_rows + n_waiting, [], 0
        sink.write_table(to_arrow(concatenate(waiting)))
    return n_rows + n_waiting


def read_trajectories(path: Path) -> Trajectories:
    """Read a file of :func:`write_trajectories`.

    Raises:
        ManifestError: If there is no such file, or it is damaged or has other columns.
        ResourceError: If there is no permission to read it.
    """
    return from_arrow(read_table(path, hint="compute the trajectories again"))
