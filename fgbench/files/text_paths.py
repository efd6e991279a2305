"""A name in UTF-8 for every file, for libraries that take no other.

Names of files may hold any bytes (those of Latin-1), which Python gives as surrogates; libraries in other
languages refuse those. What is opened has another name, which is text.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fgbench.naming import is_text

_OPENED = "/proc/self/fd"
"""Where Linux names what a process has open. Systems without it have no names that are no text."""


@contextmanager
def text_path(path: Path) -> Iterator[str]:
    """A name of a file or folder that is text, and holds within the context.

    Args:
        path: Of a file or folder that is there.

    Raises:
        OSError: If its own name is none, and it cannot be opened.
    """
    if is_text(str(path)):
        yield str(path)
        return
    has_text_name = is_text(path.name)  # then the folder is opened, so that the suffix stays
    opened = os.open(path.parent if has_text_name else path, getattr(os, "O_PATH", os.O_RDONLY))
    try:
        yield f"{_OPENED}/{opened}/{path.name}" if has_text_name else f"{_OPENED}/{opened}"
    finally:
        os.close(opened)
