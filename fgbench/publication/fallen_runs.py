"""Stored runs of one data set that do not hold for another, as `fgbench.reports.freshness` judges it.

Reads results and predictions of runs; writes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from fgbench.errors import FgbenchError
from fgbench.publication.sides import Side
from fgbench.reports.experiments import sound_experiments
from fgbench.reports.freshness import Present, State, state_of
from fgbench.runs.unit_results import RESULT as UNIT_RESULT
from fgbench.runs.unit_results import read_au_result
from fgbench.workfolders.layout import RUNS


@dataclass(frozen=True, slots=True, kw_only=True)
class FallenRun:
    """A run that was made of one data set and does not hold for the other.

    Attributes:
        of: ``"first"`` or ``"second"``: the data set in whose folder it is stored.
        name: Its experiment; of action units, with fold and seed.
        own: What it was made of, by the data of its own folder; ``"now"`` is as they are.
        other: The same, by the data of the other.
    """

    of: str
    name: str
    own: State
    other: State


def fallen_runs(first: Side, second: Side) -> list[FallenRun]:
    """Runs of both that do not hold for the data of the other; publications have no runs.

    Args:
        first: The one data set.
        second: The other.
    """
    found = []
    for of, side, opposite in (("first", first, second), ("second", second, first)):
        if side.is_publication or side.present is None or opposite.present is None:
            continue
        for name, own, other in _states(side, side.present, opposite.present):
            if other != "now":
                found.append(FallenRun(of=of, name=name, own=own, other=other))
    return found


def _states(side: Side, present: Present, opposite: Present) -> list[tuple[str, State, State]]:
    """Name of each run of a work folder, and what it was made of by its own data and by the other's."""
    found: list[tuple[str, State, State]] = []
    for experiment in sound_experiments(side.folder):
        own, other = state_of(experiment, present), state_of(experiment, opposite)
        if own is not None and other is not None:
            found.append((experiment.name, own, other))
    runs = side.folder / RUNS
    for path in sorted(runs.glob(f"*/*/*/{UNIT_RESULT}")):
        try:
            result = read_au_result(path.parent)
        except FgbenchError:  # a damaged one, of which the reports tell
            continue
        name = path.parent.relative_to(runs).as_posix()
        found.append((name, present.digest_state(result), opposite.digest_state(result)))
    return found
