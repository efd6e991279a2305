"""Stand-ins: empty files of the name, size and time of a remote object, in the mirror of a data set.

A stand-in takes no space on most file systems (it is sparse) and may be neither read nor written by its
permissions; that tells it from the object itself, which its owner may write. Files change from one to the
other in one step, by renaming, and keep size and time.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from fgbench.files.file_errors import explained
from fgbench.files.temporaries import temporary_name
from fgbench.remote.states import State

_OBJECT_MODE = 0o644


def is_stand_in(path: Path) -> bool:
    """Whether a file of a mirror stands for an object that is not here.

    Raises:
        OSError: If there is no such file.
    """
    return is_stand_in_by(path.stat())


def is_stand_in_by(status: os.stat_result) -> bool:
    """Whether a file of a mirror is a stand-in, by its status."""
    return stat.S_ISREG(status.st_mode) and not status.st_mode & stat.S_IWUSR


def has_state(status: os.stat_result, state: State) -> bool:
    """Whether a file of a mirror is of a version of an object."""
    return (status.st_size, status.st_mtime_ns) == (state.size, state.mtime_ns)


def put_stand_in(path: Path, state: State, incoming: Path) -> None:
    """Put a stand-in in the place of a file, or of nothing.

    Args:
        path: The file.
        state: State of the object.
        incoming: Folder of the same disk for files in work.

    Raises:
        ResourceError: If it cannot be written.
    """

    def create(temporary: Path) -> None:
        with temporary.open("xb") as file:
            file.truncate(state.size)
        temporary.chmod(0)

    _put(path, state, incoming, create)


def put_object(path: Path, state: State, incoming: Path, fetch: Callable[[Path], None]) -> None:
    """Put an object in the place of its stand-in, or of nothing.

    Args:
        path: The file.
        state: State of the object.
        incoming: Folder of the same disk for files in work.
        fetch: Writes the object into a file, whole; may be called once.

    Raises:
        ResourceError: If it cannot be written.
    """

    def create(temporary: Path) -> None:
        fetch(temporary)
        temporary.chmod(_OBJECT_MODE)

    _put(path, state, incoming, create)


def _put(path: Path, state: State, incoming: Path, create: Callable[[Path], None]) -> None:
    temporary = temporary_name(incoming / path.name)
    with explained(path):
        incoming.mkdir(parents=True, exist_ok=True)
        try:
            temporary.unlink(missing_ok=True)
            create(temporary)
            os.utime(temporary, ns=(state.mtime_ns, state.mtime_ns))
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary.replace(path)
        except BaseException:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise
