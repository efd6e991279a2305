"""Phases of action units and the apex of an expression, from the annotations of MMI."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from xml.etree.ElementTree import Element

from fgbench.datasets._tables import whole_number
from fgbench.errors import DatasetError

UNITS = (*range(1, 3), *range(4, 8), *range(9, 19), *range(20, 29), 43, 45, 46)
"""Action units that the sessions are coded for."""

_APEX = "2"

_PHASES = {"0": -1, "1": 0, "2": 1, "3": 0}
"""Type of a marker to the label of the frames from it on: neutral, onset, apex, offset."""

NUMBER = re.compile(r"[0-9]{1,2}")


def phases_of(annotation: Element) -> list[list[int]]:
    """Labels of :data:`UNITS` of every frame up to the last marker.

    Raises:
        DatasetError: If a marker has no frame number, or its type or the number of a unit is unknown.
    """
    coded: dict[int, list[tuple[int, str]]] = {}
    for unit in annotation.iter("ActionUnit"):
        digits = NUMBER.search(unit.get("Number", ""))
        if digits is None:
            raise DatasetError(
                f"an action unit has the number {unit.get('Number')!r}, expected one such as 12"
            )
        coded.setdefault(int(digits[0]), []).extend(_markers(unit))
    n_frames = 1 + max((frame for markers in coded.values() for frame, _ in markers), default=-1)
    labels = [[-1] * len(UNITS) for _ in range(n_frames)]
    for column, number in enumerate(UNITS):
        markers = sorted(coded.get(number, []))
        for (start, kind), (end, _) in pairwise([*markers, (n_frames, "")]):
            if kind not in _PHASES:
                raise DatasetError(f"a marker of action unit {number} has the type {kind!r}, expected 0 to 3")
            for frame in range(start, end):
                labels[frame][column] = _PHASES[kind]
    return labels


def apex_frame(annotation: Element) -> int | None:
    """Middle of the longest run of frames in which the most action units are at their apex, from 0.

    An apex lasts from its marker to the next; of equally long runs the first is taken. The rule is
    ours, not stated in the paper.

    Args:
        annotation: Elements ``ActionUnit`` with elements ``Marker``, whose ``Frame`` counts from 1.

    Returns:
        ``None`` if no action unit has an apex.

    Raises:
        DatasetError: If a marker has no frame number.
    """
    changes: Counter[int] = Counter()
    for unit in annotation.iter("ActionUnit"):
        for start, end in _apexes(unit):
            changes[start] += 1
            changes[end] -= 1
    runs: list[tuple[int, int, int]] = []  # number of units at their apex, first frame, frame after the last
    frames = sorted(frame for frame, change in changes.items() if change)
    active = 0
    for start, end in pairwise(frames):
        active += changes[start]
        runs.append((active, start, end))
    if not runs:
        return None
    _, start, end = max(runs, key=lambda run: (run[0], run[2] - run[1], -run[1]))
    return start + (end - start) // 2


def _apexes(unit: Element) -> Iterator[tuple[int, int]]:
    """First frame, and frame after the last, of every apex of an action unit, from 0."""
    markers = sorted(_markers(unit))
    for index, (frame, kind) in enumerate(markers):
        end = markers[index + 1][0] if index + 1 < len(markers) else frame + 1
        if kind == _APEX and end > frame:
            yield frame, end


def _markers(unit: Element) -> list[tuple[int, str]]:
    """Frame, from 0, and type of every marker of an action unit."""
    markers = []
    for marker in unit.iter("Marker"):
        number = whole_number(marker.get("Frame", ""))
        if number is None:
            text = marker.get("Frame", "")
            raise DatasetError(f"a marker of an action unit is at frame {text!r}, expected a number")
        markers.append((max(0, number - 1), marker.get("Type", "")))
    return markers
