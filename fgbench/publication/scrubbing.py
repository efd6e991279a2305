"""Texts for others: without the folders of this machine and the name of its user.

Messages of rejects tell whole paths where the system told them; a publication is read elsewhere.
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
    """Takes folders of this machine out of texts.

    Args:
        named: Folder to what stands in its place.
    """

    def __init__(self, named: Mapping[Path, str]) -> None:
        places: dict[str, str] = {}
        machine = {Path.home(): "~", Path.cwd(): ".", Path(tempfile.gettempdir()): _ELSEWHERE}
        for folder, told in [*named.items(), *machine.items()]:
            for text in (os.path.realpath(folder), str(folder.absolute())):
                if len(Path(text).parts) > 1:  # "/" is in every path
                    places.setdefault(text, told)
        # The longest first: a folder before the one that it lies in. Names of clips that were taken from a
        # whole path lack its first stroke.
        self._places = [(text, places[text]) for text in sorted(places, key=len, reverse=True)]
        self._inner = [(text[1:], told) for text, told in self._places if len(Path(text).parts) > 2]

    def text(self, text: str) -> str:
        """The text without them; what is left of another whole path is its last name."""
        for place, told in (*self._places, *self._inner):
            if place in text:
                text = re.sub(rf"(?<![\w.-]){re.escape(place)}(?![\w.-])", told.replace("\\", r"\\"), text)
        return _WHOLE_PATH.sub(rf"{_ELSEWHERE}/\1", text) if "/" in text else text

    def value(self, value: Any) -> Any:
        """A JSON value without them in any of its texts."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.text(str(key)): self.value(item) for key, item in value.items()}
        if isinstance(value, Iterable):
            return [self.value(item) for item in value]
        return value
