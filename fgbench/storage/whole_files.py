"""Files written under a temporary name, and renamed when complete."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from fgbench.errors import ResourceError
from fgbench.files.file_errors import explained
from fgbench.files.temporaries import temporary_name


@contextmanager
def written(path: Path) -> Iterator[Path]:
    """Yield a temporary name to write ``path`` under; it is renamed afterwards.

    After a failure it is removed. The folder is made; an empty folder in the place of the file is removed.

    Raises:
        ResourceError: If the disk is full, the folder cannot be written, takes no new files or is gone, or a
            folder with files stands in the place of the file.
    """
    temporary = temporary_name(path)
    with explained(path):
        with no_new_file(path, path.parent):
            path.parent.mkdir(parents=True, exist_ok=True)
        try:
            # An existing link would be written through.
            temporary.unlink(missing_ok=True)
            with no_new_file(path, temporary):
                yield temporary
                remove_empty_folder(path)
                temporary.replace(path)
        except BaseException:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise


@contextmanager
def no_new_file(path: Path, made: Path) -> Iterator[None]:
    """Turn the error of a folder that takes no new file, as ``/proc``, or is gone, into a clear one.

    Args:
        path: The file to write.
        made: What is made for it.
    """
    try:
        yield
    except FileNotFoundError as error:
        if error.filename is None or Path(os.fsdecode(error.filename)) not in (made, *made.parents):
            raise  # of another file
        raise ResourceError(
            f"cannot write {path}: its folder takes no new files, or is gone", "choose another folder"
        ) from error


def remove_empty_folder(path: Path) -> None:
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
