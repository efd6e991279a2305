"""Each vote against the label that the other votes on its unit settle: how right an annotator is.

The others' votes are settled as all votes are: by the paper's rule (section III), at least a number of them,
and more than half, for one class; or by the most votes. Leaving a vote out of what it is compared with is not
stated in the paper.
"""

from __future__ import annotations

import numpy as np

from fgbench.evaluation.ballots import NONE, Ballots, Indices
from fgbench.evaluation.left_out_annotators import plurality_of_others


def settled_by_others(ballots: Ballots, *, least: int) -> Indices:
    """(N,) class that the other votes on the unit of each vote settle; :data:`NONE` where they settle none.

    Args:
        ballots: N votes; those for no class are cast, and agree with nobody.
        least: Least number of votes that have to agree, and be more than half of the others.
    """
    others = plurality_of_others(ballots)  # more than half is more than any other class has
    cast = np.bincount(ballots.units, minlength=ballots.n_units)[ballots.units] - 1
    cells = ballots.tallies
    keys = cells.units * max(ballots.n_classes, 1) + cells.classes
    wanted = ballots.units * max(ballots.n_classes, 1) + np.maximum(others, 0)
    place = np.minimum(np.searchsorted(keys, wanted), max(keys.size - 1, 0))
    n = cells.counts[place] - (others == ballots.classes) if keys.size else np.zeros(cast.shape, np.int64)
    enough = (others != NONE) & (n >= np.maximum(least, cast // 2 + 1))
    return np.where(enough, others, NONE)
