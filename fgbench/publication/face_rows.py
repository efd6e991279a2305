"""Rows of tables of faces, clip by clip, without a whole table in memory."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from fgbench import storage
from fgbench.files.parquet_files import open_parquet

if TYPE_CHECKING:
    import pyarrow as pa

_KEPT_GROUPS = 8
"""Row groups that are kept in memory: one holds several clips in a row."""


class FaceRows:
    """Tables of faces in several files, in which the rows of a clip are contiguous.

    Args:
        paths: The files.
        columns: Columns to read; those that a file lacks are left out.

    Raises:
        ManifestError: If a file is missing or damaged.
    """

    def __init__(self, paths: Sequence[Path], columns: Sequence[str]) -> None:
        self._columns = columns
        self._slices: dict[str, list[tuple[Path, int, int, int]]] = {}
        self._groups: OrderedDict[tuple[Path, int], pa.Table] = OrderedDict()
        for path in paths:
            with storage.parquet_explained(path, storage.AGAIN), open_parquet(path) as file:
                for group in range(file.num_row_groups):
                    ids = file.read_row_group(group, columns=["clip_id"])["clip_id"].to_pylist()
                    for clip_id, start, stop in _stretches(ids):
                        self._slices.setdefault(clip_id, []).append((path, group, start, stop))

    def __iter__(self) -> Iterator[str]:
        return iter(self._slices)

    def of(self, clip_id: str) -> pa.Table | None:
        """Return the rows of a clip; ``None`` if it has none.

        Raises:
            ManifestError: If a file is damaged.
        """
        import pyarrow as pa

        tables = [
            self._group(path, group).slice(start, stop - start)
            for path, group, start, stop in self._slices.get(clip_id, ())
        ]
        return pa.concat_tables(tables).combine_chunks() if tables else None

    def _group(self, path: Path, group: int) -> pa.Table:
        key = (path, group)
        if key not in self._groups:
            with storage.parquet_explained(path, storage.AGAIN), open_parquet(path) as file:
                columns = [name for name in self._columns if name in file.schema_arrow.names]
                self._groups[key] = file.read_row_group(group, columns=columns)
            while len(self._groups) > _KEPT_GROUPS:
                self._groups.popitem(last=False)
        self._groups.move_to_end(key)
        return self._groups[key]


def _stretches(ids: Sequence[str]) -> Iterator[tuple[str, int, int]]:
    """Yield the id, first row and row after the last of each stretch of equal ids."""
    start = 0
    for clip_id, rows in groupby(ids):
        stop = start + len(list(rows))
        yield clip_id, start, stop
        start = stop
