"""Votes in the rows of ``votes.csv``: their rounds, confidences, seconds and times."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache

from fgbench.datasets._annotation_table import SHOWN, VOTES, BadCellError, fraction, optional_integer
from fgbench.datasets._tables import decimal_number
from fgbench.naming import has_controls, tidy
from fgbench.records import Vote

_USUAL = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
"""A time as it is written, of which nothing has to be converted."""

_named = lru_cache(maxsize=4096)(tidy)
"""For names of annotators, which are few."""

MAX_ROUNDS = 99
"""Latest round of votes; the paper has two."""


def vote_of(row: Mapping[str, str]) -> Vote:
    """Return the vote of a row.

    Raises:
        BadCellError: If a number is out of range, or none, or nobody is named.
    """
    name = _named(row["annotator"])
    if not name:
        raise BadCellError(f"{VOTES} line {row['_line']} names no annotator, expected who voted")
    if has_controls(name):
        raise BadCellError(
            f"{VOTES} line {row['_line']}: annotator is {name[:SHOWN]!r}, expected a name without control "
            "characters"
        )
    return Vote(
        annotator=row["annotator"],
        label=row["label"],
        confidence=fraction(row, VOTES),
        key_frame=optional_integer(row, "key_frame", VOTES),
        round=round_of(row),
        spent_s=seconds(row, VOTES),
        cast_at=utc_time(row, VOTES),
    )


def round_of(row: Mapping[str, str]) -> int:
    """Return the round of a vote, 1 if the row names none.

    Raises:
        BadCellError: If it is none from 1 to :data:`MAX_ROUNDS`.
    """
    number = optional_integer(row, "round", VOTES)
    if number is None:
        return 1
    if not 1 <= number <= MAX_ROUNDS:
        raise BadCellError(
            f"{VOTES} line {row['_line']}: round is {number}, expected 1 for the first vote to {MAX_ROUNDS}"
        )
    return number


def seconds(row: Mapping[str, str], table: str) -> float | None:
    """Return the seconds that a vote took; ``None`` if the row has none.

    Raises:
        BadCellError: If it is no number from 0.
    """
    text = row.get("spent_s", "")
    if not text:
        return None
    value = decimal_number(text)
    if value is None or not 0.0 <= value < math.inf:
        raise BadCellError(
            f"{table} line {row['_line']}: spent_s is {text[:SHOWN]!r}, expected seconds, 0 or more"
        )
    return value


def utc_time(row: Mapping[str, str], table: str) -> str | None:
    """Return the time at which a vote was cast, in whole seconds, UTC, e.g. ``2026-01-31T12:00:00Z``;
    ``None`` if the row has none.

    Raises:
        BadCellError: If it is no time of ISO 8601 with a time zone.
    """
    text = row.get("cast_at", "")
    if not text:
        return None
    try:
        time = datetime.fromisoformat(text)
        if _USUAL.fullmatch(text):
            return text
        if time.tzinfo is None:
            raise ValueError("no time zone")
        return f"{time.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='seconds')}Z"
    except (ValueError, OverflowError) as error:
        raise BadCellError(
            f"{table} line {row['_line']}: cast_at is {text[:SHOWN]!r}, expected a time in UTC as "
            "2026-01-31T12:00:00Z"
        ) from error
