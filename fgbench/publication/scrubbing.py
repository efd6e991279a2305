"""Removal of the folders of this machine, and so of the name of its user, from texts that are published.

Messages of rejects contain whole paths where the system's own messages do.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

_WHOLE_PATH = re.compile(r"""(?<![^\s'"(\[{=:,;<|])/(?:[^\s'"/:;,)\]}>|]+/)*([^\s'"/:;,)\]}>|]+)/?""")
"""A path from the root of the file system; its last name."""

_ELSEWHERE = "..."


class Scrubber:
    """Replacement of folders of this machine in texts.

    Args:
        named: Folder to its replacement.
    """

    def __init__(self, named: Mapping[Path, str]) -> None:
        names: dict[str, str] = {}
        machine = {Path.home(): "~", Path.cwd(): ".", Path(tempfile.gettempdir()): _ELSEWHERE}
        for folder, name in [*named.items(), *machine.items()]:
            for path in (os.path.realpath(folder), str(folder.absolute())):
                if len(Path(path).parts) > 1:  # "/" is in every path
                    names.setdefault(path, name)
        # The longest first: a folder before its parent. Names of clips that were taken from a whole path lack
        # its first slash.
        folders = sorted(names.items(), key=lambda item: len(item[0]), reverse=True)
        self._folders = folders + [(path[1:], name) for path, name in folders if len(Path(path).parts) > 2]

    def text(self, text: str) -> str:
        """Return the text without them; of any other whole path only the last name is left."""
        for path, name in self._folders:
            if path in text:
                text = re.sub(rf"(?<![\w.-]){re.escape(path)}(?![\w.-])", name.replace("\\", r"\\"), text)
        return _WHOLE_PATH.sub(rf"{_ELSEWHERE}/\1", text) if "/" in text else text

    def value(self, value: Any) -> Any:
        """Return a JSON value without them in any of its texts."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.text(str(key)): self.value(item) for key, item in value.items()}
        if isinstance(value, Iterable):
            return [self.value(item) for item in value]
        return value
