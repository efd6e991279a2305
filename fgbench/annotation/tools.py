"""Annotation tools by name: which module reads the answers of each, and which tool a file is of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
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

TIMELINES = ("elan", "praat")
"""Tools that mark intervals of recordings; see :mod:`fgbench.annotation.timeline_import`."""
TIMELINE_SUFFIXES = (".eaf", ".textgrid")
"""Suffixes of their files, in lower case."""

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
            f"{tool!r}, expected one of {', '.join((*READERS, *TIMELINES))}",
            f"e.g. {LABEL_STUDIO}",
            argument="tool",
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


def is_timeline(tool: str | None, paths: Sequence[Path]) -> bool:
    """Return whether files are of ELAN or Praat, which mark intervals of recordings.

    Raises:
        ArgumentError: If some are, and others are of other tools.
    """
    if tool is not None:
        return tool in TIMELINES
    are = {path.suffix.lower() in TIMELINE_SUFFIXES for path in paths}
    if len(are) > 1:
        raise ArgumentError(
            "not given, and the files are of several kinds", "import them in several calls", argument="tool"
        )
    return are == {True}
