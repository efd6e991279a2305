"""Files written under a temporary name, and renamed when complete."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from fgbench.files.file_errors import explained
from fgbench.files.temporaries import temporary_name


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
            remove_empty_folder(path)
            temporary.replace(path)
        except BaseException:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise


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
