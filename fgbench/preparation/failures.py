"""Failures of single items: a reason, a detail in words, and the traceback in a log file.

One item never ends a run: an error raised while it is worked on becomes the reason why it was left out. Only
errors that concern the whole run (a missing model, a full disk, a damaged table) are raised on.
"""

from __future__ import annotations

import errno
import os
import re
import traceback
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from fgbench.errors import FgbenchError, MediaError, ResourceError
from fgbench.naming import shown

INTERNAL_ERROR = "internal_error"
"""Reason: something unforeseen was raised."""
OUT_OF_MEMORY = "out_of_memory"
"""Reason: the process ran out of memory."""
WORKER_DIED = "worker_died"
"""Reason: the process that worked on the item was killed, also when nothing else was running."""
TOO_SLOW = "too_slow"
"""Reason: the time limit was reached."""

TRANSIENT = frozenset({INTERNAL_ERROR, OUT_OF_MEMORY, WORKER_DIED, TOO_SLOW})
"""Reasons that may not hold on another day or machine: ``fgbench prepare --retry`` tries such items again."""

LOG = Path("logs") / "failed_items.log"
"""Log file of tracebacks, from the work folder."""

_PACKAGE = Path(__file__).parent.parent
_MOST_CHARACTERS = 400  # of a message; the log has all of it
_OF_THE_MACHINE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EMFILE, errno.ENFILE})
_NO_MEMORY = (
    "failed to map segment",
    "annot allocate memory",
    "can't allocate memory",
    "can't start new thread",
    "Failed to launch worker thread",
    "std::bad_alloc",
)
_CV_NO_MEMORY = -4  # cv::Error::StsNoMem


def reason_and_detail(error: Exception, hidden: Iterable[Path] = ()) -> tuple[str, str]:
    """Return why an item could not be used, for a table of rejects.

    Args:
        error: Error raised while the item was worked on.
        hidden: Folders whose paths are left out of the detail, so that it is the same on every machine.

    Returns:
        Reason and detail: those of a :class:`MediaError`, else type, message and line of fgbench.

    Raises:
        FgbenchError: The error itself, where it concerns more than the item.
        ResourceError: If the disk or the number of open files is used up.
    """
    if isinstance(error, MediaError):
        return error.reason, shown(error.message)
    if isinstance(error, FgbenchError):
        raise error
    if isinstance(error, OSError) and error.errno in _OF_THE_MACHINE:
        raise ResourceError(
            f"{error.strerror} ({error.filename or innermost_line(error)})",
            "free some of it, then run the same command again: it continues where it was",
        ) from error
    reason = OUT_OF_MEMORY if is_memory(error) else INTERNAL_ERROR
    return reason, f"{type(error).__name__}: {_message(error, hidden)} ({innermost_line(error)})"


def is_memory(error: BaseException) -> bool:
    """Return whether memory was used up, as reported by Python, NumPy, Arrow, FFmpeg, OpenCV, PyTorch or the
    linker."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    if isinstance(error, OSError) and error.errno == errno.ENOMEM:
        return True
    if type(error).__module__.partition(".")[0] == "cv2":
        return getattr(error, "code", None) == _CV_NO_MEMORY
    text = str(error)
    return any(sign in text for sign in _NO_MEMORY)


def innermost_line(error: BaseException) -> str:
    """Innermost line of fgbench that an error passed, e.g. ``fgbench/media/images.py:33``."""
    line = "outside fgbench"
    for frame in traceback.extract_tb(error.__traceback__):
        path = Path(frame.filename)
        if path.is_relative_to(_PACKAGE):
            line = f"{_PACKAGE.name}/{path.relative_to(_PACKAGE).as_posix()}:{frame.lineno}"
    return line


def keep_traceback(workdir: Path, subject: str, error: BaseException) -> None:
    """Append a traceback to the log file of a work folder; several processes may do so at once.

    A log that cannot be written ends neither the work on an item nor a run.

    Args:
        workdir: The work folder.
        subject: Description of the work.
        error: The error.
    """
    text = "".join(traceback.format_exception(error))
    entry = f"--- {datetime.now(UTC).isoformat(timespec='seconds')} {subject!a}\n{text}\n"
    path = workdir / LOG
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
        handle = os.open(path, flags, 0o666)
        try:
            os.write(handle, entry.encode("utf-8", "backslashreplace"))
        finally:
            os.close(handle)
    except OSError:
        return


def _message(error: Exception, hidden: Iterable[Path]) -> str:
    """The message on one line, without parts that differ between machines or runs."""
    text = str(error)
    for folder in hidden:
        for name in {str(folder), str(folder.resolve())} - {".", "/"}:
            text = text.replace(f"{name}{os.sep}", "")
    text = re.sub(r"\b0x[0-9a-f]{6,}\b", "0x...", " ".join(shown(text).split()))
    return text if len(text) <= _MOST_CHARACTERS else f"{text[:_MOST_CHARACTERS]}..."
