"""Pairs of runs on the same samples: samples that each has right, and the interval of the difference.

With up to :data:`ALL_UP_TO` runs on the same samples, every pair is compared; with more, each run with the
:data:`BEST` best and with the next of its experiment (the next seed or fold), so that the number of pairs
grows linearly.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import combinations, pairwise
from typing import Any

import numpy as np

from fgbench.evaluation.clusters import LEAST
from fgbench.evaluation.paired import mcnemar, paired_interval
from fgbench.evaluation.permutation import permutation_test
from fgbench.reports.page.sample_counts import Counted
from fgbench.runs.predictions import Predictions

ALL_UP_TO = 12
"""Largest number of runs on the same samples of which every pair is compared (66 pairs)."""

BEST = 3
"""Number of best runs that all others are compared with, where there are more."""

_SEED = 0


def chosen_pairs(
    scores: Sequence[float], samples: Sequence[int], experiments: Sequence[str]
) -> list[tuple[int, int]]:
    """Indices of the runs that are compared, the smaller first, in order.

    Args:
        scores: UAR of each run; NaN counts as the lowest.
        samples: Index of the set of samples of each.
        experiments: Name of the experiment of each; runs of one are in the order of folds and seeds.
    """
    groups: dict[int, list[int]] = defaultdict(list)
    for index, number in enumerate(samples):
        groups[number].append(index)
    chosen: set[tuple[int, int]] = set()
    for members in groups.values():
        if len(members) <= ALL_UP_TO:
            chosen |= set(combinations(members, 2))
            continue
        best = sorted(members, key=lambda index: (-np.nan_to_num(scores[index], nan=-1.0), index))[:BEST]
        chosen |= {(min(one, other), max(one, other)) for one in best for other in members if one != other}
        fellows: dict[str, list[int]] = defaultdict(list)
        for index in members:
            fellows[experiments[index]].append(index)
        chosen |= {pair for fellow_runs in fellows.values() for pair in pairwise(fellow_runs)}
    return sorted(chosen)


def pairs_json(
    runs: Sequence[Predictions],
    samples: Sequence[int],
    counted: Sequence[Counted],
    experiments: Sequence[str],
) -> list[dict[str, Any]]:
    """The pairs of :func:`chosen_pairs`.

    Args:
        runs: Their predictions.
        samples: Index of the set of samples of each.
        counted: Counts of each.
        experiments: Name of the experiment of each.

    Returns:
        Per pair the indices ``first`` and ``second`` of the runs; the number of samples that ``both``,
        ``only_first``, ``only_second`` and ``neither`` has right; the ``difference`` of the UAR, first minus
        second, with the ends ``low`` and ``high`` of its 95 % interval
        (:func:`fgbench.evaluation.paired.paired_interval`; ``None`` with fewer than five clusters);
        ``p_permutation`` and ``p_mcnemar``, both over clusters.
    """
    right = [np.equal(*run.numbers()) for run in runs]
    pairs = []
    for first, second in chosen_pairs([one.uar for one in counted], samples, experiments):
        one, other = counted[first], counted[second]
        test = mcnemar(right[first], right[second], clusters=one.clusters, seed=_SEED)
        low, high = _ends(one, other)
        pairs.append(
            {
                "first": first,
                "second": second,
                "both": int((right[first] & right[second]).sum()),
                "only_first": test.only_first,
                "only_second": test.only_second,
                "neither": int((~right[first] & ~right[second]).sum()),
                "difference": one.uar - other.uar,
                "low": low,
                "high": high,
                "p_permutation": permutation_test(one.counts, other.counts, seed=_SEED).p,
                "p_mcnemar": test.p,
            }
        )
    return pairs


def _ends(one: Counted, other: Counted) -> tuple[float, float] | tuple[None, None]:
    """Ends of the interval of the difference."""
    if len(one.counts.names) < LEAST:
        return None, None
    difference = paired_interval([one.counts], [other.counts])
    return difference.low, difference.high
