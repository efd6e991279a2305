"""Whether the means of the methods stand in the paper's order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from fgbench.evaluation.significance import Interval
from fgbench.reports.methods import Method


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """An experiment and its mean accuracy.

    Attributes:
        name: As shown in the table.
        experiment: Name of the experiment.
        method: Its method.
        mean: Mean accuracy here.
        paper: Mean accuracy in the paper.
        interval: 95 % interval of the mean here.
    """

    name: str
    experiment: str
    method: Method
    mean: float
    paper: float
    interval: Interval | None


def order_notes(source: str, standings: Sequence[Standing]) -> list[str]:
    """Sentences on the order of the means against the paper's.

    Methods of one source are compared pair by pair; of the ablations, those with the same settings only.

    Args:
        source: ``"image"`` or ``"video"``.
        standings: All experiments of the source.
    """
    pairs = [pair for pair in combinations(standings, 2) if _compare(*pair)]
    if not pairs:
        return []
    swapped = [_swap(first, second) for first, second in pairs if _is_swapped(first, second)]
    if not swapped:
        return [
            f"The means of the {source} methods stand in the paper's order ({len(pairs)} "
            f"{'pair' if len(pairs) == 1 else 'pairs'})."
        ]
    return [
        f"The order of the means of the {source} methods differs from the paper's in {len(swapped)} of "
        f"{len(pairs)} pairs: {'; '.join(swapped)}."
    ]


def _compare(first: Standing, second: Standing) -> bool:
    if first.method == second.method:
        return False
    settings = first.method.settings(first.experiment), second.method.settings(second.experiment)
    both = first.method.is_ablation and second.method.is_ablation
    return not both or None in settings or settings[0] == settings[1]


def _is_swapped(first: Standing, second: Standing) -> bool:
    return (first.mean > second.mean) != (first.paper > second.paper) and first.mean != second.mean


def _swap(first: Standing, second: Standing) -> str:
    high, low = (first, second) if first.mean > second.mean else (second, first)
    overlap = ""
    if high.interval is not None and low.interval is not None:
        apart = high.interval.low > low.interval.high
        overlap = ", intervals apart" if apart else ", intervals overlap"
    return (
        f"{high.name} {high.mean:.3f} above {low.name} {low.mean:.3f} "
        f"(paper {high.paper:.3f} below {low.paper:.3f}{overlap})"
    )
