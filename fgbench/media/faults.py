"""Clear errors for media files that cost too much, or on which a library fails.

The time limit is a safety net against files that would hold up a run. Whether a file exceeds it depends on
the machine, so such a file is rejected whole: results never depend on the clock.
"""

from __future__ import annotations

import errno
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fgbench.errors import MediaError

GIVEN_UP = frozenset({"too_large", "too_slow", "out_of_memory"})
"""Reasons of a :class:`fgbench.errors.MediaError` for which a file is given up, not just the rest of it."""


def check_frame_px(path: Path, size: tuple[int, int], *, max_frame_px: int) -> None:
    """Refuse frames that are too large.

    Args:
        path: The file, for the message.
        size: Width and height in px.
        max_frame_px: Largest number of pixels, width times height.

    Raises:
        MediaError: If there are more (reason ``too_large``).
    """
    width, height = size
    if width * height > max_frame_px:
        raise MediaError(
            f"{path} has frames of {width} x {height} px, expected at most {max_frame_px} pixels",
            "scale the video down, or raise ingest.max_frame_px",
            reason="too_large",
        )


class Deadline:
    """The time by which a file has to be done; checked between packets and between frames.

    Args:
        path: The file, for the message.
        max_seconds: Seconds from now; may be infinite.
    """

    def __init__(self, path: Path, max_seconds: float) -> None:
        self._path = path
        self._seconds = max_seconds
        self._end = time.monotonic() + max_seconds

    def check(self) -> None:
        """Return if there is time left.

        Raises:
            MediaError: If there is none (reason ``too_slow``).
        """
        if time.monotonic() > self._end:
            raise MediaError(
                f"{self._path} is not done after {self._seconds:g} s",
                "cut the clip, or raise max_seconds in the recipe's section",
                reason="too_slow",
            )


@contextmanager
def clear_faults(path: Path) -> Iterator[None]:
    """Convert errors of libraries while a file is read into one clear error.

    Args:
        path: The file, for the message.

    Raises:
        MediaError: For a lack of memory (reason ``out_of_memory``), and for errors of FFmpeg, OpenCV and the
            file system (``unreadable``).
    """
    import av
    import cv2

    try:
        yield
    except MemoryError as error:
        raise _out_of_memory(path) from error
    except av.FFmpegError as error:
        if error.errno == errno.ENOMEM:
            raise _out_of_memory(path) from error
        raise _unreadable(path, f"FFmpeg: {error.strerror or error}") from error
    except cv2.error as error:
        if getattr(error, "code", None) == cv2.Error.StsNoMem or "bad_alloc" in str(error):
            raise _out_of_memory(path) from error
        raise _unreadable(path, f"OpenCV: {getattr(error, 'err', None) or error}") from error
    except OSError as error:
        raise _unreadable(path, str(error.strerror or error)) from error


def _out_of_memory(path: Path) -> MediaError:
    return MediaError(
        f"{path} needs more memory than there is",
        "give a worker more memory (fewer jobs), or scale the video down",
        reason="out_of_memory",
    )


def _unreadable(path: Path, detail: str) -> MediaError:
    return MediaError(
        f"{path} cannot be read ({detail})", "check the file with a player; convert it", reason="unreadable"
    )
