"""Answers in a CSV table of any tool: a row for each, with columns of any names."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from functools import lru_cache
from operator import itemgetter
from pathlib import Path

from fgbench.annotation.answers import Answer, ClipAnswers, Reading
from fgbench.annotation.project_file import MAX_ROUNDS
from fgbench.annotation.utc_times import utc_time
from fgbench.annotation.votes_table import VOTE_COLUMNS
from fgbench.datasets._annotation_table import column_names, full_rows, row_reader
from fgbench.datasets._tables import decimal_number, open_text, whole_number
from fgbench.errors import ArgumentError, DatasetError
from fgbench.log import LOGGER
from fgbench.naming import first_few
from fgbench.printable import text_of

_NEEDED = ("clip", "annotator", "label")
_SHOWN = 60


def read_answers(path: Path, reading: Reading) -> Iterator[ClipAnswers]:
    """Yield the answers of each row.

    Args:
        path: The table, with commas, semicolons or tabs.
        reading: Names of the columns in it, where they are others than those of ``votes.csv``.

    Raises:
        ArgumentError: If a column is named that fgbench does not read, or the table lacks.
        DatasetError: If it cannot be read, or lacks a column.
    """
    try:
        with open_text(path) as file:
            reader, separator = row_reader(file)
            named = _columns(path, column_names(reader), reading.columns)
            reader.fieldnames = named
            # Absent columns are taken from an empty cell after the last.
            pick = itemgetter(*(named.index(name) if name in named else -1 for name in VOTE_COLUMNS))
            has_commas = separator != ","
            for line, row in full_rows(reader):
                if len(row) > len(named):
                    raise DatasetError(
                        f"{path} line {line} has more cells than the first line", "correct the line"
                    )
                cells = pick([*map(str.strip, row), ""])
                if "'" in "".join(cells):
                    cells = tuple(map(text_of, cells))
                yield _answers(cells, f"line {line}", has_commas=has_commas)
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path} is not UTF-8: {error.reason}", "save it as CSV UTF-8") from error
    except csv.Error as error:
        raise DatasetError(f"{path} is not a CSV table: {error}", "save it as CSV") from error


def _columns(path: Path, names: list[str], renamed: Mapping[str, str]) -> list[str]:
    """Names of the columns as fgbench has them."""
    for ours, theirs in renamed.items():
        if ours not in VOTE_COLUMNS:
            raise ArgumentError(
                f"{ours!r} is no column of votes, expected one of {', '.join(VOTE_COLUMNS)}",
                "e.g. --column clip=filename",
                argument="column",
            )
        if names.count(theirs.strip().lower()) != 1:
            raise ArgumentError(
                f"{path} has no column {theirs!r}, or several; it has: {first_few(names)}",
                "name one of them",
                argument="column",
            )
    theirs_of = {theirs.strip().lower(): ours for ours, theirs in renamed.items()}
    found = [theirs_of.get(name, "" if name in renamed else name) for name in names]
    missing = [name for name in _NEEDED if name not in found]
    if missing:
        raise DatasetError(
            f"{path} has no column {', '.join(missing)}; it has: {first_few(names) or 'nothing'}",
            f"name the column that holds it: --column {missing[0]}=NAME",
        )
    unread = [name for name, ours in zip(names, found, strict=True) if name and ours not in VOTE_COLUMNS]
    absent = [name for name in VOTE_COLUMNS if name not in found]
    if unread:
        hint = f"; if one of them is {' or '.join(absent)}: --column {absent[0]}=NAME" if absent else ""
        LOGGER.info("%s: columns not read: %s%s", path, first_few(unread), hint)
    twice = [name for name in VOTE_COLUMNS if found.count(name) > 1]
    if twice:
        raise DatasetError(f"{path} has the column {twice[0]} twice", "keep one of them")
    return found


@lru_cache(maxsize=4096)
def _decimal(name: str, text: str, most: float) -> tuple[float | None, tuple[str, str] | None]:
    """Number in a cell, and what is wrong with it."""
    value = decimal_number(text) if text else None
    if text and (value is None or not 0 <= value <= most):
        return value, (
            "bad_answer",
            f"{name} is {text[:_SHOWN]!r}, expected a number from 0 to {most:g}",
        )
    return value, None


@lru_cache(maxsize=4096)
def _whole(name: str, text: str) -> tuple[int | None, tuple[str, str] | None]:
    """Whole number in a cell, and what is wrong with it."""
    value = whole_number(text) if text else None
    if text and value is None:
        return None, ("bad_answer", f"{name} is {text[:_SHOWN]!r}, expected a whole number")
    return value, None


def _answers(cells: tuple[str, ...], source: str, *, has_commas: bool) -> ClipAnswers:
    """The answer in the cells of :data:`VOTE_COLUMNS`."""
    clip, annotator, label, given, frame_text, round_text, spent_text, time_text = cells
    if has_commas:
        given, spent_text = given.replace(",", "."), spent_text.replace(",", ".")
    confidence, bad_confidence = _decimal("confidence", given, 1)
    spent, bad_seconds = _decimal("spent_s", spent_text, 1e9)
    frame, bad_frame = _whole("key_frame", frame_text)
    number, bad_round = _whole("round", round_text)
    problem = bad_round or bad_frame or bad_seconds or bad_confidence  # the last counts
    if number is not None and not 1 <= number <= MAX_ROUNDS:
        problem, number = ("bad_answer", f"round is {number}, expected 1 to {MAX_ROUNDS}"), None
    cast_at = utc_time(time_text)
    if time_text and not cast_at:
        problem = ("bad_answer", f"cast_at is {time_text[:_SHOWN]!r}, expected 2026-01-31T12:00:00Z")
    answer = Answer(
        annotator=annotator,
        label=label,
        confidence=confidence,
        key_frame=frame,
        spent_s=spent,
        cast_at=cast_at,
        source=source,
        problem=problem,
    )
    return ClipAnswers(clip=clip, answers=(answer,), round=number)
