"""Annotation tools by name: which module reads the answers of each, and which tool a file is of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

from fgbench.annotation.answers import ClipAnswers, Reading
from fgbench.errors import ArgumentError

LABEL_STUDIO = "label-studio"
CSV = "csv"

READERS = {
    LABEL_STUDIO: "fgbench.annotation.label_studio.exported",
    CSV: "fgbench.annotation.csv_answers",
}
"""Tool to the module that reads its files."""

SUFFIXES = {".json": LABEL_STUDIO, ".csv": CSV, ".tsv": CSV}
"""Suffix of a file to the tool that writes such files."""

Reader = Callable[[Path, Reading], Iterator[ClipAnswers]]
"""Function ``read_answers`` of a tool."""


def reader_of(tool: str) -> Reader:
    """Return the function that reads the files of a tool.

    Raises:
        ArgumentError: If there is no such tool.
    """
    if tool not in READERS:
        raise ArgumentError(
            f"{tool!r}, expected one of {', '.join(READERS)}", f"e.g. {LABEL_STUDIO}", argument="tool"
        )
    reader: Reader = import_module(READERS[tool]).read_answers
    return reader


def tool_of(path: Path) -> str:
    """Return the tool that a file is of, by its suffix.

    Raises:
        ArgumentError: If no tool writes files with this suffix.
    """
    tool = SUFFIXES.get(path.suffix.lower())
    if tool is None:
        raise ArgumentError(
            f"not given, and {path} ends in none of {', '.join(SUFFIXES)}",
            f"name the tool that wrote it: {', '.join(READERS)}",
            argument="tool",
        )
    return tool
