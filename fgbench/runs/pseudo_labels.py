"""Pseudo labels: labels of action units made by a detector instead of people, in results and weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

PSEUDO = "pseudo_labels"
"""Key of results and of weights: data set to the detector that made its labels; absent for human labels."""

MARK = "PSEUDO labels"
"""Words of every note on such labels."""


def pseudo_title(details: Mapping[str, Any]) -> str:
    """Addition to titles where the labels are pseudo labels; else empty.

    Args:
        details: Details of a result.
    """
    detectors = details.get(PSEUDO)
    return f" ({MARK} of {' and '.join(sorted({*detectors.values()}))})" if detectors else ""


def pseudo_notes(details: Mapping[str, Any]) -> list[str]:
    """Sentences on pseudo labels that a run, or the weights it started from, was trained or tested on.

    Args:
        details: Details of a result of action units or of classes.
    """
    return [f"{note[0].upper()}{note[1:]}." for note in details.get("notes", ()) if MARK in note]
