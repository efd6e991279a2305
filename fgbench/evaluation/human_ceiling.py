"""Each vote against the label that the other votes on its unit settle: how right an annotator is.

The others' votes are settled by the paper's rule on labels (section III): at least a number of them, and more
than half, are for one class. Leaving a vote out of what it is compared with is not stated in the paper.
"""

from __future__ import annotations

import numpy as np

from fgbench.evaluation.ballots import NONE, Ballots, Indices


def settled_by_others(ballots: Ballots, *, least: int) -> Indices:
    """(N,) class that the other votes on the unit of each vote settle; :data:`NONE` where they settle none.

    Args:
        ballots: N votes; those for no class are cast, and agree with nobody.
        least: Least number of votes that have to agree; of units with fewer voters than one more than this,
            nothing is settled.
    """
    tallies = ballots.tallies
    cast = np.bincount(ballots.units, minlength=ballots.n_units)[ballots.units] - 1
    needed = np.maximum(least, cast // 2 + 1)
    top, holders = tallies.highest()
    leading = tallies.counts == top[tallies.units]
    # The sum of the classes with most votes is the class where there is one, and tells the other of two. Of
    # three, none has more than half of the other votes.
    total = np.bincount(tallies.units[leading], tallies.classes[leading], ballots.n_units).astype(np.int64)
    top, holders, total = top[ballots.units], holders[ballots.units], total[ballots.units]
    is_top = ballots.for_classes & (tallies.same == top)
    other = np.where(is_top & (holders == 2), total - ballots.classes, total)
    from_others = (top >= needed) & np.where(is_top, holders == 2, holders == 1)
    own = ballots.for_classes & (tallies.same - 1 >= needed)
    return np.where(own, ballots.classes, np.where(from_others, other, NONE))
