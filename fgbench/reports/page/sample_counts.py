"""Samples per cluster and class of all runs of the page, counted once for whatever is drawn of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from fgbench.evaluation.cluster_counts import ClusterCounts
from fgbench.evaluation.clusters import LEAST, cluster_summary
from fgbench.evaluation.significance import seeds_interval
from fgbench.reports.accuracies import clustered_alike, seed_counts
from fgbench.runs.predictions import Predictions


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Counted:
    """Counts of a run, from which its intervals follow.

    Attributes:
        counts: Its samples per cluster and class.
        clusters: Cluster of each sample.
        clusters_in_words: Number of clusters of each kind, in words.
        uar: The UAR of all samples; NaN without samples.
        interval: Ends of the 95 % interval of the UAR, the trained network held fixed; ``None`` with fewer
            than five clusters.
    """

    counts: ClusterCounts
    clusters: tuple[str, ...]
    clusters_in_words: str
    uar: float
    interval: tuple[float, float] | None


def count_runs(runs: Sequence[Predictions], samples: Sequence[int]) -> list[Counted]:
    """Counts of all runs; runs on the same samples have the same clusters.

    Args:
        runs: Their predictions.
        samples: Index of the set of samples of each.
    """
    groups: dict[int, list[int]] = defaultdict(list)
    for index, number in enumerate(samples):
        groups[number].append(index)
    counted: dict[int, Counted] = {}
    for members in groups.values():
        for index, run in zip(members, clustered_alike([runs[index] for index in members]), strict=True):
            counted[index] = _counted(run)
    return [counted[index] for index in range(len(runs))]


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
        clusters_in_words=cluster_summary(clusters),
        uar=counts.score("uar"),
        interval=ends,
    )
