"""Samples of all runs of the page per cluster and class, counted once: of intervals and of comparisons."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from fgbench.evaluation.clusters import LEAST, cluster_summary
from fgbench.evaluation.significance import ClusterCounts, seeds_interval
from fgbench.reports.accuracies import clustered_alike, seed_counts
from fgbench.runs.results import Predictions


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Counted:
    """What intervals of a run are made of.

    Attributes:
        counts: Its samples per cluster and class.
        clusters: Cluster of each sample.
        told: How many clusters of each kind there are, in words.
        uar: The UAR of all samples; NaN without samples.
        interval: Ends of the 95 % interval of the UAR, the trained network held fixed; ``None`` with fewer
            than five clusters.
    """

    counts: ClusterCounts
    clusters: tuple[str, ...]
    told: str
    uar: float
    interval: tuple[float, float] | None


def count_runs(runs: Sequence[Predictions], samples: Sequence[int]) -> list[Counted]:
    """Counts of all runs; runs on the same samples have the same clusters.

    Args:
        runs: Their predictions.
        samples: Number of the set of samples of each.
    """
    groups: dict[int, list[int]] = defaultdict(list)
    for place, number in enumerate(samples):
        groups[number].append(place)
    found: dict[int, Counted] = {}
    for places in groups.values():
        for place, run in zip(places, clustered_alike([runs[place] for place in places]), strict=True):
            found[place] = _counted(run)
    return [found[place] for place in range(len(runs))]


def _counted(run: Predictions) -> Counted:
    (counts,) = seed_counts([run], classes=run.classes)
    ends = None
    if len(counts.names) >= LEAST:
        interval = seeds_interval([counts], metric="uar")
        ends = (interval.low, interval.high)
    clusters = run.clusters()
    return Counted(
        counts=counts,
        clusters=clusters,
        told=cluster_summary(clusters),
        uar=counts.score("uar"),
        interval=ends,
    )
