"""Items of a JSON list one by one, so that the memory does not grow with the file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from fgbench.datasets._tables import open_text
from fgbench.errors import DatasetError

_CHUNK = 1 << 18
MAX_ITEM = 1 << 26
"""Characters of an item at most, so that a damaged file does not take all memory."""
_BLANK = " \t\r\n"


def json_items(path: Path, expected: str) -> Iterator[Any]:
    """Yield the items of a file that holds one JSON list.

    ``NaN`` and ``Infinity``, which are no JSON and which some programs write, are floats of these values.

    Args:
        path: The file, UTF-8.
        expected: What the list should be, for messages.

    Raises:
        DatasetError: If it cannot be read, is not UTF-8, no list, cut off, damaged, or an item is larger than
            :data:`MAX_ITEM`.
    """
    try:
        with open_text(path) as file:
            yield from _Scan(path, file, expected).items()
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path} is not UTF-8: {error.reason}", f"expected {expected}") from error


class _Scan:
    """Reading position in a file."""

    def __init__(self, path: Path, file: TextIO, expected: str) -> None:
        self._path, self._file, self._expected = path, file, expected
        self._decoder = json.JSONDecoder()
        self._text, self._at, self._is_end = "", 0, False

    def items(self) -> Iterator[Any]:
        """Yield the items."""
        if self._next_sign() != "[":
            raise self._fault("does not begin with [")
        self._at += 1
        number, sign = 0, self._next_sign()
        if sign == "]":
            self._check_end()
            return
        while True:
            number += 1
            yield self._item(number)
            sign = self._next_sign()
            self._at += 1
            if sign == "]":
                self._check_end()
                return
            if sign != ",":
                raise self._fault(
                    f"ends after item {number}" if not sign else f"has {sign!r} after item {number}"
                )
            self._next_sign()

    def _item(self, number: int) -> Any:
        while True:
            try:
                value, end = self._decoder.raw_decode(self._text, self._at)
            except RecursionError as error:
                raise self._fault(f"item {number} is nested too deep") from error
            except ValueError as error:
                held = len(self._text) - self._at
                if held > MAX_ITEM:
                    raise self._fault(
                        f"item {number} is no JSON, or larger than {MAX_ITEM:,} characters"
                    ) from error
                if not self._more(max(_CHUNK, held)):
                    raise self._fault(f"item {number} is cut off or damaged") from error
                continue
            if end < len(self._text) or not self._more(_CHUNK):
                self._at = end
                return value

    def _next_sign(self) -> str:
        while True:
            while self._at < len(self._text) and self._text[self._at] in _BLANK:
                self._at += 1
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more(_CHUNK):
                return ""

    def _more(self, size: int) -> bool:
        if self._is_end:
            return False
        read = self._file.read(size)
        self._is_end = not read
        self._text, self._at = self._text[self._at :] + read, 0
        return bool(read)

    def _check_end(self) -> None:
        self._at += self._text[self._at : self._at + 1] == "]"
        if self._next_sign():
            raise self._fault("goes on after the end of its list")

    def _fault(self, what: str) -> DatasetError:
        return DatasetError(
            f"{self._path} {what}, expected {self._expected}", "export or download it again, and import that"
        )
