"""Tables of a stage, filled row by row from its items; an item that fails leaves no rows.

Rows are written as they come, so that memory does not grow with them. If an item fails after some of its
rows are in the file, they are taken out at the end, a row group at a time: the file is then the same to the
byte as if the item had given none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fgbench import storage
from fgbench.files.parquet_files import open_parquet
from fgbench.storage import ROWS_PER_GROUP

if TYPE_CHECKING:
    import pyarrow as pa

Row = Mapping[str, Any]


@dataclass(slots=True)
class _Table:
    writer: storage.TableWriter
    schema: pa.Schema
    pending: list[tuple[str, Row]] = field(default_factory=list)
    written: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Item to the first of its rows in the file and the one after the last."""
    gone: list[tuple[int, int]] = field(default_factory=list)
    """Likewise of items that are to be removed."""


class ItemTables:
    """Writes the tables of one bucket of a stage.

    Args:
        paths: Output name to file; files appear when :meth:`close` is called.
        schemas: Output name to Arrow schema.
    """

    def __init__(self, paths: Mapping[str, Path], schemas: Mapping[str, pa.Schema]) -> None:
        self.unwritable: dict[str, Exception] = {}
        """Items whose rows do not fit the schema, and why; they have been dropped."""
        self._tables: dict[str, _Table] = {}
        try:
            for output, path in paths.items():
                schema = schemas[output]
                self._tables[output] = _Table(storage.TableWriter(path, schema), schema)
        except BaseException:
            self.discard()
            raise

    def add(self, item_id: str, output: str, row: Row) -> None:
        """Append a row of an item; the rows of an item come one after another, in one table.

        Raises:
            Exception: As Arrow raises, if a row of this item does not fit the schema.
            ResourceError: If the disk is full or the folder cannot be written.
        """
        table = self._tables[output]
        table.pending.append((item_id, row))
        if len(table.pending) >= ROWS_PER_GROUP:
            self._write(table)
            if item_id in self.unwritable:
                raise self.unwritable[item_id]

    def drop(self, item_id: str) -> None:
        """Leave out all rows of an item, also those that are written."""
        for table in self._tables.values():
            table.pending = [pair for pair in table.pending if pair[0] != item_id]
            if item_id in table.written:
                table.gone.append(table.written.pop(item_id))

    def close(self) -> dict[str, storage.TableWriter]:
        """Write the remaining rows and let the files appear; return the writers by output."""
        for table in self._tables.values():
            self._write(table, at_end=True)
        for table in self._tables.values():
            table.writer.close()
            if table.gone:
                table.writer = _without_rows(table.writer.path, table.schema, table.gone)
        return {output: table.writer for output, table in self._tables.items()}

    def discard(self) -> None:
        """Drop all rows; no file appears."""
        for table in self._tables.values():
            table.writer.discard()

    def _write(self, table: _Table, *, at_end: bool = False) -> None:
        """Write the pending rows, if they fill a row group or no more will come."""
        import pyarrow as pa

        while len(table.pending) >= (1 if at_end else ROWS_PER_GROUP):
            try:
                rows = pa.Table.from_pylist([row for _, row in table.pending], schema=table.schema)
            except Exception:
                if not self._drop_unwritable(table):
                    raise
                continue
            for index, (item_id, _) in enumerate(table.pending, table.writer.rows):
                table.written[item_id] = (table.written.get(item_id, (index, 0))[0], index + 1)
            table.writer.add_table(rows)
            table.pending.clear()

    def _drop_unwritable(self, table: _Table) -> bool:
        """Drop the items whose pending rows cannot be written; return whether there are any."""
        import pyarrow as pa

        by_item: dict[str, list[Row]] = {}
        for item_id, row in table.pending:
            by_item.setdefault(item_id, []).append(row)
        unwritable = {}
        for item_id, rows in by_item.items():
            try:
                pa.Table.from_pylist(rows, schema=table.schema)
            except Exception as error:
                unwritable[item_id] = error
        for item_id in unwritable:
            self.drop(item_id)
        self.unwritable |= unwritable
        return bool(unwritable)


def _without_rows(path: Path, schema: pa.Schema, gone: list[tuple[int, int]]) -> storage.TableWriter:
    """Rewrite a table without some of its rows; return the writer."""
    writer = storage.TableWriter(path, schema)
    try:
        for rows in _full_groups(_kept(path, gone)):
            writer.add_table(rows)
        writer.close()
    except BaseException:
        writer.discard()
        raise
    return writer


def _kept(path: Path, gone: list[tuple[int, int]]) -> Iterator[pa.Table]:
    """Row groups without the removed rows."""
    import numpy as np
    import pyarrow as pa

    begin = 0
    with open_parquet(path) as file:
        for number in range(file.num_row_groups):
            rows = file.read_row_group(number)
            stays = np.ones(rows.num_rows, bool)
            for first, end in gone:
                stays[max(0, first - begin) : max(0, end - begin)] = False
            begin += rows.num_rows
            yield rows.filter(pa.array(stays))


def _full_groups(tables: Iterator[pa.Table]) -> Iterator[pa.Table]:
    """The same rows in tables of the size of a row group; the last may be smaller."""
    import pyarrow as pa

    held: pa.Table | None = None
    for table in tables:
        held = table if held is None else pa.concat_tables([held, table])
        while held.num_rows >= ROWS_PER_GROUP:
            yield held.slice(0, ROWS_PER_GROUP).combine_chunks()
            held = held.slice(ROWS_PER_GROUP)
    if held is not None and held.num_rows:
        yield held.combine_chunks()
