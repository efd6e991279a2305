"""Notebooks as pages: their cells as Markdown, as they are in the file; nothing is run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def notebook_files(docs: Path) -> list[Path]:
    """The notebooks of the documentation, by name.

    Args:
        docs: Folder of the documentation.
    """
    return sorted((docs / "notebooks").glob("*.ipynb"))


def title_of(path: Path) -> str:
    """The first heading of a notebook; its name without one."""
    for cell in _cells(path):
        for line in _text(cell["source"]).splitlines():
            if cell["cell_type"] == "markdown" and line.startswith("# "):
                return line.removeprefix("# ").strip()
    return path.stem.replace("_", " ").capitalize()


def as_markdown(path: Path) -> str:
    """A notebook as the Markdown of a page: texts, code, and what was printed where the file keeps it.

    Args:
        path: A notebook of format 4.
    """
    parts = []
    for cell in _cells(path):
        source = _text(cell["source"]).strip()
        if cell["cell_type"] == "markdown":
            parts.append(source)
        elif cell["cell_type"] == "code" and source:
            parts.append(_fenced(source, "python"))
            parts += [_fenced(printed, "text") for printed in map(_printed, cell["outputs"]) if printed]
    parts.append(f"*This page is the notebook `docs/notebooks/{path.name}`.*")
    return "\n\n".join(parts) + "\n"


def _cells(path: Path) -> list[dict[str, Any]]:
    cells: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return cells


def _text(source: str | list[str]) -> str:
    return source if isinstance(source, str) else "".join(source)


def _printed(output: Mapping[str, Any]) -> str:
    return _text(output.get("text") or output.get("data", {}).get("text/plain", "")).strip()


def _fenced(text: str, language: str) -> str:
    fence = "````" if "```" in text else "```"
    return f"{fence}{language}\n{text}\n{fence}"
