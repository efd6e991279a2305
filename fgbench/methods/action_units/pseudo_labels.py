"""Marks of pseudo labels, which a detector made, not a person, in runs and weights.

Reads and writes nothing. Networks trained on such labels are marked, and so are those that start from them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fgbench.methods.action_units.frames import UnitData
from fgbench.runs.pseudo_labels import MARK, PSEUDO


def pseudo_data(data: Sequence[UnitData]) -> dict[str, str]:
    """Return the data sets with pseudo labels, to the detectors that made them."""
    return {one.dataset: one.source.pseudo for one in data if one.source.pseudo}


def pseudo_trained(metadata: Mapping[str, Any]) -> list[str]:
    """Return sentences on pseudo labels that a network, or its start, was trained on.

    Args:
        metadata: Metadata of its weights.
    """
    detectors = metadata.get(PSEUDO)
    if not isinstance(detectors, Mapping) or not detectors:
        return []
    return [f"action units were trained on {MARK}, no person's: {_named(detectors)}"]


def pseudo_tested(detectors: Mapping[str, str]) -> list[str]:
    """Return sentences on pseudo labels that a network of action units was tested on.

    Args:
        detectors: As :func:`pseudo_data` gives them.
    """
    return [f"tested on {MARK}, no person's: {_named(detectors)}"] if detectors else []


def pseudo_metadata(*sources: Mapping[str, Any]) -> dict[str, Any]:
    """Return the metadata of weights on the pseudo labels that they, or their start, were trained on.

    Args:
        sources: Data sets to detectors, or metadata of the weights that were started from.
    """
    detectors: dict[str, str] = {}
    for source in sources:
        detectors |= source.get(PSEUDO) or {}
    return {PSEUDO: detectors} if detectors else {}


def _named(detectors: Mapping[str, str]) -> str:
    return ", ".join(f"those of {detector} on {dataset}" for dataset, detector in sorted(detectors.items()))
