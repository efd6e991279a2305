"""Annotation files of Praat (``.TextGrid``), read with pympi: long or short text, in UTF-8 or UTF-16.

pympi reads the last digits of a line as its number, so that ``-0.5`` and ``1e-05`` would become others: files
with such numbers are refused before it reads them, and so are texts over very many lines, on which it takes
for ever.
"""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

from fgbench.annotation.timelines import MOST_BYTES, MOST_SPANS, Medium, Span, Tier, Timeline
from fgbench.errors import DatasetError, MediaError, package_missing
from fgbench.files.regular_files import read_regular

_ADVICE = "open it in Praat and save it as a text file"
_QUOTED = re.compile(r'"(?:""|[^"])*"')
_NUMBER = re.compile(r"(\S+)\s*$")
_PLAIN = re.compile(r"[0-9]{1,12}(?:\.[0-9]{0,30})?")
_MOST_LINES = 50
"""Lines of one text."""
_SHOWN = 40


def read_praat(path: Path) -> Timeline:
    """Read the annotations of a recording, which is called like the file.

    Args:
        path: The file.

    Raises:
        DatasetError: If it cannot be read, is larger than 32 MiB, no TextGrid as text, or has a time below 0.
        DependencyError: If pympi is not installed.
    """
    try:
        data = read_regular(path, max_bytes=MOST_BYTES)
    except MediaError as error:
        raise DatasetError(error.message, _ADVICE) from error
    grid = _grid(_checked(_text(data, path), path), path)
    tiers = tuple(
        Tier(name=tier.name.strip(), annotator="", spans=_spans(tier.intervals)) for tier in grid.tiers
    )
    if sum(len(tier.spans) for tier in tiers) > MOST_SPANS:
        raise DatasetError(f"{path} has more than {MOST_SPANS:,} intervals and points", "divide the file")
    return Timeline(media=(Medium(name=path.stem),), tiers=tiers)


def _text(data: bytes, path: Path) -> str:
    if data.startswith(b"ooBinaryFile"):
        raise DatasetError(f"{path} is a binary TextGrid, expected text", _ADVICE)
    is_wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        return data.decode("utf-16" if is_wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path} is neither UTF-8 nor UTF-16: {error.reason}", _ADVICE) from error


def _checked(text: str, path: Path) -> str:
    """The text with line feeds alone at the ends of its lines.

    Raises:
        DatasetError: If it is no TextGrid, or one that pympi misreads.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    head = text[:200].split("\n")
    if "ooTextFile" not in head[0] or len(head) < 2 or "TextGrid" not in head[1]:
        raise DatasetError(f"{path} is no TextGrid: it begins with {head[0][:_SHOWN]!r}", _ADVICE)
    if any(match.group().count("\n") > _MOST_LINES for match in _QUOTED.finditer(text)):
        raise DatasetError(f"{path} has a text of more than {_MOST_LINES} lines", "shorten it")
    outside = _QUOTED.sub('""', text)
    if outside.count('"') % 2:
        raise DatasetError(f"{path} has a text that does not end", _ADVICE)
    for line in outside.split("\n"):
        word = _NUMBER.search(line)
        if word is None or not (word[1][-1].isdigit() or word[1][-1] == "."):
            continue
        number = word[1].rpartition("=")[2]
        if not _PLAIN.fullmatch(number):
            raise DatasetError(
                f"{path} has the number {number[:_SHOWN]!r}, expected a plain decimal from 0", _ADVICE
            )
    return text


def _grid(text: str, path: Path) -> Any:
    """The file as pympi has it.

    Raises:
        DatasetError: If pympi cannot read it.
        DependencyError: If pympi is not installed.
    """
    try:
        from pympi.Praat import TextGrid
    except ImportError as error:
        raise package_missing("annotations of Praat need", "pympi-ling", extra="annotate") from error
    grid = TextGrid(xmax=0.0)
    try:
        grid.from_file(io.BytesIO(text.encode()), "utf-8")
    except Exception as error:  # pympi raises whatever its parsing runs into
        raise DatasetError(f"{path} is no whole TextGrid ({type(error).__name__})", _ADVICE) from error
    return grid


def _spans(intervals: list[tuple[Any, ...]]) -> tuple[Span, ...]:
    """Points, and intervals with a text: a TextGrid fills the time between them with empty ones."""
    spans = [
        Span(float(one[0]), float(one[-2]), str(one[-1]).strip())
        for one in intervals
        if len(one) == 2 or str(one[-1]).strip()  # a point has no end
    ]
    return tuple(sorted(spans, key=lambda span: (span.start_s, span.end_s)))
