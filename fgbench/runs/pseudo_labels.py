"""Labels of action units that a detector made, and no person: how results and weights tell of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

PSEUDO = "pseudo_labels"
"""Key of results and of weights: data set to the detector that made its labels; absent where people did."""

MARK = "PSEUDO labels"
"""Words of every note on such labels."""


def pseudo_title(details: Mapping[str, Any]) -> str:
    """What titles add where labels to be detected are pseudo labels; nothing elsewhere.

    Args:
        details: Of a result.
    """
    told = details.get(PSEUDO)
    return f" ({MARK} of {' and '.join(sorted({*told.values()}))})" if told else ""


def pseudo_notes(details: Mapping[str, Any]) -> list[str]:
    """Sentences on pseudo labels that a run, or what it started from, was trained or tested on.

    Args:
        details: Of a result of action units or of classes.
    """
    return [f"{note[0].upper()}{note[1:]}." for note in details.get("notes", ()) if MARK in note]
