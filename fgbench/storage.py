"""Files that appear whole or not at all: atomic writes, streamed Parquet tables, links, locks.

Every file is written under a temporary name in its own folder and renamed when complete, so that a process
killed at any instant leaves either the old file or the new one. A file that is a link is replaced, its target
left alone; nothing is written or deleted through links of the last name of a path.
"""

from __future__ import annotations

import errno
import json
import os
import re
import stat
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, NoReturn

from fgbench.errors import ManifestError, ResourceError
from fgbench.files.file_errors import explained as explained
from fgbench.files.file_errors import readable as readable
from fgbench.files.parquet_files import ParquetSink, open_parquet
from fgbench.files.temporaries import temporary_name

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

ROWS_PER_GROUP = 256
"""Rows kept in memory before they are written; also the size of a Parquet row group."""

MAX_JSON_BYTES = 1 << 28
"""Largest JSON file that is read, so that none takes all memory; fgbench writes none of that size."""

AGAIN = "fgbench check --repair, on the work folder, makes it anew"
"""Advice for a table that is missing or damaged."""

_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")

_FICLONE = 0x40049409
"""Linux's request to give a file the blocks of another, shared until one is written: ioctl_ficlone(2)."""


@contextmanager
def written(path: Path) -> Iterator[Path]:
    """Yield a temporary name to write ``path`` under; it is renamed afterwards.

    After a failure it is removed. The folder is made; an empty folder in the place of the file is removed.

    Raises:
        ResourceError: If the disk is full, the folder cannot be written, or a folder with files stands in the
            place of the file.
    """
    temporary = temporary_name(path)
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            # An existing link would be written through.
            temporary.unlink(missing_ok=True)
            yield temporary
            _remove_empty_folder(path)
            temporary.replace(path)
        except BaseException:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise


def _remove_empty_folder(path: Path) -> None:
    """Remove an empty folder in the place of a file; one with files stays, which is reported later."""
    if path.is_dir() and not path.is_symlink():
        with suppress(OSError):  # the renaming reports the error better
            path.rmdir()


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file atomically, making its folder.

    Raises:
        ResourceError: If the disk is full or the folder cannot be written.
    """
    with written(path) as temporary:
        temporary.write_bytes(data)


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 text atomically."""
    write_bytes(path, text.encode("utf-8"))


def write_json(path: Path, value: Any) -> None:
    """Write JSON atomically, with sorted keys, so that equal values give equal bytes."""
    write_text(path, json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    """Read JSON written by :func:`write_json`: NaN and infinity are refused.

    Raises:
        ManifestError: If it is no regular file, larger than :data:`MAX_JSON_BYTES`, not UTF-8, not JSON, or
            nested too deep.
        ResourceError: If it may not be read.
        FileNotFoundError: If it does not exist.
    """
    again = "delete it and run the command again"
    with readable(path):
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise ManifestError(f"{path} is no regular file, expected one of JSON", again)
        if status.st_size > MAX_JSON_BYTES:
            size = f"{status.st_size / 1e6:.0f} MB, expected at most {MAX_JSON_BYTES / 1e6:.0f} MB"
            raise ManifestError(f"{path} has {size} of JSON", again)
        try:
            text = path.read_text(encoding="utf-8")
            value = json.loads(text, parse_constant=_refuse_constant)
            if _SURROGATE.search(text):
                json.dumps(value, ensure_ascii=False).encode("utf-8")  # refuses half a pair
            return value
        except (ValueError, RecursionError) as error:
            reason = "nested too deep" if isinstance(error, RecursionError) else error
            raise ManifestError(f"{path} is not valid JSON: {reason}", again) from error


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name}, expected a number")


