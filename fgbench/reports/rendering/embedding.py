"""Data and scripts that stand inside a page of HTML, with the digests by which its policy allows them."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any


def embedded_json(value: Any) -> str:
    """JSON for a ``script`` element: without ``<``, and with short numbers."""
    text = json.dumps(_short(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c")


def _short(value: Any) -> Any:
    """Value with all numbers rounded to six decimals."""
    if isinstance(value, float):
        return round(value, 6)
    if isinstance(value, Mapping):
        return {key: _short(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_short(item) for item in value]
    return value


def program(scripts: Iterable[str]) -> str:
    """Return scripts as one that binds no global name.

    Raises:
        ValueError: As of :func:`script`.
    """
    return script('"use strict";\n(() => {\n' + "\n".join(scripts) + "})();\n")


def script(text: str) -> str:
    """Check that a script can stand in HTML, and return it.

    Raises:
        ValueError: If it contains the end of its own element.
    """
    if re.search(r"</script|<!--", text, re.IGNORECASE):
        raise ValueError("a script with the end of a script element or a comment in it, expected none")
    return text


def source(text: str) -> str:
    """Return the source by which a policy allows a script or a style.

    Args:
        text: All that lies between its tags, line breaks included.
    """
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode('utf-8')).digest()).decode()}'"
