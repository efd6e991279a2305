"""Rule ``paper``: enough votes agree, and they are more than half of those cast (paper section III).

The paper's groups are of five annotators, of whom three have to agree. For other sizes, which the paper does
not have, both conditions hold, so that no tie and no minority settles anything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from fgbench.preparation.answers import NO_CLASS, is_for_class
from fgbench.preparation.settling._rule import Choice, Rule
from fgbench.records import Vote


def _choose(cast: Sequence[Vote], min_votes: int) -> Choice:
    needed = max(min_votes, len(cast) // 2 + 1)
    tally = Counter([vote.label for vote in cast if is_for_class(vote)])
    count = max(tally.values(), default=0)
    best = sorted(label for label, n_votes in tally.items() if n_votes == count)
    if count >= needed:
        return Choice(best[0])  # more than half: there is no other
    tie = f" (a tie of {', '.join(best)})" if len(best) > 1 else ""
    astray = sum(vote.label == NO_CLASS for vote in cast)
    strange = f" ({astray} for no known class)" if astray else ""
    reserved = len(cast) - astray - tally.total()
    open_ = f" ({reserved} unsure or not usable)" if reserved else ""
    return Choice(None, f"{count} of {len(cast)} agree, {needed} needed{tie}{strange}{open_}")


RULE = Rule(
    version=1,
    about="with at least {min_votes} votes that are more than half of those cast",
    choose=_choose,
)
