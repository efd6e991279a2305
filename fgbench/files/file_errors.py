"""Failures of disk and memory as errors with advice for the user."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fgbench.errors import ResourceError

WRITING = {
    errno.ENOSPC: "free some disk space, then run the same command again: it continues where it was",
    errno.EDQUOT: "your disk quota is used up; free some space, then run the same command again",
    errno.EFBIG: "raise the limit of a file's size (ulimit -f), or choose a file system without such a limit",
    errno.EACCES: "choose a folder that you may write to",
    errno.EPERM: "choose a folder that you may write to",
    errno.EROFS: "the file system is read-only; choose another folder",
    errno.ENOTDIR: "a file stands where a folder is needed; choose another folder",
    errno.EEXIST: "a file stands where a folder is needed; choose another folder",
    errno.EISDIR: "a folder stands where a file is needed; move it away, or choose another folder",
    errno.ELOOP: "a link stands where a file is needed; remove it, or choose another folder",
    errno.ENAMETOOLONG: "choose a folder with a shorter path",
    errno.EMFILE: "raise the limit of open files (ulimit -n), or take fewer jobs",
    errno.ENFILE: "the machine has too many open files; end other programs, or take fewer jobs",
    errno.EIO: "the disk or its connection fails; look after it before you run the command again",
}
"""Failures of writing, each with the advice for the user."""

_READING = {
    errno.EACCES: "make it readable for you (chmod u+r; folders u+rx)",
    errno.EPERM: "make it readable for you (chmod u+r; folders u+rx)",
    errno.EMFILE: WRITING[errno.EMFILE],
    errno.ENFILE: WRITING[errno.ENFILE],
    errno.EIO: WRITING[errno.EIO],
    errno.ELOOP: "its link leads in a circle; put the file itself in its place",
    errno.ENAMETOOLONG: "choose a folder with a shorter path",
}
_MEMORY = "end other programs, or take fewer jobs: each needs memory of its own"


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn failures of the file system, or of memory, while ``path`` is written into one clear error.

    Raises:
        ResourceError: In their place. A :class:`FileNotFoundError`, of another file, passes through.
    """
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        reason = error.strerror or str(error)
        remedy = WRITING.get(error.errno or 0, "look after the disk, or choose another folder")
        raise ResourceError(f"cannot write {path}: {reason}", remedy) from error
    except MemoryError as error:
        raise ResourceError(f"out of memory while {path} was written", _MEMORY) from error


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turn failures of the file system, or of memory, while ``path`` is read into one clear error.

    Raises:
        ResourceError: In their place: not permitted, too many open files, a failing disk.
            :class:`FileNotFoundError`, :class:`NotADirectoryError` and :class:`IsADirectoryError` pass
            through.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _READING:
            raise
        raise ResourceError(f"cannot read {path}: {error.strerror}", _READING[error.errno]) from error
    except MemoryError as error:
        raise ResourceError(f"out of memory while {path} was read", _MEMORY) from error
