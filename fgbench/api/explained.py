"""Failures of the machine as errors of fgbench, with advice."""

from __future__ import annotations

import errno
import os

from fgbench.errors import FgbenchError, ResourceError
from fgbench.files.file_errors import WRITING
from fgbench.preparation.failures import is_memory

_DENIED = "ask for the right to it, or choose another place"
_OF_THE_MACHINE = (
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EFBIG,
    errno.EMFILE,
    errno.ENFILE,
    errno.EIO,
    errno.EROFS,
)
"""Failures of the file system that are not fgbench's fault."""


def as_fgbench_error(error: BaseException) -> FgbenchError | None:
    """Return an error as an error of fgbench; ``None`` if it is unexpected.

    Lack of memory, and failures of the file system, are :class:`fgbench.errors.ResourceError`.
    """
    if isinstance(error, FgbenchError):
        return error
    if is_memory(error):
        return ResourceError(
            f"out of memory: {type(error).__name__}: {error}".rstrip(": "),
            "give it more, or ask for less at a time, e.g. by fewer jobs; what is done already is kept",
        )
    if not isinstance(error, OSError):
        return None
    advice = {number: WRITING[number] for number in _OF_THE_MACHINE}
    advice |= {errno.EACCES: _DENIED, errno.EPERM: _DENIED}
    if error.errno not in advice:
        return None
    where = "" if error.filename is None else f": {os.fsdecode(error.filename)}"
    return ResourceError(f"{error.strerror}{where}", advice[error.errno])
