"""Comparison of the order of the methods' means with the paper's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from fgbench.evaluation.cluster_counts import ClusterCounts
from fgbench.evaluation.paired import method_test
from fgbench.evaluation.permutation import holm
from fgbench.reports.paper.methods import Method
from fgbench.reports.rendering.render import text
from fgbench.reports.rendering.table import OfPaper, PValue

_ALPHA = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """An experiment and its mean accuracy.

    Attributes:
        name: Name in the table.
        experiment: Name of the experiment.
        method: Its method.
        mean: Mean accuracy here.
        paper: Mean accuracy in the paper.
        counts: Samples per cluster and class, of each seed.
        samples: Test samples, each with its class.
    """

    name: str
    experiment: str
    method: Method
    mean: float
    paper: float
    counts: tuple[ClusterCounts, ...]
    samples: frozenset[tuple[str, str]]


def order_notes(source: str, standings: Sequence[Standing]) -> list[str]:
    """Sentences that compare the order of the means with the paper's.

    Methods of one source are compared pair by pair; ablations only with those of the same settings.

    Args:
        source: ``"image"`` or ``"video"``.
        standings: All experiments of the source.
    """
    pairs = [pair for pair in combinations(standings, 2) if _compare(*pair)]
    if not pairs:
        return []
    tested = holm([_p_value(*pair) for pair in pairs])
    swapped = [
        _swap(first, second, p)
        for (first, second), p in zip(pairs, tested, strict=True)
        if _is_swapped(first, second)
    ]
    if not swapped:
        return [
            OfPaper(
                f"The means of the {source} methods stand in the paper's order ({len(pairs)} "
                f"{'pair' if len(pairs) == 1 else 'pairs'})."
            )
        ]
    return [
        OfPaper(
            f"The order of the means of the {source} methods differs from the paper's in {len(swapped)} of "
            f"{len(pairs)} pairs: {'; '.join(swapped)}. p: paired tests of the UAR over whole clusters, over "
            f"seeds where there are several, corrected for the {_counted(tested)} tested (Holm); above "
            f"{_ALPHA:g} the order may be chance."
        )
    ]


def _compare(first: Standing, second: Standing) -> bool:
    if first.method == second.method:
        return False
    settings = first.method.settings(first.experiment), second.method.settings(second.experiment)
    both = first.method.is_ablation and second.method.is_ablation
    return not both or None in settings or settings[0] == settings[1]


def _is_swapped(first: Standing, second: Standing) -> bool:
    return (first.mean > second.mean) != (first.paper > second.paper) and first.mean != second.mean


def _p_value(first: Standing, second: Standing) -> float | None:
    """p-value of the difference of the means; ``None`` where the samples or clusters differ."""
    if first.samples != second.samples or first.counts[0].names != second.counts[0].names:
        return None
    return method_test(first.counts, second.counts).p


def _counted(tested: Sequence[float | None]) -> str:
    n = sum(p is not None for p in tested)
    return f"{n} {'pair' if n == 1 else 'pairs'}"


def _swap(first: Standing, second: Standing, p: float | None) -> str:
    high, low = (first, second) if first.mean > second.mean else (second, first)
    test = "no test: other samples" if p is None else f"p {text(PValue(p))}"
    return (
        f"{high.name} {high.mean:.3f} above {low.name} {low.mean:.3f} "
        f"(paper {high.paper:.3f} below {low.paper:.3f}; {test})"
    )
