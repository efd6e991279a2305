"""Bootstrap draws of all runs of the page, made once: of intervals and of comparisons of pairs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fgbench.evaluation.results import Predictions
from fgbench.evaluation.significance import ClusterCounts, count_clusters, drawn_together

N_DRAWS = 10_000
_SEED = 0
_LEVEL = 0.95


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Drawn:
    """What intervals of a run are made of.

    Attributes:
        counts: Its samples per cluster and class.
        scores: (10,000,) float64, the UAR of each draw of clusters; ``None`` with fewer than two clusters.
        uar: The UAR of all samples; NaN without samples.
    """

    counts: ClusterCounts
    scores: npt.NDArray[np.float64] | None
    uar: float

    @property
    def interval(self) -> tuple[float, float] | None:
        """Ends of the 95 % interval of the UAR."""
        return None if self.scores is None else ends(self.scores)


def ends(scores: npt.NDArray[np.float64]) -> tuple[float, float]:
    """Ends of the 95 % interval of scores of draws."""
    low, high = np.quantile(scores, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2])
    return float(low), float(high)


def draw_runs(runs: Sequence[Predictions], samples: Sequence[int]) -> list[Drawn]:
    """Draws of all runs, those on the same samples together.

    Args:
        runs: Their predictions.
        samples: Number of the set of samples of each.
    """
    counts = [_counts(run) for run in runs]
    scores: dict[int, npt.NDArray[np.float64]] = {}
    alike: dict[tuple[int, int], list[int]] = defaultdict(list)
    for place, found in enumerate(counts):
        if len(found.names) > 1:
            alike[samples[place], len(found.names)].append(place)
    for places in alike.values():
        drawn = drawn_together([counts[place] for place in places], "uar", seed=_SEED, n_resamples=N_DRAWS)
        scores |= dict(zip(places, drawn, strict=True))
    return [
        Drawn(counts=found, scores=scores.get(place), uar=found.score("uar"))
        for place, found in enumerate(counts)
    ]


def _counts(run: Predictions) -> ClusterCounts:
    truth, predicted = run.numbers()
    return count_clusters(truth, predicted, clusters=run.clusters(), n_classes=len(run.classes))
