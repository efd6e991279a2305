"""UTF-8 names for files of any name, for libraries that take no other.

File names may hold any bytes (e.g. Latin-1), which Python gives as surrogates; libraries in other languages
refuse those. A file that is open has a second name, which is text.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fgbench.naming import is_text

_OPENED = "/proc/self/fd"
"""Folder in which Linux names the open files of a process. Systems without it have text names alone."""


@contextmanager
def text_path(path: Path) -> Iterator[str]:
    """Yield a text name of a file or folder, valid within the context.

    Args:
        path: Existing file or folder.

    Raises:
        OSError: If its own name is not text and it cannot be opened.
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
