"""Stored runs of one data set that do not hold for another (by `fgbench.reports.freshness`).

Reads results and predictions of runs; writes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fgbench.errors import FgbenchError
from fgbench.publication.difference_sides import Side
from fgbench.reports.experiments import sound_experiments
from fgbench.reports.freshness import Present, State, state_of
from fgbench.reports.unit_freshness import units_state
from fgbench.runs.unit_results import RESULT as UNIT_RESULT
from fgbench.runs.unit_results import read_au_predictions, read_au_result
from fgbench.workfolders.layout import RUNS


@dataclass(frozen=True, slots=True, kw_only=True)
class InvalidRun:
    """A run that was made of one data set and does not hold for the other.

    Attributes:
        of: ``"first"`` or ``"second"``: the data set in whose folder it is stored.
        name: Its experiment; for action units, with fold and seed.
        own: Its state against the data of its own folder; ``"now"`` if it is up to date.
        other: Its state against the data of the other.
    """

    of: str
    name: str
    own: State
    other: State


def invalid_runs(first: Side, second: Side) -> list[InvalidRun]:
    """Return the runs of both that do not hold for the data of the other; publications have no runs.

    Args:
        first: The first data set.
        second: The second one.
    """
    invalid = []
    for of, side, opposite in (("first", first, second), ("second", second, first)):
        if side.is_publication or side.present is None or opposite.present is None:
            continue
        invalid += [
            InvalidRun(of=of, name=name, own=own, other=other)
            for name, own, other in _states(side.folder, side.present, opposite.present)
            if other != "now"
        ]
    return invalid


def _states(folder: Path, present: Present, opposite: Present) -> Iterator[tuple[str, State, State]]:
    """Yield the name of each run of a work folder, and its states against its own and the other data."""
    for experiment in sound_experiments(folder):
        own, other = state_of(experiment, present), state_of(experiment, opposite)
        if own is not None and other is not None:
            yield experiment.name, own, other
    runs = folder / RUNS
    for path in sorted(runs.glob(f"*/*/*/{UNIT_RESULT}")):
        try:
            result, scored = read_au_result(path.parent), read_au_predictions(path.parent)
            own, other = (units_state(path.parent, result, scored, one) for one in (present, opposite))
        except FgbenchError:  # a damaged one, which the reports list
            continue
        if own is not None and other is not None:
            yield path.parent.relative_to(runs).as_posix(), own, other
