"""Leaderboards of the page: comparable runs, ranked, with the notes on them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fgbench.reports.freshness import kind_of, state_notes
from fgbench.reports.page.finished_runs import ClassRun
from fgbench.reports.protocols import knowledge_notes
from fgbench.runs.other_programs import outside_notes


def boards_json(
    runs: Sequence[ClassRun], samples: Sequence[int], scores: Sequence[float]
) -> list[dict[str, Any]]:
    """One leaderboard per set of comparable runs: the same kind of samples, data and origin of the network.

    Args:
        runs: All runs.
        samples: Index of the set of samples of each.
        scores: UAR of each; NaN counts as 0.

    Returns:
        Per leaderboard the indices of its ``runs``, the best first, and ``notes``: sentences that name those
        that were no fair test, or may have been none.
    """
    groups: dict[tuple[bool, str, str, int], list[int]] = {}
    for index, run in enumerate(runs):
        key = (run.is_from_elsewhere, run.source, run.dataset, samples[index])
        groups.setdefault(key, []).append(index)
    boards = []
    for members in groups.values():
        ranked = sorted(
            members,
            key=lambda index: (kind_of(runs[index].state) == "old labels", -np.nan_to_num(scores[index])),
        )
        details = [(runs[index].key, runs[index].run.result["details"]) for index in ranked]
        states = [(runs[index].key, runs[index].state) for index in ranked]
        notes = [*state_notes(states), *knowledge_notes(details), *outside_notes(details)]
        boards.append({"runs": ranked, "notes": notes})
    return boards
