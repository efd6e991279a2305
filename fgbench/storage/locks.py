"""Folders and files held for one process alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fgbench.errors import ResourceError
from fgbench.files.file_errors import explained


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
