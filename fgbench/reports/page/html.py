"""One HTML file from the data and the files in ``assets``; it loads nothing from a network.

Data are JSON in elements that a browser does not execute, with every ``<`` escaped, so that no name in them
can end the element. The page's policy allows only these scripts, by their digests.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fgbench.reports.rendering import embedding
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
    library = embedding.script(_asset(_LIBRARY))
    program = embedding.program(map(_asset, _SCRIPTS))
    hashes = " ".join(embedding.source(script) for script in (library, program))
    return fill(
        "page.html",
        policy=f"default-src 'none'; style-src 'unsafe-inline'; img-src blob: data:; script-src {hashes}",
        title=title,
        style=_asset("page.css"),
        data=[(name, embedding.embedded_json(value)) for name, value in blocks.items()],
        pictures=pictures.items(),
        library=library,
        program=program,
    )


def _asset(name: str) -> str:
    return (_ASSETS / name).read_text(encoding="utf-8")
