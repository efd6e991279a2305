"""Annotators who are fast and wrong: a rule with exact tests, corrected for the number of annotators.

Fast: on more than half of the units an annotator took less than half of the median time of the others on the
same unit (binomial test of a share of one half, one-sided). Wrong: their votes agree less with the plurality
of the others, or with known answers, than the votes of all other annotators together (Fisher's exact test,
one-sided; the smaller p of the two, times two where both are there). An annotator is both where the larger p
of "fast" and "wrong" is at most :data:`ALPHA` after Holm's correction over all annotators with a verdict.

The tests take the votes of different clips for independent. Not stated in the paper, which has no such rule.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fgbench.evaluation.ballots import Ballots, Floats, Indices
from fgbench.evaluation.left_out_annotators import AgainstOthers, others_medians
from fgbench.evaluation.permutation import holm

ALPHA = 0.05
"""Level of the corrected tests; ours."""
FAST = 0.5
"""Share of the others' median time below which a vote is fast; ours."""
LEAST_VOTES = 20
"""Votes with a time, and votes compared with the others', below which there is no verdict; ours."""
LEAST_GOLD = 10
"""Votes on known answers below which these are not tested; ours."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Verdicts:
    """The rule applied to A annotators.

    Attributes:
        timed: (A,) votes with a time and one of others on the same unit.
        fast: (A,) those of them that took less than half of the others' median time.
        p_fast: (A,) p-value of "fast"; NaN with too few votes.
        p_wrong: (A,) p-value of "wrong"; NaN with too few votes.
        p: (A,) the larger of both after Holm's correction; NaN where one of them is.
    """

    timed: Indices
    fast: Indices
    p_fast: Floats
    p_wrong: Floats
    p: Floats

    def is_fast_and_wrong(self, annotator: int) -> bool | None:
        """Whether an annotator is both; ``None``: too few votes for a verdict."""
        return None if np.isnan(self.p[annotator]) else bool(self.p[annotator] <= ALPHA)


def verdicts(
    ballots: Ballots, spent_s: Floats, *, others: AgainstOthers, gold_right: Indices, gold: Indices
) -> Verdicts:
    """Apply the rule.

    Args:
        ballots: N votes.
        spent_s: (N,) seconds spent on each vote; NaN where not known.
        others: Agreement of each annotator with the others.
        gold_right: (A,) right votes on units with a known answer.
        gold: (A,) votes on such units.
    """
    from scipy.stats import binom

    medians = others_medians(ballots, spent_s)
    comparable = np.isfinite(medians) & (medians > 0)
    is_fast = comparable & (spent_s < FAST * medians)
    timed, fast = (
        np.bincount(ballots.annotators[rows], minlength=ballots.n_annotators).astype(np.int64)
        for rows in (comparable, is_fast)
    )
    p_fast = np.where(timed >= LEAST_VOTES, binom.sf(fast - 1, timed, 0.5), np.nan)
    both = np.stack(
        [
            _lower(others.agreeing, others.compared, least=LEAST_VOTES),
            _lower(gold_right, gold, least=LEAST_GOLD),
        ]
    )
    n_tests = np.isfinite(both).sum(axis=0)
    least_p = np.where(np.isfinite(both), both, 1.0).min(axis=0)
    p_wrong = np.where(n_tests > 0, np.minimum(1.0, n_tests * least_p), np.nan)
    larger = np.maximum(p_fast, p_wrong)
    corrected = holm([None if np.isnan(p) else float(p) for p in larger])
    return Verdicts(
        timed=timed,
        fast=fast,
        p_fast=p_fast,
        p_wrong=p_wrong,
        p=np.array([np.nan if p is None else p for p in corrected], np.float64),
    )


def _lower(right: Indices, n: Indices, *, least: int) -> Floats:
    """(A,) p-value that each share is below that of all others together; NaN with fewer than ``least``."""
    from scipy.stats import hypergeom

    p = hypergeom.cdf(right, n.sum(), right.sum(), n)
    return np.where((n >= least) & (n.sum() > n), p, np.nan)
