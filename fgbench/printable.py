"""Make foreign text (names of files and classes, messages) safe for a terminal, a table or a drawing.

Raw, it may move the cursor, change the title of the window, turn the direction of the text after it, or be
taken for a formula.
"""

from __future__ import annotations

import re

_CONTROLS = (
    "\x00-\x1f\x7f-\x9f"  # C0, DEL and C1: ESC and CSI begin commands to the terminal
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # marks that turn the direction of writing
    "\u2028\u2029"  # separators of lines and paragraphs
    "\ud800-\udfff"  # halves of characters: bytes of file names that are not UTF-8; no encoding has them
)
_CONTROL = re.compile(f"[{_CONTROLS}]")
_FORMULA = re.compile("'*[=+\\-@\t\r\uff1d\uff0b\uff0d\uff20]")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?%?")


def printable(text: str, *, keep: str = "\n") -> str:
    r"""Text with control characters as visible escapes, e.g. ``\x1b``.

    Args:
        text: Any text.
        keep: Control characters that are kept; line breaks for multi-line text of fgbench.
    """
    return _CONTROL.sub(lambda match: match[0] if match[0] in keep else _escape(match[0]), text)


def printable_name(name: object) -> str:
    """Name of a file or a class on one line."""
    return printable(str(name), keep="")


def printable_json(document: str) -> str:
    """A JSON document with such characters as JSON escapes; its meaning is the same."""
    return _CONTROL.sub(
        lambda match: match[0] if match[0] in "\n\r\t" else f"\\u{ord(match[0]):04x}", document
    )


def cell_of(text: str) -> str:
    """Text for a cell of a CSV file, with an apostrophe before what a spreadsheet takes for a formula.

    Numbers are unchanged. :func:`text_of` is the inverse.
    """
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def text_of(cell: str) -> str:
    """Text of a cell made by :func:`cell_of`."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def _escape(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"  # a byte of a file name
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
