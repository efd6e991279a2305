"""Work folders held for one process, or beside shards of a preparation, with nothing left unfinished."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fgbench import storage
from fgbench.files.temporaries import remove_temporaries
from fgbench.workfolders.folder import FOLDERS, MARKER, RUN_FILE, claim, mark
from fgbench.workfolders.shard_locks import refuse_shards
from fgbench.workfolders.verification import NOTES

_LOGGER = logging.getLogger(__name__)


@contextmanager
def working_in(
    workdir: Path, *, force_unlock: bool = False, beside_shards: bool = False, wait_s: float = 0.0
) -> Iterator[None]:
    """Hold a work folder for this process alone, made and marked if need be, and leave nothing unfinished.

    Args:
        workdir: The work folder.
        force_unlock: Whether a lock is broken first that a dead process of another machine has left.
        beside_shards: Whether shards of a preparation may be at work in it.
        wait_s: Seconds to wait for another process that holds it.

    Raises:
        ConfigError: As for :func:`claim`; nothing in the folder is changed.
        ResourceError: Likewise, or if another process works in the folder, or it cannot be written.
    """
    claim(workdir)
    if force_unlock:
        unlock(workdir)
    with storage.exclusive(workdir, wait_s=wait_s):
        if not beside_shards:
            refuse_shards(workdir)
        mark(workdir)
        sweep(workdir)
        try:
            yield
        finally:
            # Workers that died while writing a file left it; a full disk needs its space.
            sweep(workdir)


def unlock(workdir: Path) -> None:
    """Break the lock of a work folder that a dead process of another machine has left, and log whose it was.

    Raises:
        ResourceError: As :func:`fgbench.storage.force_unlock`.
    """
    if not workdir.is_dir():
        return
    broken = storage.force_unlock(workdir)
    if broken is None:
        _LOGGER.warning("--force-unlock: there was no lock to break in %s", workdir)
    else:
        _LOGGER.warning("broke the lock of %s, which was held by %s", workdir, broken)


def sweep(workdir: Path) -> None:
    """Delete what dead processes have left unfinished in the folders of a work folder."""
    remove_temporaries(workdir, of={MARKER, RUN_FILE, NOTES})
    for name in FOLDERS:
        remove_temporaries(workdir / name)
