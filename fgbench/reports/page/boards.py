"""Leaderboards of the page: the runs that compare, ranked, and what has to be said of them together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fgbench.reports.freshness import state_notes
from fgbench.reports.page.found import ClassRun
from fgbench.reports.protocols import knowledge_notes
from fgbench.runs.outside import outside_notes


def boards_json(
    runs: Sequence[ClassRun], samples: Sequence[int], scores: Sequence[float]
) -> list[dict[str, Any]]:
    """One leaderboard for what compares: the same kind of samples, data and origin of the network.

    Args:
        runs: All runs.
        samples: Number of the set of samples of each.
        scores: UAR of each; NaN counts as 0.

    Returns:
        Per leaderboard the places of its ``runs``, the best first, and ``notes``: sentences that name those
        that were no fair test, or may have been none.
    """
    groups: dict[tuple[bool, str, str, int], list[int]] = {}
    for place, run in enumerate(runs):
        key = (run.is_from_elsewhere, run.source, run.dataset, samples[place])
        groups.setdefault(key, []).append(place)
    boards = []
    for places in groups.values():
        ranked = sorted(
            places, key=lambda place: (runs[place].state == "old labels", -np.nan_to_num(scores[place]))
        )
        details = [(runs[place].key, runs[place].run.result["details"]) for place in ranked]
        states = [(runs[place].key, runs[place].state) for place in ranked]
        notes = [*state_notes(states), *knowledge_notes(details), *outside_notes(details)]
        boards.append({"runs": ranked, "notes": notes})
    return boards
