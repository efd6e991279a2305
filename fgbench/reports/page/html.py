"""One HTML file from the data and the files in ``assets``; it loads nothing from a network.

Data are JSON in elements that a browser does not execute, with every ``<`` escaped, so that no name in them
can end the element. The page's policy allows only these scripts, by their digests.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fgbench.reports.rendering.templates import fill

_ASSETS = Path(__file__).resolve().parent / "assets"
_SCRIPTS = (
    "dom.js",
    "data.js",
    "names.js",
    "charts.js",
    "faces.js",
    "overview.js",
    "dataset.js",
    "votes.js",
    "confusion.js",
    "attention.js",
    "run.js",
    "compare.js",
    "origin.js",
    "main.js",
)
"""Scripts in the order in which they are loaded; each uses those before it."""

_LIBRARY = "echarts/echarts.common.min.js"


def assemble(title: str, blocks: Mapping[str, Any], pictures: Mapping[str, str]) -> str:
    """Text of the page.

    Args:
        title: Title of the page, plain text.
        blocks: Id of an element to its data, plain values.
        pictures: Id of an element to a WebP file in base64.
    """
    library = _script(_asset(_LIBRARY))
    program = _script('"use strict";\n(() => {\n' + "\n".join(_asset(name) for name in _SCRIPTS) + "})();\n")
    hashes = " ".join(f"'sha256-{_digest(script)}'" for script in (library, program))
    return fill(
        "page.html",
        policy=f"default-src 'none'; style-src 'unsafe-inline'; img-src blob: data:; script-src {hashes}",
        title=title,
        style=_asset("page.css"),
        data=[(name, embedded_json(value)) for name, value in blocks.items()],
        pictures=pictures.items(),
        library=library,
        program=program,
    )


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


def _asset(name: str) -> str:
    return (_ASSETS / name).read_text(encoding="utf-8")


def _script(text: str) -> str:
    """Check that a script can stand in HTML.

    Raises:
        ValueError: If it contains the end of its own element.
    """
    if re.search(r"</script|<!--", text, re.IGNORECASE):
        raise ValueError("a script with the end of a script element or a comment in it, expected none")
    return text


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode()
