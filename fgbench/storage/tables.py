"""Parquet tables, streamed or whole; reads and writes a few hundred rows at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fgbench.errors import ManifestError
from fgbench.files.file_errors import explained, readable
from fgbench.files.parquet_files import ParquetSink, open_parquet
from fgbench.files.temporaries import temporary_name
from fgbench.storage.whole_files import remove_empty_folder, written

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

ROWS_PER_GROUP = 256
"""Rows kept in memory before they are written; also the size of a Parquet row group."""

_LONG_ROWS = 4096
"""Rows from which a table is read by several threads."""

AGAIN = "fgbench check --repair, on the work folder, makes it anew"
"""Advice for a table that is missing or damaged."""


@contextmanager
def parquet_explained(path: Path, hint: str) -> Iterator[None]:
    """Convert all errors of Arrow on a damaged or missing Parquet file to one clear error.

    Args:
        path: The file.
        hint: Advice.

    Raises:
        ManifestError: In its place.
        ResourceError: If the file may not be read, or the disk fails.
    """
    import pyarrow as pa

    try:
        with readable(path):
            yield
    except FileNotFoundError as error:
        raise ManifestError(f"{path} is missing", hint) from error
    except (OSError, pa.ArrowException, LookupError, TypeError, ValueError) as error:
        # For damage, Arrow's reader raises OSError without a number, ArrowInvalid, ArrowNotImplementedError
        # and more; for invalid text, UnicodeDecodeError.
        raise ManifestError(f"{path} is damaged: {error}", hint) from error


class TableWriter:
    """Streams rows into one Parquet file; memory does not grow with the number of rows.

    Args:
        path: The file; it appears when :meth:`close` is called.
        schema: Arrow schema; rows are mappings with these keys.
    """

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self.path = path
        self.rows = 0
        self._schema = schema
        self._pending: list[Mapping[str, Any]] = []
        self._temporary = temporary_name(path)
        with explained(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._temporary.unlink(missing_ok=True)
            self._sink = ParquetSink(self._temporary, schema)

    def add(self, row: Mapping[str, Any]) -> None:
        """Append a row."""
        self._pending.append(row)
        self.rows += 1
        if len(self._pending) >= ROWS_PER_GROUP:
            self._flush()

    def add_table(self, table: pa.Table) -> None:
        """Append the rows of a table with the same schema, as one row group."""
        self._flush()
        with explained(self.path):
            self._sink.write_table(table)
        self.rows += table.num_rows

    def _flush(self) -> None:
        import pyarrow as pa

        if not self._pending:
            return
        table = pa.Table.from_pylist(list(self._pending), schema=self._schema)
        with explained(self.path):
            self._sink.write_table(table, row_group_size=ROWS_PER_GROUP)
        self._pending.clear()

    def close(self) -> None:
        """Write the remaining rows and let the file appear under its name; after a failure nothing stays."""
        try:
            self._flush()
            with explained(self.path):
                self._sink.close()
                remove_empty_folder(self.path)
                self._temporary.replace(self.path)
        except BaseException:
            self.discard()
            raise

    def discard(self) -> None:
        """Drop all rows; no file appears."""
        self._pending.clear()
        with suppress(OSError):  # a full disk has no room for the end of the file either
            self._sink.close()
        with suppress(OSError):
            self._temporary.unlink(missing_ok=True)


def write_table(path: Path, table: pa.Table) -> None:
    """Write a whole Arrow table atomically; one without rows has a schema and no row group."""
    with written(path) as temporary, ParquetSink(temporary, table.schema) as sink:
        if table.num_rows:
            sink.write_table(table, row_group_size=ROWS_PER_GROUP)


@contextmanager
def open_table(
    path: Path, columns: Iterable[str] | None = None, *, hint: str = AGAIN
) -> Iterator[pq.ParquetFile]:
    """A Parquet file open for reading; damage found while it is read is reported likewise.

    Args:
        path: The file.
        columns: Required columns.
        hint: Advice where it is missing or damaged.

    Raises:
        ManifestError: If the file does not exist, is damaged, or lacks one of the columns.
        ResourceError: If it may not be read.
    """
    with parquet_explained(path, hint), open_parquet(path) as file:
        lacking = set(columns or ()).difference(file.schema_arrow.names)
        if lacking:
            raise ManifestError(f"{path} lacks the columns {', '.join(sorted(lacking))}", hint)
        yield file


def _is_long(file: pq.ParquetFile) -> bool:
    """Whether threads help to read a file; in a short one, waiting for them takes longer than reading."""
    return bool(file.metadata.num_rows >= _LONG_ROWS)


def read_table(path: Path, columns: list[str] | None = None, *, hint: str = AGAIN) -> pa.Table:
    """A whole Parquet file in memory; errors as of :func:`open_table`."""
    with open_table(path, columns, hint=hint) as file:
        return file.read(columns=columns, use_threads=_is_long(file))


def read_rows(path: Path, columns: list[str] | None = None) -> Iterator[dict[str, Any]]:
    """Rows of a Parquet file in order, a few hundred in memory at a time; errors as of :func:`open_table`."""
    with open_table(path, columns) as file:
        batches = file.iter_batches(batch_size=ROWS_PER_GROUP, columns=columns, use_threads=_is_long(file))
        for batch in batches:
            yield from batch.to_pylist()
