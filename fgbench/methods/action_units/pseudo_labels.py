"""What runs and weights tell of labels that a detector made, and no person (pseudo labels).

Reads and writes nothing. Whatever was trained on such labels says so, and so does what starts from it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fgbench.methods.action_units.frames import UnitData
from fgbench.runs.pseudo_labels import MARK, PSEUDO


def pseudo_data(data: Sequence[UnitData]) -> dict[str, str]:
    """Data sets with pseudo labels, to the detector that made them."""
    return {one.dataset: one.source.pseudo for one in data if one.source.pseudo}


def pseudo_trained(metadata: Mapping[str, Any]) -> list[str]:
    """Sentences on pseudo labels that a network, or what it started from, was trained on.

    Args:
        metadata: Of its weights.
    """
    told = metadata.get(PSEUDO)
    if not isinstance(told, Mapping) or not told:
        return []
    return [f"action units were trained on {MARK}, no person's: {_named(told)}"]


def pseudo_tested(told: Mapping[str, str]) -> list[str]:
    """Sentences on pseudo labels that a network of action units was tested on.

    Args:
        told: As :func:`pseudo_data` gives them.
    """
    return [f"tested on {MARK}, no person's: {_named(told)}"] if told else []


def pseudo_metadata(*sources: Mapping[str, Any]) -> dict[str, Any]:
    """What weights tell of the pseudo labels that they, or what they started from, were trained on.

    Args:
        sources: Data sets to detectors, or metadata of the weights that were started from.
    """
    found: dict[str, str] = {}
    for source in sources:
        found |= source.get(PSEUDO) or {}
    return {PSEUDO: found} if found else {}


def _named(told: Mapping[str, str]) -> str:
    return ", ".join(f"those of {detector} on {dataset}" for dataset, detector in sorted(told.items()))
