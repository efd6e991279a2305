"""Opening of files that a user names: regular files only (no pipes, devices, folders), up to a size limit.

A pipe that nobody writes to would block for ever and ``/dev/zero`` has no end. The file's state is checked
before opening and again on the opened file; opening itself never blocks.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from fgbench.errors import MediaError

NOT_A_FILE = "not_a_file"
"""Reason of a :class:`fgbench.errors.MediaError` for a pipe, a socket, a device or a folder."""

_KINDS = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFDIR: "a folder",
}

_MOST_GROWN_BYTES = 1 << 30

# O_BINARY is there on Windows alone, the others elsewhere.
_READ = os.O_RDONLY
for _flag in ("O_NONBLOCK", "O_CLOEXEC", "O_NOCTTY", "O_BINARY"):
    _READ |= getattr(os, _flag, 0)


def check_regular(path: Path) -> os.stat_result:
    """Return the state of a regular file; links are followed.

    Raises:
        MediaError: If it does not exist (reason ``missing_file``), is not a regular file (``not_a_file``), or
            cannot be examined (``unreadable``).
    """
    try:
        return _only_regular(path, path.stat())
    except (OSError, ValueError) as error:
        raise _refused(path, error) from error


@contextmanager
def open_regular(path: Path) -> Iterator[IO[bytes]]:
    """Open a file for reading bytes.

    Raises:
        MediaError: If it is no file (reason ``not_a_file``).
        OSError: If it does not exist or may not be read.
    """
    _only_regular(path, path.stat())
    number = os.open(path, _READ)
    with open(number, "rb") as file:  # noqa: PTH123 - a file descriptor
        _only_regular(path, os.fstat(number))
        yield file


def read_regular(path: Path, *, max_bytes: int) -> bytes:
    """Return all bytes of a file.

    Args:
        path: The file.
        max_bytes: The largest size that is read.

    Raises:
        MediaError: As :func:`check_regular`, or if the file has more bytes (reason ``too_large``).
    """
    try:
        with open_regular(path) as file:
            size = os.fstat(file.fileno()).st_size
            data = file.read(min(size, max_bytes) + 1)
            if size < len(data) <= max_bytes:  # it grows, or reports no size, as files in /proc do
                data += file.read(min(max_bytes - len(data) + 1, _MOST_GROWN_BYTES))
    except (OSError, ValueError) as error:
        raise _refused(path, error) from error
    if len(data) > max_bytes:
        raise MediaError(
            f"file {path} has more than {max_bytes:,} bytes, the largest size that is read here",
            "check that the right file was named",
            reason="too_large",
        )
    return data


def first_bytes(path: Path, count: int) -> bytes:
    """Return the first ``count`` bytes of a file, or all if it has fewer.

    Raises:
        MediaError: As :func:`check_regular`.
    """
    try:
        with open_regular(path) as file:
            return file.read(count)
    except (OSError, ValueError) as error:
        raise _refused(path, error) from error


def _only_regular(path: Path, state: os.stat_result) -> os.stat_result:
    if not stat.S_ISREG(state.st_mode):
        raise MediaError(
            f"{path} is {_KINDS.get(stat.S_IFMT(state.st_mode), 'no file')}, expected a file",
            "take it off the list, or name a file",
            reason=NOT_A_FILE,
        )
    return state


def _refused(path: Path, error: OSError | ValueError) -> MediaError:
    if isinstance(error, (FileNotFoundError, NotADirectoryError)):
        what = "is a link to a file that does not exist" if path.is_symlink() else "does not exist"
        hint = "check the data root and the list of clips, or copy the file again"
        return MediaError(f"file {path} {what}", hint, reason="missing_file")
    detail = getattr(error, "strerror", None) or error
    return MediaError(f"cannot read {path}: {detail}", "check its name and its permissions")
