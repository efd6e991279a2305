"""Files that appear whole or not at all: atomic writes, streamed Parquet tables, links, locks.

Every file is written under a temporary name in its own folder and renamed when complete, so that a process
killed at any instant leaves either the old file or the new one.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fgbench.errors import ManifestError, ResourceError

if TYPE_CHECKING:
    import pyarrow as pa

TEMPORARY = ".tmp-"
"""Part of the name of every unfinished file."""

ROWS_PER_GROUP = 256
"""Rows kept in memory before they are written; also the size of a Parquet row group."""

_COMPRESSION = "zstd"


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn failures of the file system at ``path`` into one clear :class:`ResourceError`."""
    try:
        yield
    except OSError as error:
        remedies = {
            errno.ENOSPC: "free some disk space, then run the same command again: it continues where it was",
            errno.EDQUOT: "your disk quota is used up; free some space, then run the same command again",
            errno.EACCES: "choose a folder that you may write to",
            errno.EPERM: "choose a folder that you may write to",
            errno.EROFS: "the file system is read-only; choose another folder",
            errno.ENOTDIR: "a file stands where a folder is needed; choose another folder",
            errno.EEXIST: "a file stands where a folder is needed; choose another folder",
            errno.ENAMETOOLONG: "choose a folder with a shorter path",
        }
        if error.errno not in remedies:
            raise
        raise ResourceError(f"cannot write {path}: {error.strerror}", remedies[error.errno]) from error


def temporary_name(path: Path) -> Path:
    """Name in the same folder under which ``path`` is written until it is complete."""
    return path.with_name(f"{path.name}{TEMPORARY}{os.getpid()}")


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file atomically, making its folder.

    Raises:
        ResourceError: If the disk is full or the folder cannot be written.
    """
    temporary = temporary_name(path)
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(data)
        temporary.replace(path)


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 text atomically."""
    write_bytes(path, text.encode("utf-8"))


def write_json(path: Path, value: Any) -> None:
    """Write JSON atomically, with sorted keys, so that equal values give equal bytes."""
    write_text(path, json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    """Read JSON.

    Raises:
        ManifestError: If the file is not JSON.
        FileNotFoundError: If it is not there.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ManifestError(
            f"{path} is not valid JSON: {error}", "delete the file and run the command again"
        ) from error


def link(source: Path, target: Path) -> None:
    """Give a finished file a second name (a hard link, or a copy where links are not possible)."""
    temporary = temporary_name(target)
    with explained(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists() and target.samefile(source):
            return
        temporary.unlink(missing_ok=True)
        try:
            os.link(source, temporary)
        except OSError as error:
            if error.errno not in (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP, errno.ENOSYS):
                raise
            import shutil

            shutil.copyfile(source, temporary)
        temporary.replace(target)


def remove_temporaries(folder: Path) -> int:
    """Delete what killed processes left under temporary names below ``folder``; returns how many."""
    found = [path for path in folder.rglob(f"*{TEMPORARY}*") if path.is_file()]
    for path in found:
        path.unlink(missing_ok=True)
    return len(found)


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Hold a folder for this process alone; the system lets go when the process ends, however it ends.

    Raises:
        ResourceError: If another process holds it.
    """
    import fcntl

    path = folder / ".lock"
    with explained(path):
        folder.mkdir(parents=True, exist_ok=True)
        file = path.open("w")
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ResourceError(
                f"another fgbench process is working in {folder}", "wait for it, or choose another --workdir"
            ) from error
        yield
    finally:
        file.close()


class TableWriter:
    """Streams rows into one Parquet file; memory does not grow with the number of rows.

    Args:
        path: The file; it appears when :meth:`close` is called.
        schema: Arrow schema; rows are mappings with these keys.
    """

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        import pyarrow.parquet as pq

        self.path = path
        self.rows = 0
        self._schema = schema
        self._pending: list[Mapping[str, Any]] = []
        self._temporary = temporary_name(path)
        with explained(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = pq.ParquetWriter(self._temporary, schema, compression=_COMPRESSION)

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
            self._writer.write_table(table)
        self.rows += table.num_rows

    def _flush(self) -> None:
        import pyarrow as pa

        if not self._pending:
            return
        table = pa.Table.from_pylist(list(self._pending), schema=self._schema)
        with explained(self.path):
            self._writer.write_table(table, row_group_size=ROWS_PER_GROUP)
        self._pending.clear()

    def close(self) -> None:
        """Write what is left and let the file appear under its name."""
        self._flush()
        with explained(self.path):
            self._writer.close()
            self._temporary.replace(self.path)

    def discard(self) -> None:
        """Give up; nothing appears."""
        self._pending.clear()
        self._writer.close()
        self._temporary.unlink(missing_ok=True)


def write_table(path: Path, table: pa.Table) -> None:
    """Write a whole Arrow table atomically."""
    import pyarrow.parquet as pq

    temporary = temporary_name(path)
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, temporary, compression=_COMPRESSION, row_group_size=ROWS_PER_GROUP)
        temporary.replace(path)


def read_rows(path: Path, columns: list[str] | None = None) -> Iterator[dict[str, Any]]:
    """Rows of a Parquet file in order, a few hundred in memory at a time.

    Raises:
        ManifestError: If the file is not there or damaged.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=ROWS_PER_GROUP, columns=columns):
                yield from batch.to_pylist()
    except FileNotFoundError as error:
        raise ManifestError(
            f"{path} is missing", "run fgbench prepare again: it makes the file anew"
        ) from error
    except pa.ArrowInvalid as error:
        raise ManifestError(
            f"{path} is damaged: {error}", "delete the file and run fgbench prepare again"
        ) from error
