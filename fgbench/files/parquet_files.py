"""Parquet files opened by the bytes of their paths, whatever these are.

Arrow takes paths as UTF-8 text and fails on other names that a file system may hold (in Latin-1, say, which
Python gives as surrogates), so the file is opened here and Arrow gets the open file. Writes are not atomic
and failures not explained here: see :mod:`fgbench.storage`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

_WRITE_OPTIONS: Mapping[str, Any] = MappingProxyType({"compression": "zstd", "write_page_checksum": True})
"""Options of the Parquet writer; the checksum of every page lets readers find damage."""


class ParquetSink:
    """A Parquet file that is being written; as a context it is closed at the end.

    Args:
        path: The file; overwritten, and made if absent. A link is followed: give a temporary name.
        schema: Arrow schema of all tables.

    Raises:
        OSError: If it cannot be opened, here and wherever it is written to or closed.
    """

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        self._file = pa.OSFile(os.fsencode(path), "wb")
        try:
            self._writer = pq.ParquetWriter(self._file, schema, **_WRITE_OPTIONS)
        except BaseException:
            self._file.close()
            raise

    def write_table(self, table: pa.Table, row_group_size: int | None = None) -> None:
        """Append a table, as one row group or in groups of ``row_group_size`` rows."""
        self._writer.write_table(table, row_group_size=row_group_size)

    def close(self) -> None:
        """Write the end of the file and close it; does nothing if it is closed already."""
        try:
            self._writer.close()
        finally:
            self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@contextmanager
def open_parquet(path: Path) -> Iterator[pq.ParquetFile]:
    """Open a Parquet file for reading; the checksums of its pages are compared.

    Raises:
        OSError: If it cannot be opened or read; :class:`FileNotFoundError` where it is not there.
        pyarrow.ArrowException: If it is damaged.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    with (
        pa.OSFile(os.fsencode(path), "rb") as opened,
        pq.ParquetFile(opened, page_checksum_verification=True) as file,
    ):
        yield file
