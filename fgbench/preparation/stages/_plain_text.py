"""Text of users, such as names of classes, inside Markdown."""

from __future__ import annotations

import re

from fgbench.printable import printable


def plain(text: str) -> str:
    """Replace characters that Markdown or HTML would take for mark-up."""
    return re.sub(r"[<>|`*\[\]\n]", " ", printable(text)).strip()