def link(source: Path, target: Path) -> bool:
    """Give a finished file a second name.

    Makes a copy that shares its blocks until one of them is written, so that damage to one does not affect
    the other; where the file system cannot, a hard link; where it has no links either, a copy.

    Returns:
        Whether no byte was copied, so that none can differ.
    """
    with explained(target):
        if target.exists() and not target.is_symlink() and target.samefile(source):
            return True
    with written(target) as temporary:
        if _clone(source, temporary):
            return True
        try:
            os.link(source, temporary)
        except OSError as error:
            if error.errno not in (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP, errno.ENOSYS):
                raise
            import shutil

            shutil.copyfile(source, temporary)
            return False
        return True


def _clone(source: Path, target: Path) -> bool:
    """Make a new file ``target`` that shares its blocks with ``source``; return whether it worked."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        import fcntl
    except ImportError:  # a Python that was built without it
        return False

    with source.open("rb") as original, target.open("xb") as copy:
        try:
            fcntl.ioctl(copy.fileno(), _FICLONE, original.fileno())
        except OSError:  # whatever the reason: a link or a copy is tried next, and reports the error
            pass
        else:
            return True
    target.unlink()
    return False


def remove_listed(folder: Path, names: Iterable[str]) -> int:
    """Delete files of a folder by their names, which may come from an untrusted file.

    A link is deleted itself, its target is not. Missing files, and folders, are left alone.

    Args:
        folder: The folder.
        names: Paths below it, with ``/``.

    Returns:
        Number of deleted files.

    Raises:
        ManifestError: If a name leads out of the folder, by its parts or by a link; then nothing is deleted.
        ResourceError: If a file may not be deleted.
    """
    paths = [_listed(folder, name) for name in names]
    removed = 0
    for path in paths:
        with explained(path), suppress(FileNotFoundError):
            if not stat.S_ISDIR(path.lstat().st_mode):
                path.unlink()
                removed += 1
    return removed


def _listed(folder: Path, name: str) -> Path:
    parts = PurePosixPath(name).parts
    if not parts or name.startswith("/") or ".." in parts or "\0" in name or Path(name).is_absolute():
        raise ManifestError(
            f"{folder} is said to hold {name!r}, expected the name of a file below it",
            "delete the file that lists it, and run the command again",
        )
    path = folder.joinpath(*parts)
    for above in (folder, *(folder.joinpath(*parts[:depth]) for depth in range(1, len(parts)))):
        if above.is_symlink():
            raise ManifestError(
                f"{above} is a link, expected a folder: nothing is deleted behind it", "remove the link"
            )
    return path


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Hold a folder for this process alone; the system releases it when the process ends, however it ends.

    Raises:
        ResourceError: If another process holds it, or its file ``.lock`` is a link.
    """
    with held(
        folder / ".lock",
        f"another fgbench process is working in {folder}",
        hint="wait for it, or choose another work folder",
    ):
        yield


@contextmanager
def held(path: Path, refusal: str, *, hint: str, wait_s: float = 0.0) -> Iterator[None]:
    """Hold a lock file, which is kept; its content is not touched, and it is opened through no link.

    Args:
        path: The file; made with its folder if absent.
        refusal: Message if another process holds it.
        hint: Advice for that case.
        wait_s: Seconds to wait for another process that holds it.

    Raises:
        ResourceError: If another process holds it, or it cannot be opened.
    """
    import filelock

    lock = filelock.FileLock(path, timeout=wait_s)
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire()
        except filelock.Timeout as error:
            raise ResourceError(refusal, hint) from error
    try:
        yield
    finally:
        lock.release()


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
                _remove_empty_folder(self.path)
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


def read_table(path: Path, columns: list[str] | None = None, *, hint: str = AGAIN) -> pa.Table:
    """A whole Parquet file in memory; errors as of :func:`open_table`."""
    with open_table(path, columns, hint=hint) as file:
        return file.read(columns=columns)


def read_rows(path: Path, columns: list[str] | None = None) -> Iterator[dict[str, Any]]:
    """Rows of a Parquet file in order, a few hundred in memory at a time; errors as of :func:`open_table`."""
    with open_table(path, columns) as file:
        for batch in file.iter_batches(batch_size=ROWS_PER_GROUP, columns=columns):
            yield from batch.to_pylist()
