"""Second names of finished files: clones, hard links or copies."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

from fgbench.files.file_errors import explained
from fgbench.storage.whole_files import written

_FICLONE = 0x40049409
"""Linux's request to give a file the blocks of another, shared until one is written: ioctl_ficlone(2)."""


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
