"""Messages that Ray prints on the standard output of a program while machines of its cluster come and go.

They are pages of its own state, and would stand among a command's results; they go to the log, for
``--verbose``. What of them concerns a preparation the engine says itself, in a line.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager, redirect_stdout
from typing import Any, TextIO, cast

_THREAD = "ray_listen_error_messages"
"""Name of the thread by which Ray prints them."""

_LOGGER = logging.getLogger(__name__)


@contextmanager
def kept_from_output(*, of_this_thread: bool = False) -> Iterator[None]:
    """Write to the log what Ray's thread prints; the output of all other threads is as before.

    Args:
        of_this_thread: Whether this thread calls Ray alone, which prints by it what it has held back.
    """
    of_ray = {_THREAD, threading.current_thread().name} if of_this_thread else {_THREAD}
    with redirect_stdout(cast(TextIO, _OfOthers(sys.stdout, of_ray))):
        yield


class _OfOthers:
    """Standard output without what some threads write."""

    def __init__(self, output: TextIO, of_ray: Collection[str]) -> None:
        self._output = output
        self._of_ray = of_ray

    def write(self, text: str) -> int:
        if threading.current_thread().name not in self._of_ray:
            return self._output.write(text)
        if text.strip():
            _LOGGER.debug("%s", text.strip())
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._output, name)
