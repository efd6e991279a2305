"""Action units of data sets: names of units, and labels that frames share. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

PRESENT_FROM = 2
"""Least intensity (0 to 5, E of FACS) of a present unit, as in the benchmark of DISFA."""

INTENSITIES = {number: str(number) for number in range(6)}
"""Codes of intensities, for :func:`fgbench.datasets._tables.label_of`."""


def unit_name(number: int) -> str:
    """Name of a unit in recipes, e.g. ``"au04"``."""
    return f"au{number:02d}"


def presence(intensity: int | None) -> int:
    """Label of a unit by its intensity: 1 present, -1 absent, 0 not labelled (``None``)."""
    return 0 if intensity is None else 1 if intensity >= PRESENT_FROM else -1


class Patterns:
    """Labels of frames, shared by frames with equal ones: there are few patterns and many frames.

    Args:
        units: Numbers of the units.
    """

    def __init__(self, units: Sequence[int]) -> None:
        self._names = [unit_name(unit) for unit in units]
        self._mappings: dict[tuple[int, ...], Mapping[str, int]] = {}

    def of(self, labels: Sequence[int]) -> Mapping[str, int]:
        """Return name to label.

        Args:
            labels: One label per unit; 1 present, -1 absent, 0 not labelled.
        """
        pattern = tuple(labels)
        if pattern not in self._mappings:
            self._mappings[pattern] = dict(zip(self._names, pattern, strict=True))
        return self._mappings[pattern]
