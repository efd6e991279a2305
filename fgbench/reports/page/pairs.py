"""Pairs of runs on the same samples: what each has right, and the interval of the difference."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np

from fgbench.evaluation.paired import mcnemar, permutation_test
from fgbench.evaluation.results import Predictions
from fgbench.evaluation.significance import ClusterCounts, count_clusters

N_DRAWS = 10_000
_SEED = 0


def pairs_json(runs: Sequence[Predictions], samples: Sequence[int]) -> list[dict[str, Any]]:
    """Every pair of runs with the same samples.

    Args:
        runs: Their predictions.
        samples: Number of the set of samples of each.

    Returns:
        Per pair the places ``first`` and ``second`` of the runs; how many samples ``both``, ``only_first``,
        ``only_second`` and ``neither`` has right; the ``difference`` of the UAR, first minus second, with the
        ends ``low`` and ``high`` of its 95 % interval (:func:`fgbench.evaluation.paired.paired_bootstrap`;
        ``None`` with fewer than two subjects or clips); ``p_permutation`` and ``p_mcnemar``.
    """
    counts = [_counts(run) for run in runs]
    # Draws depend on the clusters alone, so that each run needs them once, not once per pair.
    drawn = [
        found.drawn("uar", seed=_SEED, n_resamples=N_DRAWS) if len(found.names) > 1 else None
        for found in counts
    ]
    right = [np.equal(*run.numbers()) for run in runs]
    pairs = []
    for first, second in combinations(range(len(runs)), 2):
        if samples[first] != samples[second]:
            continue
        one, other = drawn[first], drawn[second]
        low, high = (None, None) if one is None or other is None else np.quantile(one - other, [0.025, 0.975])
        test = mcnemar(right[first], right[second])
        pairs.append(
            {
                "first": first,
                "second": second,
                "both": int((right[first] & right[second]).sum()),
                "only_first": test.only_first,
                "only_second": test.only_second,
                "neither": int((~right[first] & ~right[second]).sum()),
                "difference": counts[first].score("uar") - counts[second].score("uar"),
                "low": None if low is None else float(low),
                "high": None if high is None else float(high),
                "p_permutation": permutation_test(counts[first], counts[second], seed=_SEED).p,
                "p_mcnemar": test.p_exact,
            }
        )
    return pairs


def _counts(run: Predictions) -> ClusterCounts:
    truth, predicted = run.numbers()
    return count_clusters(truth, predicted, clusters=run.clusters(), n_classes=len(run.classes))
